"""The tables of what is remembered of neighbours, and of what people say about them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from netmon_tui.storage.column_types import Moment
from netmon_tui.storage.host_records import ID, metadata

neighbours = Table(
    "neighbours",
    metadata,
    Column("interface", String(15), nullable=False),
    Column("address", Text, nullable=False),
    Column("family", String(4), nullable=False),
    Column("lladdr", String(17), nullable=False),
    Column("router", Boolean, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("gone", Boolean, nullable=False, default=False, server_default=false()),
    Column("revision", ID, nullable=False, default=0, server_default="0"),
    PrimaryKeyConstraint("interface", "address"),
    Index(None, "lladdr"),
    Index(None, "revision"),
)
"""The latest lladdr of every address that was ever resolved; ``gone`` once that was told.

``revision`` rises with every change: what scans resolved may be stored long after it was seen.
"""

neighbour_history = Table(
    "neighbour_history",
    metadata,
    Column("interface", String(15), nullable=False),
    Column("address", Text, nullable=False),
    Column("lladdr", String(17), nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    PrimaryKeyConstraint("interface", "address", "lladdr"),
    Index(None, "address"),
    Index("ix_neighbour_history_device", "lladdr", "last_seen", "first_seen"),
)
"""Every lladdr an address ever had; the list of devices is made of the index alone."""

neighbour_presence = Table(
    "neighbour_presence",
    metadata,
    Column("id", ID, primary_key=True),
    Column("interface", String(15), nullable=False),
    Column("address", Text, nullable=False),
    Column("lladdr", String(17), nullable=False),
    Column("started", Moment, nullable=False),
    Column("ended", Moment, nullable=False),
    Column("ending", String(8), nullable=False),
    Column("open_mark", ID, nullable=False),
    UniqueConstraint("interface", "address", "lladdr", "open_mark"),
    Index(None, "lladdr", "ended"),
    Index(None, "open_mark", "ended"),
    sqlite_autoincrement=True,
)
"""When a lladdr answered for an address.

``open_mark`` is 0 while that lasts, so that there is one such row at most, and the row's id afterwards.
"""

neighbour_devices = Table(
    "neighbour_devices",
    metadata,
    Column("lladdr", String(17), primary_key=True),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("known", Boolean, nullable=False),
    Column("must_be_up", Boolean, nullable=False),
    Column("shares_addresses", Boolean, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed", Moment, nullable=False),
    Column("down", Boolean, nullable=False, server_default=false()),
)
"""What people say about a lladdr; ``down`` once it was told that it does not answer."""

neighbour_events = Table(
    "neighbour_events",
    metadata,
    Column("id", ID, primary_key=True),
    Column("time", Moment, nullable=False),
    Column("last", Moment, nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("interface", String(15), nullable=False),
    Column("address", Text, nullable=False),
    Column("lladdr", String(17), nullable=False),
    Column("previous_lladdr", String(17), nullable=False),
    Column("detail", Text, nullable=False),
    Column("acknowledged_by", Text, nullable=False, server_default=""),
    Column("acknowledged", Moment),
    Column("muted", Boolean, nullable=False, server_default=false()),
    Column("editor", Text, nullable=False, server_default=""),
    Index(None, "last"),
    Index(None, "address"),
    Index(None, "lladdr"),
    Index("ix_neighbour_events_open", "acknowledged", "muted", "rank"),
    Index("ix_neighbour_events_open_last", "acknowledged", "muted", "last"),
    sqlite_autoincrement=True,
)
"""What happened; ``rank`` is that of the severity, 0 for the weightiest."""

neighbour_mutes = Table(
    "neighbour_mutes",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("interface", String(15), nullable=False),
    Column("address", Text, nullable=False),
    Column("lladdr", String(17), nullable=False),
    Column("until", Moment),
    Column("created_by", Text, nullable=False),
    Column("created", Moment, nullable=False),
    sqlite_autoincrement=True,
)
"""Which events are kept but not told; what is empty does not matter."""
