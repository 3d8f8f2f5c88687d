"""Shortening what is remembered of neighbours, in pieces that hold up nobody."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from netmon_tui.storage import records
from netmon_tui.storage.database import Database

PIECE = 500
"""Rows that are deleted in one transaction, of each table."""
_EVENTS, _PRESENCE = records.neighbour_events, records.neighbour_presence


class Kept(NamedTuple):
    """How much is remembered."""

    presences: int
    events: int
    since: datetime | None
    """When the first time of presence began; None without any."""
    due: int
    """Rows that are too old, and not deleted yet."""


class NeighbourRetention:
    """Deletes what is too old: times of presence that ended, and events that somebody acknowledged."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def kept(self, before: datetime | None) -> Kept:
        """Return how much there is, and how much of it was over before a moment; None for nothing."""
        over = _over(before) if before is not None else {}
        due = [select(func.count()).select_from(table).where(*where) for table, where in over.items()]
        counts = [select(func.count()).select_from(table) for table in (_PRESENCE, _EVENTS)]
        with self._database.read() as connection:
            presences, events, *overdue = (connection.execute(q).scalar_one() for q in (*counts, *due))
            since = connection.execute(select(func.min(_PRESENCE.c.started))).scalar_one()
        return Kept(presences, events, since, sum(overdue))

    def shorten(self, before: datetime) -> bool:
        """Delete a piece of what was over before a moment; whether there may be more."""
        pieces = {table: self._ids(table, where) for table, where in _over(before).items()}

        def work(connection: Connection) -> None:
            for table, ids in pieces.items():
                connection.execute(delete(table).where(table.c.id.in_(ids)))

        if any(pieces.values()):
            self._database.write(work)
        return any(len(ids) == PIECE for ids in pieces.values())

    def _ids(self, table: Table, conditions: tuple[ColumnElement[bool], ...]) -> list[int]:
        query = select(table.c.id).where(*conditions).limit(PIECE)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())


def _over(before: datetime) -> dict[Table, tuple[ColumnElement[bool], ...]]:
    """Return what makes a row of each table too old."""
    return {
        _PRESENCE: (_PRESENCE.c.open_mark != 0, _PRESENCE.c.ended < before),
        _EVENTS: (_EVENTS.c.acknowledged < before, _EVENTS.c.last < before),
    }
