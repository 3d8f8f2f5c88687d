"""Packets that a user has marked in a capture: kept for that user, and chosen for slices and exports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from netmon_tui.domain.capture_files import CAPTURE_NAME
from netmon_tui.domain.packet_mark import LONGEST_COMMENT, MOST_MARKS, PacketMark
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.security.hostile_text import plain_line
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.packet_mark_repository import PacketMarkRepository
from netmon_tui.tools.file_set import packet_files
from netmon_tui.tools.pcap_index import PacketIndex


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

    async def all(self) -> dict[int, str]:
        """Return the comments of the marked packets, by number, rising."""
        marks = await self._service.marks(self._actor, self._capture_id)
        return {mark.number: mark.comment for mark in marks}

    async def mark(self, number: int, comment: str | None = None) -> None:
        """Mark a packet, and say something of it."""
        await self._service.mark(self._actor, self._capture_id, [number], comment)

    async def unmark(self, number: int | None = None) -> None:
        """Take the mark of a packet away, or all."""
        numbers = None if number is None else [number]
        await self._service.unmark(self._actor, self._capture_id, numbers)


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
        """Return the actor's, by number; NotFound without the capture."""
        await asyncio.to_thread(self._captures.get, actor, capture_id)
        return await asyncio.to_thread(self._marks.marks, actor, capture_id)

    async def mark(
        self, actor: Actor, capture_id: int, numbers: Iterable[int], comment: str | None = None
    ) -> None:
        """Mark packets.

        Args:
            actor: Whose marks they become.
            capture_id: In which capture.
            numbers: Which packets, from 1.
            comment: What is said of them; None leaves what was said.

        Raises:
            NotFound: No such capture, or not the actor's.
            InvalidInput: No such packet, a comment that is none, or too many; nothing is marked.
        """
        wanted = sorted(set(numbers))
        said = None if comment is None else plain_line("the comment", comment, LONGEST_COMMENT)
        known = {mark.number: mark.comment for mark in await self.marks(actor, capture_id)}
        if len(wanted) > MOST_MARKS:
            raise InvalidInput(f"{len(wanted):,} packets are too many", why=f"{MOST_MARKS:,} are possible")
        await asyncio.to_thread(self._require_packets, actor, capture_id, wanted)
        marks = [PacketMark(number, known.get(number, "") if said is None else said) for number in wanted]
        if marks:
            await asyncio.to_thread(self._marks.put, actor, capture_id, marks)

    async def unmark(self, actor: Actor, capture_id: int, numbers: Iterable[int] | None = None) -> None:
        """Take the marks of some packets away, or all of the actor's; NotFound without the capture."""
        await asyncio.to_thread(self._captures.get, actor, capture_id)
        these = None if numbers is None else list(numbers)
        await asyncio.to_thread(self._marks.remove, actor, capture_id, these)

    def _require_packets(self, actor: Actor, capture_id: int, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        paths = packet_files(self._captures.directory(capture_id))
        capture = self._captures.get(actor, capture_id)
        if len(paths) > 1 or (capture.rotation.is_on and not capture.state.is_final):
            raise InvalidInput(
                f"the packets of capture {capture_id} cannot be marked",
                why="it has several files, or will have",
                fix="make a slice of the part first",
            )
        try:
            with PacketIndex(next(iter(paths), CAPTURE_NAME), growing=True) as index:
                index.extend(numbers[-1])
                count = index.count
        except FileNotFoundError as error:
            raise InvalidInput(f"capture {capture_id} has no file", why="nothing was written yet") from error
        missing = next((number for number in numbers if not 1 <= number <= count), None)
        if missing is not None:
            raise InvalidInput(f"there is no packet {missing}", why=f"the file has {count}")
