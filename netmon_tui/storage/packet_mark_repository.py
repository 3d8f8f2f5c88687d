"""The packets that users have marked, as rows. Every call takes the actor, whose marks they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

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
        """Return the actor's in a capture, by file and number."""
        mine = (MARKS.c.owner_id == actor.user_id, MARKS.c.capture_id == capture_id)
        query = (
            select(MARKS.c.number, MARKS.c.comment, MARKS.c.file)
            .where(*mine)
            .order_by(MARKS.c.file, MARKS.c.number)
        )
        with self._database.read() as connection:
            return [PacketMark(*row) for row in connection.execute(query)]

    def put(self, actor: Actor, capture_id: int, marks: Sequence[PacketMark]) -> None:
        """Mark packets, or change what is said of those that are marked.

        Raises:
            InvalidInput: That would be too many; nothing is marked.
        """

        def work(connection: Connection) -> None:
            for file in {mark.file for mark in marks}:
                numbers = [mark.number for mark in marks if mark.file == file]
                self._delete(connection, actor, capture_id, file, numbers)
            mine = {"capture_id": capture_id, "owner_id": actor.user_id}
            rows = [mine | asdict(mark) for mark in marks]
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

    def remove(
        self, actor: Actor, capture_id: int, file: int | None = None, numbers: Sequence[int] | None = None
    ) -> None:
        """Take the marks of some packets of a file away, or of all of them, or of all files."""
        self._database.write(lambda connection: self._delete(connection, actor, capture_id, file, numbers))

    def remove_before(self, capture_id: int, file: int) -> None:
        """Take everybody's marks in the files of a capture before one away: a ring has deleted those."""
        gone = (MARKS.c.capture_id == capture_id, MARKS.c.file < file)
        self._database.write(lambda connection: connection.execute(delete(MARKS).where(*gone)))

    def _delete(
        self,
        connection: Connection,
        actor: Actor,
        capture_id: int,
        file: int | None,
        numbers: Sequence[int] | None,
    ) -> None:
        mine = (MARKS.c.owner_id == actor.user_id, MARKS.c.capture_id == capture_id)
        these = [] if file is None else [MARKS.c.file == file]
        these += [] if numbers is None else [MARKS.c.number.in_(numbers)]
        connection.execute(delete(MARKS).where(*mine, *these))
