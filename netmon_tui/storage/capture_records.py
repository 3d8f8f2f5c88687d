"""The tables of what captures are made of and are tagged with."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, String, Table

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
