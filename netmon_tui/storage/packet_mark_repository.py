"""The packets that users have marked, as rows. Every call takes the actor, whose marks they are."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select

from netmon_tui.domain.packet_mark import MOST_MARKS, PacketMark
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.storage.capture_records import packet_marks as MARKS
from netmon_tui.storage.database import Database


class PacketMarkRepository:
    """The marks of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def marks(self, actor: Actor, capture_id: int) -> list[PacketMark]:
        """Return the actor's in a capture, by number."""
        mine = (MARKS.c.owner_id == actor.user_id, MARKS.c.capture_id == capture_id)
        query = select(MARKS.c.number, MARKS.c.comment).where(*mine).order_by(MARKS.c.number)
        with self._database.read() as connection:
            return [PacketMark(*row) for row in connection.execute(query)]

    def put(self, actor: Actor, capture_id: int, marks: Sequence[PacketMark]) -> None:
        """Mark packets, or change what is said of those that are marked.

        Raises:
            InvalidInput: That would be too many; nothing is marked.
        """

        def work(connection: Connection) -> None:
            self._delete(connection, actor, capture_id, [mark.number for mark in marks])
            mine = {"capture_id": capture_id, "owner_id": actor.user_id}
            rows = [mine | {"number": mark.number, "comment": mark.comment} for mark in marks]
            connection.execute(insert(MARKS), rows)
            owned = select(func.count()).where(
                MARKS.c.capture_id == capture_id, MARKS.c.owner_id == actor.user_id
            )
            if connection.execute(owned).scalar_one() > MOST_MARKS:
                raise InvalidInput(
                    "too many packets are marked",
                    why=f"{MOST_MARKS:,} of a capture are possible",
                    fix="slice it by a filter instead",
                )

        self._database.write(work)

    def remove(self, actor: Actor, capture_id: int, numbers: Sequence[int] | None = None) -> None:
        """Take the marks of some packets away, or all of the actor's in a capture."""
        self._database.write(lambda connection: self._delete(connection, actor, capture_id, numbers))

    def _delete(
        self, connection: Connection, actor: Actor, capture_id: int, numbers: Sequence[int] | None
    ) -> None:
        mine = (MARKS.c.owner_id == actor.user_id, MARKS.c.capture_id == capture_id)
        these = () if numbers is None else (MARKS.c.number.in_(numbers),)
        connection.execute(delete(MARKS).where(*mine, *these))
