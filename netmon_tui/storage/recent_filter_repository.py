"""The display filters that each user has applied last."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from netmon_tui.domain.user import Actor
from netmon_tui.storage.database import Database
from netmon_tui.storage.named_records import recent_display_filters as RECENT

KEPT = 30
"""Of each user."""


class RecentFilterRepository:
    """The recent filters of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, actor: Actor) -> list[str]:
        """Return the actor's, the last one first."""
        query = select(RECENT.c.query).where(RECENT.c.owner_id == actor.user_id)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(RECENT.c.used.desc())).scalars())

    def note(self, actor: Actor, text: str) -> None:
        """Remember that a filter was applied now, and forget what is too old for the list."""

        def work(connection: Connection) -> None:
            mine, now = RECENT.c.owner_id == actor.user_id, datetime.now(UTC)
            again = update(RECENT).where(mine, RECENT.c.query == text).values(used=now)
            if not connection.execute(again).rowcount:
                connection.execute(insert(RECENT).values(owner_id=actor.user_id, query=text, used=now))
            newest = select(RECENT.c.query).where(mine).order_by(RECENT.c.used.desc()).limit(KEPT)
            connection.execute(delete(RECENT).where(mine, RECENT.c.query.not_in(newest)))

        self._database.write(work)
