"""Packets that a user has marked in a capture: kept for that user, and chosen for slices and exports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from netmon_tui.domain.capture_files import file_number
from netmon_tui.domain.packet_mark import LONGEST_COMMENT, MOST_MARKS, PacketMark
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.security.hostile_text import plain_line
from netmon_tui.services.kept_index import open_index
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.packet_mark_repository import PacketMarkRepository
from netmon_tui.tools.file_set import file_gone, one_file, packet_files


class CaptureMarks:
    """The marks of one user in one capture; every call raises as that of the service.

    Args:
        service: Which keeps them.
        actor: Whose.
        capture_id: Where.
    """

    def __init__(self, service: PacketMarkService, actor: Actor, capture_id: int) -> None:
        self._service = service
        self._actor = actor
        self._capture_id = capture_id

    async def all(self) -> list[PacketMark]:
        """Return them, by file and number."""
        return await self._service.marks(self._actor, self._capture_id)

    async def mark(self, number: int, comment: str | None = None, *, file: str = "") -> None:
        """Mark a packet, and say something of it."""
        await self._service.mark(self._actor, self._capture_id, [number], comment, file=file)

    async def unmark(self, number: int | None = None, *, file: str = "") -> None:
        """Take the mark of a packet away, or all of all files."""
        numbers = None if number is None else [number]
        await self._service.unmark(self._actor, self._capture_id, numbers, file=file)


class PacketMarkService:
    """Whoever may see a capture may mark packets in it; nobody sees the marks of others.

    Args:
        captures, marks: Storage.
    """

    def __init__(self, captures: CaptureRepository, marks: PacketMarkRepository) -> None:
        self._captures = captures
        self._marks = marks

    def of(self, actor: Actor, capture_id: int) -> CaptureMarks:
        """Return the actor's marks in a capture."""
        return CaptureMarks(self, actor, capture_id)

    async def marks(self, actor: Actor, capture_id: int) -> list[PacketMark]:
        """Return the actor's, by file and number, without those in files that a ring has deleted.

        Raises:
            NotFound: No such capture, or not the actor's.
        """
        await asyncio.to_thread(self._captures.get, actor, capture_id)
        return await asyncio.to_thread(self._left, actor, capture_id)

    def _left(self, actor: Actor, capture_id: int) -> list[PacketMark]:
        marks = self._marks.marks(actor, capture_id)
        paths = packet_files(self._captures.directory(capture_id)) if marks else []
        oldest = file_number(paths[0].name) or 0 if paths else 0
        if marks and marks[0].file < oldest:
            self._marks.remove_before(capture_id, oldest)
        return [mark for mark in marks if mark.file >= oldest]

    async def mark(
        self,
        actor: Actor,
        capture_id: int,
        numbers: Iterable[int],
        comment: str | None = None,
        *,
        file: str = "",
    ) -> None:
        """Mark packets.

        Args:
            actor: Whose marks they become.
            capture_id: In which capture.
            numbers: Which packets of the file, from 1.
            comment: What is said of them; None leaves what was said.
            file: Its name, or its place in digits, from 1 for the oldest; empty for the newest.

        Raises:
            NotFound: No such capture, or not the actor's; or it has no such file.
            InvalidInput: No such packet, a comment that is none, or too many; nothing is marked.
        """
        wanted = sorted(set(numbers))
        said = None if comment is None else plain_line("the comment", comment, LONGEST_COMMENT)
        known = {(mark.file, mark.number): mark.comment for mark in await self.marks(actor, capture_id)}
        if len(wanted) > MOST_MARKS:
            raise InvalidInput(f"{len(wanted):,} packets are too many", why=f"{MOST_MARKS:,} are possible")
        place = await asyncio.to_thread(self._file_with, capture_id, file, wanted)
        marks = [
            PacketMark(number, known.get((place, number), "") if said is None else said, place)
            for number in wanted
        ]
        if marks:
            await asyncio.to_thread(self._marks.put, actor, capture_id, marks)

    async def unmark(
        self, actor: Actor, capture_id: int, numbers: Iterable[int] | None = None, *, file: str = ""
    ) -> None:
        """Take the marks of some packets of a file away, or all of the actor's; raises as :meth:`mark`."""
        await asyncio.to_thread(self._captures.get, actor, capture_id)
        if numbers is None:
            await asyncio.to_thread(self._marks.remove, actor, capture_id)
            return
        place = await asyncio.to_thread(self._file_with, capture_id, file, ())
        await asyncio.to_thread(self._marks.remove, actor, capture_id, place, list(numbers))

    def _file_with(self, capture_id: int, file: str, numbers: Sequence[int]) -> int:
        """Return the number of a file that has packets; blocks while they are looked for."""
        directory = self._captures.directory(capture_id)
        path = one_file(directory, file)
        try:
            with open_index(path, growing=True) as index:
                index.extend(max(0, max(numbers, default=0) - index.count))
                count = index.count
        except FileNotFoundError as error:
            raise file_gone(path.name, packet_files(directory)) from error
        missing = next((number for number in numbers if not 1 <= number <= count), None)
        if missing is not None:
            raise InvalidInput(f"there is no packet {missing}", why=f"the file has {count}")
        return file_number(path.name) or 0
