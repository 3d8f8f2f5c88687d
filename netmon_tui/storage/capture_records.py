"""The tables of what captures are made of and are tagged with, and of the packets marked in them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from netmon_tui.storage.host_records import ID, metadata

capture_tags = Table(
    "capture_tags",
    metadata,
    Column("capture_id", ID, ForeignKey("captures.id", ondelete="CASCADE"), nullable=False),
    Column("tag", String(32), nullable=False),
    PrimaryKeyConstraint("capture_id", "tag"),
    Index(None, "tag"),
)

capture_parents = Table(
    "capture_parents",
    metadata,
    Column("capture_id", ID, ForeignKey("captures.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("parent_id", ID, nullable=False),
    PrimaryKeyConstraint("capture_id", "position"),
)
"""Which captures one was made of. No foreign key to them: the lineage outlives what it speaks of."""

packet_marks = Table(
    "packet_marks",
    metadata,
    Column("capture_id", ID, ForeignKey("captures.id", ondelete="CASCADE"), nullable=False),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("file", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("comment", Text, nullable=False),
    PrimaryKeyConstraint("capture_id", "owner_id", "file", "number"),
)
"""Which packets each user has marked, by the number of the file and in it.

They are the user's own: a mark changes nothing of the capture.
"""
