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
    Column("capture", JsonText),
    Column("last_capture", ID),
    Index(None, "next_run"),
)
"""What repeats: a scan, or the capture asked for. ``next_run`` is NULL while disabled; its claimer starts it."""


def _queries(name: str) -> Table:
    return _owned(name, Column("query", Text, nullable=False), Column("shared", Boolean, nullable=False))


searches = _queries("searches")
"""Queries that users keep under a name."""

display_filters = _queries("display_filters")
"""Display filters that users keep under a name."""


def _recent(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
        Column("query", Text, nullable=False),
        Column("used", Moment, nullable=False),
        PrimaryKeyConstraint("owner_id", "query"),
    )


recent_display_filters = _recent("recent_display_filters")
"""The last display filters that each user has applied."""

capture_filters = _owned(
    "capture_filters",
    Column("query", Text, nullable=False),
    Column("meaning", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
)
"""Capture filters that users keep under a name."""

recent_capture_filters = _recent("recent_capture_filters")
"""The capture filters that each user has captured with last."""

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
