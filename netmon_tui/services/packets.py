"""Looking into capture files: windows of the packet list and the field tree of one packet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from netmon_tui.domain.capture import CAPTURE_NAME
from netmon_tui.domain.display_filter import Offer, check_text
from netmon_tui.domain.packet import PacketDetail, PacketSummary
from netmon_tui.domain.packet_find import Wanted
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NetmonError, NotFound
from netmon_tui.runtime.display_filter import FilterRun, check_by_tshark
from netmon_tui.runtime.packet_dissector import PacketDissector
from netmon_tui.services.packet_finding import PacketFinder
from netmon_tui.services.packet_marks import PacketMarkService
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.packet_mark_repository import PacketMarkRepository
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.packet_tree import describe
from netmon_tui.tools.pcap import RawPacket
from netmon_tui.tools.pcap_index import PacketIndex

SLICE = 50_000
"""Packets indexed at once: 30 ms, so that nothing else waits long."""
Result = TypeVar("Result")


class PacketRows:
    """The packets of one open capture file as lines.

    Blocking work runs in threads, one call at a time, as the index asks.

    Args:
        path: The file.
        growing: It is still being written, so that a half record at its end is no damage; may change later.
    """

    def __init__(self, path: Path, *, growing: bool = False) -> None:
        self._index = PacketIndex(path, growing=growing)
        self._lock = asyncio.Lock()

    @property
    def growing(self) -> bool:
        """Whether the file is still being written."""
        return self._index.growing

    @growing.setter
    def growing(self, value: bool) -> None:
        self._index.growing = value

    @property
    def count(self) -> int:
        """Packets indexed so far."""
        return self._index.count

    @property
    def complete(self) -> bool:
        """Whether the index has reached the end of the file as it is now."""
        return self._index.complete

    @property
    def progress(self) -> float:
        """Part of the file that is indexed, 0 to 1."""
        return min(1.0, self._index.end / self._index.file_size) if self._index.file_size else 1.0

    @property
    def damage(self) -> str:
        """What is wrong with the file after its last whole packet; empty when nothing is."""
        return self._index.damage

    async def extend(self, packets: int = SLICE) -> int:
        """Index the next packets; return how many there were."""
        return await self._alone(lambda: self._index.extend(packets))

    async def window(self, start: int, stop: int) -> list[PacketSummary]:
        """Return summaries of packets ``start`` to ``stop`` - 1, counted from 0."""
        return await self._alone(lambda: self._summaries(start + 1, min(stop, self._index.count) + 1))

    async def pick(self, numbers: Sequence[int]) -> list[PacketSummary]:
        """Return summaries of some packets by number, from 1; consecutive ones cost least."""
        return await self._alone(
            lambda: [
                summary
                for first, after in _runs(numbers)
                for summary in self._summaries(first, min(after, self._index.count + 1))
            ]
        )

    async def search(self, numbers: Sequence[int], wanted: Callable[[PacketSummary], bool]) -> list[int]:
        """Return those of some numbers (from 1, consecutive ones cost least) whose summary is wanted."""
        return [summary.number for summary in await self.pick(numbers) if wanted(summary)]

    async def finder(self, wanted: Wanted, numbers: Sequence[int] | None = None) -> PacketFinder:
        """Return what finds packets by what is in them, among those of some numbers (ascending) or all that are
        indexed; raises InvalidInput for a pattern that cannot be understood.
        """
        return await self._alone(lambda: PacketFinder(self._index, wanted, numbers))

    def _summaries(self, first: int, after: int) -> list[PacketSummary]:
        linktype = self._index.header.linktype
        return [summarise(raw, linktype) for raw in self._index.packets(first, after)]

    async def close(self) -> None:
        """Release the file, after what is being read of it."""
        await self._alone(self._index.close)

    async def _alone(self, work: Callable[[], Result]) -> Result:
        """Run blocking work in a thread, alone; a caller that is cancelled leaves it to its end."""
        return await asyncio.shield(asyncio.ensure_future(self._locked(work)))

    async def _locked(self, work: Callable[[], Result]) -> Result:
        async with self._lock:
            return await asyncio.to_thread(work)


class PacketList(PacketRows):
    """One open capture file with what dissects its packets.

    Args:
        path: The file.
        growing: As for the rows.
    """

    def __init__(self, path: Path, *, growing: bool = False) -> None:
        super().__init__(path, growing=growing)
        self._dissector = PacketDissector(path, self._index.header, self._cut)

    async def warm_up(self) -> None:
        """Start what dissects packets, so that the first detail need not wait for that."""
        await self._dissector.warm_up()

    async def sketch(self, number: int) -> PacketDetail:
        """Return one packet (from 1) at once, with the few fields we decode ourselves; NotFound without it."""
        raw = await self._alone(lambda: self._index.read(number))
        return self._built_in(raw)

    async def detail(self, number: int) -> PacketDetail:
        """Return one packet, counted from 1: fields by sharkd or tshark where there is one, else our own few.

        Raises:
            NotFound: The file has no such packet.
        """
        raw = await self._alone(lambda: self._find(number))
        try:
            layers, dissector, window = await self._dissector.dissect(raw)
        except (NetmonError, OSError):
            return self._built_in(raw)  # a dissector that fails is no reason to show nothing
        if window == (1, self.count) and self.complete and not self.growing:
            window = None
        summary = summarise(raw, self._index.header.linktype)
        return PacketDetail(summary, layers, bytes(raw.data), dissector, window)

    def _find(self, number: int) -> RawPacket:
        while number > self._index.count and self._index.extend(SLICE):
            pass
        if not 1 <= number <= self._index.count:
            raise NotFound(f"no packet {number}: the file has {self._index.count}")
        return self._index.read(number)

    def _built_in(self, raw: RawPacket) -> PacketDetail:
        linktype, alone = self._index.header.linktype, (raw.number, raw.number)
        layers = describe(raw, linktype)
        return PacketDetail(summarise(raw, linktype), layers, bytes(raw.data), "built-in", alone)

    async def _cut(self, first: int, after: int, most: int) -> Sequence[RawPacket]:
        return await self._alone(lambda: self._window_of(first, after, most))

    def _window_of(self, first: int, after: int, most: int) -> Sequence[RawPacket]:
        last = min(after - 1, self._index.count)
        if first > last or self._index.offset(last) - self._index.offset(first) > most:
            return []
        return self._index.window(first, last + 1)

    # the whole file

    @property
    def knows_whole(self) -> bool:
        """Whether the dissector has loaded the whole file, as it was then."""
        return self._dissector.knows_whole

    @property
    def whole_progress(self) -> float:
        """How far the dissector has loaded the whole file, 0 to 1."""
        return self._dissector.progress

    async def load_whole(self) -> None:
        """Let the dissector load the whole file, so that it counts streams and joins packets over all of it.

        It takes some 17 s and 700 MB for a million packets; whoever is cancelled stops it.

        Raises:
            ToolMissing: sharkd is not installed.
            ToolFailed: It cannot load the file.
            DiskFull: There is no room for the copy that it reads.
        """
        while await self.extend():
            pass
        await self._dissector.load_whole(self._index.end)

    # display filters

    async def check_filter(self, text: str) -> str:
        """Return a display filter without outer spaces.

        Raises:
            InvalidInput: It is wrong, in the dissector's words.
            ToolMissing: There is no dissector.
        """
        plain = check_text(text)
        if plain and not await self._dissector.check(plain):
            await asyncio.to_thread(check_by_tshark, plain)
        return plain

    async def complete_filter(self, beginning: str) -> list[Offer]:
        """Return names of fields that begin so, without a dot those of protocols; none without sharkd."""
        return await self._dissector.complete(beginning) if beginning else []

    def matching(self, text: str) -> FilterRun:
        """Return what finds the packets that meet a display filter, in the file as it is when that begins."""
        return FilterRun(self._index.path, text)

    async def close(self) -> None:
        """End what dissects, and release the file."""
        await self._dissector.close()
        await super().close()


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield consecutive numbers as (first, one after the last)."""
    first = after = -1
    for number in numbers:
        if number != after:
            if after > first:
                yield first, after
            first = number
        after = number + 1
    if after > first:
        yield first, after


class PacketService:
    """Opens capture files for those who may see them.

    Args:
        captures, marks: Storage.
    """

    def __init__(self, captures: CaptureRepository, marks: PacketMarkRepository) -> None:
        self._captures = captures
        self.marks = PacketMarkService(captures, marks)
        """The packets that users have marked."""

    async def open(self, actor: Actor, capture_id: int) -> PacketList:
        """Open a capture, also while it runs.

        Raises:
            NotFound: No such capture, or not the actor's.
            InvalidInput: Its file is not there yet, or no capture file.
        """
        capture = await asyncio.to_thread(self._captures.get, actor, capture_id)
        path = await asyncio.to_thread(self._captures.directory, capture_id) / CAPTURE_NAME
        try:
            return await asyncio.to_thread(partial(PacketList, path, growing=not capture.state.is_final))
        except FileNotFoundError as error:
            raise InvalidInput(f"capture {capture_id} has no file", why="nothing was written yet") from error

    async def check_filter(self, text: str) -> str:
        """Return a display filter without outer spaces, checked without a capture; raises as that of one."""
        plain = check_text(text)
        await asyncio.to_thread(check_by_tshark, plain)
        return plain
