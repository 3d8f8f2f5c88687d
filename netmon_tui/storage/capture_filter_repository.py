"""The users' own capture filters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from netmon_tui.domain.capture_filter_library import CaptureFilter, SaveCaptureFilter
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.named_tables import NamedTable
from netmon_tui.storage.shared_repository import SharedRepository


class CaptureFilterRepository(SharedRepository[CaptureFilter, SaveCaptureFilter]):
    """The capture filters of one database."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, NamedTable(records.capture_filters, "capture filter"))

    def _values(self, new: SaveCaptureFilter) -> dict[str, Any]:
        return {"query": new.text, "meaning": new.meaning}

    def _told(self, new: SaveCaptureFilter) -> str:
        return f"{new.name}: {new.text}"

    def _read(self, row: Row[Any]) -> CaptureFilter:
        return CaptureFilter(
            name=row.name,
            text=row.query,
            meaning=row.meaning,
            id=row.id,
            owner_id=row.owner_id,
            owner=row.owner_name,
            shared=row.shared,
        )
