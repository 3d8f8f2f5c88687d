"""An open capture file: its packets, what dissects them, and what finds some of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from netmon_tui.domain.display_filter import Offer, check_text
from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.domain.packet_find import FindIn, Wanted
from netmon_tui.errors import ToolFailed, ToolMissing
from netmon_tui.runtime.display_filter import FilterRun, check_by_tshark
from netmon_tui.runtime.pcap_input import FilePart
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.dissected_packets import KNOWN_BEFORE, DissectedPackets
from netmon_tui.services.packet_finding import PacketFinder
from netmon_tui.tools.packet_parts import KNOWN_LINK_TYPES

_LINE = ("source", "destination", "protocol", "length", "info")
"""What something is found in where it is looked for in lines."""


class PacketList(DissectedPackets):
    """One open capture file.

    Args:
        path: The file.
        growing: As for the rows.
    """

    async def finder(self, wanted: Wanted, numbers: Sequence[int] | None = None) -> PacketFinder:
        """Return what finds packets by what is in them, among those of some numbers (ascending) or all that are
        indexed; raises InvalidInput for a pattern that cannot be understood.

        Lines are looked through in the words in which :meth:`worded` lists them.
        """
        columns = PacketColumns(_LINE, wanted.by_tshark)
        is_told = wanted.place is FindIn.LIST and await self._is_told(columns)
        told = partial(self._told, columns) if is_told else None
        return await self._alone(lambda: PacketFinder(self._index, wanted, numbers, told))

    async def _is_told(self, columns: PacketColumns) -> bool:
        """Whether the dissector is there and has to say something of lines of this file."""
        is_ours = not columns.by_tshark and self._index.header.linktype in KNOWN_LINK_TYPES
        if is_ours and not await self.has_keys():
            return False
        return bool(await asyncio.to_thread(find_tool, "sharkd"))

    async def _told(self, columns: PacketColumns, numbers: Sequence[int]) -> list[str]:
        lines = await self.lines(numbers, columns.keys)
        with suppress(ToolMissing, ToolFailed):  # then they are listed in our own words
            lines = await self.worded(lines, columns)
        return [" ".join(line.cells) for line in lines]

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

    async def matching_after(self, text: str, number: int) -> FilterRun:
        """Return what finds those among the packets that are indexed now and come after the one of a number.

        The dissector sees some packets before them too, of which it may have to put a message together.
        """
        return await self._alone(lambda: self._matching_part(text, number))

    def _matching_part(self, text: str, after: int) -> FilterRun:
        before, last = max(0, after - KNOWN_BEFORE), self._index.count
        start = self._index.offset(before + 1) if before < last else self._index.end
        part = FilePart(self.path, start, self._index.end)
        return FilterRun(part, text, before=before, after=after, last=last)
