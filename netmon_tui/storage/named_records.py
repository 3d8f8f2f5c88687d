"""The tables of what users keep under names: scan profiles, schedules, searches, sets of targets and ports."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from netmon_tui.storage.column_types import JsonText, Moment
from netmon_tui.storage.host_records import ID, metadata


def _owned(name: str, *columns: Column[object] | Index) -> Table:
    """Return a table of things with an owner and a name, which is its owner's only one of that kind.

    ``name_key`` is the name without what makes no difference.
    """
    return Table(
        name,
        metadata,
        Column("id", ID, primary_key=True),
        Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
        Column("name", Text, nullable=False),
        Column("name_key", Text, nullable=False),
        *columns,
        UniqueConstraint("owner_id", "name_key"),
        sqlite_autoincrement=True,
    )


profiles = _owned(
    "profiles",
    Column("arguments", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
)
"""The users' own scan profiles."""

schedules = _owned(
    "schedules",
    Column("targets", JsonText, nullable=False),
    Column("profile", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("every", Integer, nullable=False),
    Column("cron", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("catch_up", Boolean, nullable=False),
    Column("confirmed", Boolean, nullable=False, server_default=false()),
    Column("next_run", Moment),
    Column("last_run", Moment),
    Column("last_scan", ID),
    Column("last_error", Text, nullable=False, default=""),
    Column("claimed_by", String(64), nullable=False, default=""),
    Column("claim_expires", Moment),
    Column("staged", Boolean, nullable=False, server_default=true()),
    Index(None, "next_run"),
)
"""Scans that repeat. ``next_run`` is NULL while one is disabled; who has claimed one starts its scan."""


def _queries(name: str) -> Table:
    return _owned(name, Column("query", Text, nullable=False), Column("shared", Boolean, nullable=False))


searches = _queries("searches")
"""Queries that users keep under a name."""

display_filters = _queries("display_filters")
"""Display filters that users keep under a name."""

recent_display_filters = Table(
    "recent_display_filters",
    metadata,
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("query", Text, nullable=False),
    Column("used", Moment, nullable=False),
    PrimaryKeyConstraint("owner_id", "query"),
)
"""The last display filters that each user has applied."""

packet_columns = Table(
    "packet_columns",
    metadata,
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False, primary_key=True),
    Column("keys", JsonText, nullable=False),
    Column("by_tshark", Boolean, nullable=False),
)
"""The columns of packet lists that each user has chosen."""


def _sets(name: str) -> Table:
    return _owned(
        name,
        Column("content", Text, nullable=False),
        Column("description", Text, nullable=False),
        Column("shared", Boolean, nullable=False),
    )


target_sets = _sets("target_sets")
port_sets = _sets("port_sets")
