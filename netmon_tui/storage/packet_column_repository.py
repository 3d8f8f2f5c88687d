"""The columns of packet lists that each user has chosen."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.domain.user import Actor
from netmon_tui.storage.database import Database
from netmon_tui.storage.named_records import packet_columns as COLUMNS


class PacketColumnRepository:
    """The choices of one database.

    Args:
        database: It.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def chosen(self, actor: Actor) -> PacketColumns | None:
        """Return what the actor has chosen; None when nothing was."""
        query = select(COLUMNS.c["keys"], COLUMNS.c.by_tshark).where(COLUMNS.c.owner_id == actor.user_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return PacketColumns(tuple(row[0]), bool(row[1])) if row else None

    def choose(self, actor: Actor, columns: PacketColumns | None) -> None:
        """Keep what the actor has chosen; None forgets it."""

        def work(connection: Connection) -> None:
            connection.execute(delete(COLUMNS).where(COLUMNS.c.owner_id == actor.user_id))
            if columns is not None:
                values = {"keys": list(columns.keys), "by_tshark": columns.by_tshark}
                connection.execute(insert(COLUMNS).values(owner_id=actor.user_id, **values))

        self._database.write(work)
