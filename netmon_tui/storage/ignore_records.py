"""The tables of what comparisons leave out."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, PrimaryKeyConstraint, String, Table, Text

from netmon_tui.storage.column_types import Moment
from netmon_tui.storage.host_records import ID, metadata

ignore_rules = Table(
    "ignore_rules",
    metadata,
    Column("id", ID, primary_key=True),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("everybody", Boolean, nullable=False),
    Column("address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("service", Text, nullable=False),
    Column("unanswered", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("script", Text, nullable=False, default="", server_default=""),
    Index(None, "owner_id"),
    sqlite_autoincrement=True,
)
"""Which lines of comparisons are left out; what is empty does not matter."""

ignore_rules_off = Table(
    "ignore_rules_off",
    metadata,
    Column("owner_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(32), nullable=False),
    PrimaryKeyConstraint("owner_id", "name"),
)
"""Built-in rules that somebody switched off."""
