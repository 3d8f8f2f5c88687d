"""Looking into capture files: windows of the packet list and the field tree of one packet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from netmon_tui.domain.capture import CAPTURE_NAME
from netmon_tui.domain.packet import PacketDetail, PacketSummary
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NetmonError, NotFound
from netmon_tui.runtime.dissection import dissect_packet
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.packet_tree import describe
from netmon_tui.tools.pcap import RawPacket
from netmon_tui.tools.pcap_index import PacketIndex

SLICE = 50_000
"""Packets indexed at once: 30 ms, so that nothing else waits long."""
Result = TypeVar("Result")


class PacketList:
    """One open capture file. Blocking work runs in threads, one call at a time, as the index asks.

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

    async def search(self, start: int, stop: int, wanted: Callable[[PacketSummary], bool]) -> list[int]:
        """Return the numbers of the packets ``start`` to ``stop`` - 1 (from 1) whose summary is wanted."""
        return await self._alone(
            lambda: [summary.number for summary in self._summaries(start, stop) if wanted(summary)]
        )

    def _summaries(self, first: int, after: int) -> list[PacketSummary]:
        linktype = self._index.header.linktype
        return [summarise(raw, linktype) for raw in self._index.packets(first, after)]

    async def sketch(self, number: int) -> PacketDetail:
        """Return one packet (from 1) at once, with the few fields we decode ourselves; NotFound without it."""
        raw = await self._alone(lambda: self._index.read(number))
        return self._built_in(raw)

    async def detail(self, number: int) -> PacketDetail:
        """Return one packet, counted from 1: fields by tshark where there is one, else our own few.

        Raises:
            NotFound: The file has no such packet.
        """
        raw = await self._alone(lambda: self._find(number))
        tshark = await asyncio.to_thread(find_tool, "tshark")
        if tshark is None:
            return self._built_in(raw)
        header = self._index.header
        try:
            layers = await dissect_packet(raw, header, tshark=tshark)
        except NetmonError:
            return self._built_in(raw)  # a dissector that fails is no reason to show nothing
        return PacketDetail(summarise(raw, header.linktype), layers, bytes(raw.data), "tshark")

    def _find(self, number: int) -> RawPacket:
        while number > self._index.count and self._index.extend(SLICE):
            pass
        if not 1 <= number <= self._index.count:
            raise NotFound(f"no packet {number}: the file has {self._index.count}")
        return self._index.read(number)

    def _built_in(self, raw: RawPacket) -> PacketDetail:
        linktype = self._index.header.linktype
        return PacketDetail(summarise(raw, linktype), describe(raw, linktype), bytes(raw.data), "built-in")

    async def close(self) -> None:
        """Release the file, after what is being read of it."""
        await self._alone(self._index.close)

    async def _alone(self, work: Callable[[], Result]) -> Result:
        """Run blocking work in a thread, alone; a caller that is cancelled leaves it to its end."""
        return await asyncio.shield(asyncio.ensure_future(self._locked(work)))

    async def _locked(self, work: Callable[[], Result]) -> Result:
        async with self._lock:
            return await asyncio.to_thread(work)


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
    """Opens capture files for those who may see them."""

    def __init__(self, captures: CaptureRepository) -> None:
        self._captures = captures

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
