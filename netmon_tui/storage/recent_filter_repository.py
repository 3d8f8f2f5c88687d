"""The filters of one kind that each user has applied last."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Table, delete, insert, select, update

from netmon_tui.domain.user import Actor
from netmon_tui.storage.database import Database

KEPT = 30
"""Of each user."""


class RecentFilterRepository:
    """The recent filters of one kind in one database.

    Args:
        database: Where they are.
        table: Of display filters, or of capture filters.
    """

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._table = table

    def newest(self, actor: Actor) -> list[str]:
        """Return the actor's, the last one first."""
        columns = self._table.c
        query = select(columns.query).where(columns.owner_id == actor.user_id)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(columns.used.desc())).scalars())

    def note(self, actor: Actor, text: str) -> None:
        """Remember that a filter was applied now, and forget what is too old for the list."""
        table, columns = self._table, self._table.c

        def work(connection: Connection) -> None:
            mine, now = columns.owner_id == actor.user_id, datetime.now(UTC)
            again = update(table).where(mine, columns.query == text).values(used=now)
            if not connection.execute(again).rowcount:
                connection.execute(insert(table).values(owner_id=actor.user_id, query=text, used=now))
            newest = select(columns.query).where(mine).order_by(columns.used.desc()).limit(KEPT)
            connection.execute(delete(table).where(mine, columns.query.not_in(newest)))

        self._database.write(work)
