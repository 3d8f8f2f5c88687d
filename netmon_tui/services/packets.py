"""Looking into capture files: windows of the packet list and the field tree of one packet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from netmon_tui.domain.display_filter import Offer, check_text, depends_on_window
from netmon_tui.domain.packet import PacketDetail, PacketSummary
from netmon_tui.domain.packet_columns import Dissected, PacketLine
from netmon_tui.domain.packet_place import Span, number_meant, parse_place
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NetmonError, NotFound
from netmon_tui.runtime.display_filter import FilterRun, check_by_tshark
from netmon_tui.runtime.packet_dissector import PacketDissector
from netmon_tui.services.kept_index import keep_index, open_index
from netmon_tui.services.packet_columns import PacketColumnService
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.file_set import one_file, packet_files
from netmon_tui.tools.packet_columns import lines_of
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.packet_tree import describe
from netmon_tui.tools.pcap import RawPacket

SLICE = 50_000
"""Packets indexed at once: 10 ms, so that nothing else waits long."""
OF_WHOLE_FILE = "(whole file)"
"""What stands in place of a value that only a dissector of the whole file knows."""
Result = TypeVar("Result")


class PacketRows:
    """The packets of one open capture file as lines.

    Blocking work runs in threads, one call at a time, as the index asks.

    Args:
        path: The file.
        growing: It is still being written, so that a half record at its end is no damage; may change later.
    """

    def __init__(self, path: Path, *, growing: bool = False) -> None:
        self._index = open_index(path, growing=growing)
        self._is_kept = False
        self._lock = asyncio.Lock()

    @property
    def path(self) -> Path:
        """The file, which a ring may delete while it is open; what is read of it stays readable."""
        return self._index.path

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
        return await self._alone(lambda: self._extend(packets))

    def _extend(self, packets: int) -> int:
        found = self._index.extend(packets)
        if not self._is_kept and not self.growing and self.complete:
            self._is_kept = True
            keep_index(self._index)
        return found

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

    async def lines(self, numbers: Sequence[int], keys: Sequence[str]) -> list[PacketLine]:
        """Return the lines of some packets with chosen columns; consecutive ones cost least."""
        return await self._alone(
            lambda: [line for first, after in _runs(numbers) for line in self._lines(first, after, keys)]
        )

    def _lines(self, first: int, after: int, keys: Sequence[str]) -> Iterator[PacketLine]:
        index = self._index
        packets = index.packets(max(1, first - 1), min(after, index.count + 1))
        before = next(packets, None) if first > 1 else None
        begin = index.read(1).nanoseconds if index.count else 0
        return lines_of(packets, index.header.linktype, keys, before=before, first=begin)

    async def find(self, text: str, here: int = 1) -> int:
        """Return the number of the packet that a place means; the rest of the file is indexed if need be.

        Args:
            text: As :func:`~netmon_tui.domain.packet_place.parse_place` takes it. A time means the first packet
                at or after it, or the last one.
            here: Number of the packet that offsets count from.

        Raises:
            InvalidInput: It is no place.
            NotFound: There are no packets.
        """
        return min(await self._find_place(text, here), self.count)

    async def find_part(self, since: str, until: str, most: int | None = None) -> range:
        """Return the numbers of the packets from one place to another, as far as there are any.

        Args:
            since: Place of the first; empty for the first of the file.
            until: Place of the last: packets at that time belong to the part, a distance counts from the first.
                Empty for the last of the file.
            most: Without ``until`` no more than so many are looked for; None for all.

        Raises:
            InvalidInput: One is no place.
            NotFound: There are no packets.
        """
        first = await self._find_place(since, 1) if since else 1
        if until:
            return range(first, await self._find_place(until, first, last=True) + 1)
        while (most is None or self.count < first - 1 + most) and await self.extend():
            pass
        return range(first, min(self.count, self.count if most is None else first - 1 + most) + 1)

    async def _find_place(self, text: str, here: int, *, last: bool = False) -> int:
        number = number_meant(text)
        while not 0 < number <= self.count and await self.extend():
            pass
        return await self._alone(lambda: self._place(text, here, last))

    def _place(self, text: str, here: int, last: bool) -> int:
        index = self._index
        if not index.count:
            raise NotFound("there are no packets")
        here = min(max(here, 1), index.count)
        first, end, now = (index.read(number).nanoseconds for number in (1, index.count, here))
        place = parse_place(text, Span(index.count, first, end, here, now))
        if place.number:
            return place.number
        return index.first_since(place.nanoseconds + last) - last

    async def search(self, numbers: Sequence[int], wanted: Callable[[PacketSummary], bool]) -> list[int]:
        """Return those of some numbers (from 1, consecutive ones cost least) whose summary is wanted."""
        return [summary.number for summary in await self.pick(numbers) if wanted(summary)]

    def _summaries(self, first: int, after: int) -> list[PacketSummary]:
        linktype = self._index.header.linktype
        return [summarise(raw, linktype) for raw in self._index.packets(first, after)]

    async def close(self) -> None:
        """Release the file, after what is being read of it; what is known of one that grows is kept."""
        await self._alone(self._close)

    def _close(self) -> None:
        if self.growing:
            keep_index(self._index)
        self._index.close()

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

    async def dissected(self, number: int, fields: Sequence[str]) -> dict[int, Dissected]:
        """Return what the dissector says of a packet, and of those near it, in a list.

        Fields that depend on what the dissector knows are not told before it knows the whole file.

        Raises:
            ToolMissing, ToolFailed: There is no sharkd, or it could not do it.
            NotFound: There is no such packet.
        """
        raw = await self._alone(lambda: self._index.read(number))
        found = await self._dissector.columns(raw, fields)
        hidden = [
            at for at, field in enumerate(fields) if depends_on_window(field) or field == "frame.number"
        ]
        if self.knows_whole or not hidden:
            return found
        return {number: _without(one, hidden) for number, one in found.items()}

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
        try:
            await self._dissector.load_whole(self._index.end)
        except FileNotFoundError as error:
            raise NotFound(f"{self.path.name} is gone", why="the ring has deleted it") from error

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


def _without(one: Dissected, hidden: Sequence[int]) -> Dissected:
    shown = (OF_WHOLE_FILE if at in hidden else value for at, value in enumerate(one.fields))
    return one._replace(fields=tuple(shown))


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
        captures: Where they are.
        columns: Which columns each user wants to see of them.
    """

    def __init__(self, captures: CaptureRepository, columns: PacketColumnService) -> None:
        self._captures = captures
        self.columns = columns

    async def open(self, actor: Actor, capture_id: int, file: str = "") -> PacketList:
        """Open a file of a capture, also while it runs.

        Args:
            actor: Who looks.
            capture_id: At which capture.
            file: Its name, or its place in digits, from 1 for the oldest; empty for the newest.

        Raises:
            NotFound: No such capture, or not the actor's; or it has no such file.
            InvalidInput: It has no file yet, or it is no capture file.
        """
        capture = await asyncio.to_thread(self._captures.get, actor, capture_id)
        directory = await asyncio.to_thread(self._captures.directory, capture_id)
        growing = not capture.state.is_final
        try:
            return await asyncio.to_thread(lambda: PacketList(one_file(directory, file), growing=growing))
        except FileNotFoundError as error:
            raise InvalidInput("the ring has deleted the file", fix="open another one") from error

    async def file_set(self, actor: Actor, capture_id: int) -> tuple[Path, ...]:
        """Return the files that a capture has now, the oldest first; NotFound when it is not the actor's."""
        await asyncio.to_thread(self._captures.get, actor, capture_id)
        directory = await asyncio.to_thread(self._captures.directory, capture_id)
        return tuple(await asyncio.to_thread(packet_files, directory))

    async def check_filter(self, text: str) -> str:
        """Return a display filter without outer spaces, checked without a capture; raises as that of one."""
        plain = check_text(text)
        await asyncio.to_thread(check_by_tshark, plain)
        return plain
