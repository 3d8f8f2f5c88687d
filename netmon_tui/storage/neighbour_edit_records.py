"""The table of what was done to the kernel's neighbour table."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from netmon_tui.storage.column_types import JsonText, Moment
from netmon_tui.storage.host_records import ID, metadata

neighbour_edits = Table(
    "neighbour_edits",
    metadata,
    Column("id", ID, primary_key=True),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("machine", String(255), nullable=False),
    Column("time", Moment, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("before", JsonText, nullable=False),
    Column("after", JsonText, nullable=False),
    Column("result", Text),
    Column("undoes", ID),
    Column("undone_by", ID),
    Index(None, "machine", "owner_id"),
    sqlite_autoincrement=True,
)
"""Edits, with the entries that undo them: [interface, address, lladdr, state, router]. No result: it was begun."""
