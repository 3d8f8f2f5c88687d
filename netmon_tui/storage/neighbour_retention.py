"""Shortening what is remembered of neighbours, in pieces that hold up nobody."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from netmon_tui.storage import records
from netmon_tui.storage.database import Database

PIECE = 500
"""Rows that are deleted in one transaction, of each table."""
_EVENTS, _PRESENCE = records.neighbour_events, records.neighbour_presence


class NeighbourRetention:
    """Deletes what is too old: times of presence that ended, and events that somebody acknowledged."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def shorten(self, before: datetime) -> bool:
        """Delete a piece of what was over before a moment; whether there may be more."""
        pieces = {
            _PRESENCE: self._ids(_PRESENCE, _PRESENCE.c.open_mark != 0, _PRESENCE.c.ended < before),
            _EVENTS: self._ids(_EVENTS, _EVENTS.c.acknowledged < before, _EVENTS.c.last < before),
        }

        def work(connection: Connection) -> None:
            for table, ids in pieces.items():
                connection.execute(delete(table).where(table.c.id.in_(ids)))

        if any(pieces.values()):
            self._database.write(work)
        return any(len(ids) == PIECE for ids in pieces.values())

    def _ids(self, table: Table, *conditions: ColumnElement[bool]) -> list[int]:
        query = select(table.c.id).where(*conditions).limit(PIECE)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())
