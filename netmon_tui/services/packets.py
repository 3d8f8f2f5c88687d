"""Looking into capture files: windows of the packet list and the field tree of one packet."""

from __future__ import annotations

import asyncio
from pathlib import Path

from netmon_tui.domain.packet import PacketDetail, PacketSummary
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NetmonError, NotFound
from netmon_tui.runtime.dissection import dissect_packet
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.packet_tree import describe
from netmon_tui.tools.pcap_index import PacketIndex

CAPTURE_NAME = "capture.pcap"
SLICE = 50_000
"""Packets indexed at once: 30 ms, so that nothing else waits long."""


class PacketList:
    """One open capture file. Blocking work runs in threads; one call at a time, as the index asks."""

    def __init__(self, path: Path) -> None:
        self._index = PacketIndex(path)
        self._lock = asyncio.Lock()

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
        async with self._lock:
            return await asyncio.to_thread(self._index.extend, packets)

    async def window(self, start: int, stop: int) -> list[PacketSummary]:
        """Return summaries of packets ``start`` to ``stop`` - 1, counted from 0."""
        async with self._lock:
            return await asyncio.to_thread(self._summaries, start, stop)

    def _summaries(self, start: int, stop: int) -> list[PacketSummary]:
        linktype = self._index.header.linktype
        first, last = start + 1, min(stop, self._index.count) + 1
        return [summarise(raw, linktype) for raw in self._index.window(first, last)]

    async def detail(self, number: int) -> PacketDetail:
        """Return one packet, counted from 1: fields by tshark where there is one, else our own few.

        Raises:
            NotFound: The file has no such packet.
        """
        async with self._lock:
            more = True
            while more and number > self._index.count:
                more = bool(await asyncio.to_thread(self._index.extend, SLICE))
            if not 1 <= number <= self._index.count:
                raise NotFound(f"no packet {number}: the file has {self._index.count}")
            raw = await asyncio.to_thread(self._index.read, number)
        header = self._index.header
        summary = summarise(raw, header.linktype)
        tshark = await asyncio.to_thread(find_tool, "tshark")
        if tshark is not None:
            try:
                layers = await dissect_packet(raw, header, tshark=tshark)
                return PacketDetail(summary, layers, bytes(raw.data), "tshark")
            except NetmonError:
                pass  # a dissector that fails is no reason to show nothing
        return PacketDetail(summary, describe(raw, header.linktype), bytes(raw.data), "built-in")

    async def close(self) -> None:
        """Release the file."""
        async with self._lock:
            self._index.close()


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
        await asyncio.to_thread(self._captures.get, actor, capture_id)
        path = await asyncio.to_thread(self._captures.directory, capture_id) / CAPTURE_NAME
        try:
            return await asyncio.to_thread(PacketList, path)
        except FileNotFoundError as error:
            raise InvalidInput(f"capture {capture_id} has no file", why="nothing was written yet") from error
