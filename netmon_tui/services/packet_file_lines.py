"""Lines of packets out of the files of a capture, such as those that a search through all of them found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from netmon_tui.domain.packet_columns import PacketColumns, PacketLine
from netmon_tui.domain.user import Actor
from netmon_tui.errors import ToolFailed, ToolMissing
from netmon_tui.services.packet_list import PacketList
from netmon_tui.services.packets import PacketService


class PacketFileLines:
    """Reads lines; the file that was asked last stays open, for its index grows with what is asked of it.

    Args:
        packets: Opens files.
        actor: Who asks.
        capture_id: Whose files.
    """

    def __init__(self, packets: PacketService, actor: Actor, capture_id: int) -> None:
        self._packets = packets
        self._actor = actor
        self._capture_id = capture_id
        self._opened: PacketList | None = None
        self._name = ""
        self._lock = asyncio.Lock()

    async def read(self, file: str, numbers: Sequence[int], keys: Sequence[str]) -> list[PacketLine]:
        """Return the lines of some packets of a file, rising, with chosen columns in our own words.

        Raises:
            NotFound, InvalidInput: As :meth:`PacketService.open`.
        """
        async with self._lock:
            return await self._read(file, numbers, keys)

    async def told(self, file: str, numbers: Sequence[int], columns: PacketColumns) -> list[PacketLine]:
        """Return the same with what only the dissector can say of them, in our own words where it fails.

        Where TLS keys are kept it is shown the whole file: what opens a packet may stand far before it.

        Raises:
            NotFound, InvalidInput: As :meth:`PacketService.open`.
        """
        async with self._lock:
            lines = await self._read(file, numbers, columns.keys)
            opened = await self._open(file)
            with suppress(ToolMissing, ToolFailed):
                lines = await opened.worded(lines, columns, whole=await opened.has_keys())
            return lines

    async def _read(self, file: str, numbers: Sequence[int], keys: Sequence[str]) -> list[PacketLine]:
        opened = await self._open(file)
        while opened.count < numbers[-1] and await opened.extend():
            pass
        return await opened.lines(numbers, keys)

    async def _open(self, file: str) -> PacketList:
        if self._opened is None or self._name != file:
            await self._release()
            self._opened, self._name = await self._packets.open(self._actor, self._capture_id, file), file
        return self._opened

    async def close(self) -> None:
        """Close what is open, once nobody reads it."""
        async with self._lock:
            await self._release()

    async def _release(self) -> None:
        before, self._opened = self._opened, None
        if before is not None:
            await before.close()
