"""Finding packets by what is in them: in their bytes and lines by ourselves, in their field trees with tshark.

Lines that are listed in the dissector's words are looked through in these.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice, takewhile

from netmon_tui.domain.packet_find import Batch, FindIn, Match, Wanted
from netmon_tui.errors import NetmonError
from netmon_tui.runtime.key_log import kept_keys
from netmon_tui.runtime.packet_dissector import SERVED
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.runtime.tshark import TsharkRun
from netmon_tui.tools.packet_pattern import PacketPattern
from netmon_tui.tools.packet_search import PacketSearch
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.tshark_statistics import key_options
from netmon_tui.tools.tshark_text import TreeReader, tree_command

_GATHER_SECONDS = 0.05
"""Between two looks at what tshark's trees brought."""
_MOST_PLACES = 1_000
"""Places in one packet that are shown."""
_PLACES_SECONDS = 0.5
"""So long they are looked for."""
Told = Callable[[Sequence[int]], Awaitable[list[str]]]
"""Brings the lines of some packets as the dissector tells them."""


class PacketFinder:
    """One search through the packets that are indexed of a file. Blocks while it is made.

    Args:
        index: The file; nobody may extend it while this is made.
        wanted: What is looked for.
        numbers: The packets that count, ascending; all when None.
        told: Brings lines that we cannot make alone; None where we can.

    Raises:
        InvalidInput: The pattern cannot be understood.
    """

    def __init__(
        self,
        index: PacketIndex,
        wanted: Wanted,
        numbers: Sequence[int] | None = None,
        told: Told | None = None,
    ) -> None:
        self._pattern = PacketPattern(wanted)
        self._search = PacketSearch(index, self._pattern, wanted.place, numbers)
        self._path = index.path
        self._told = told
        self.wanted = wanted
        """What is looked for."""
        self.count = index.count
        """Packets that are looked through."""
        self.asks_dissector = told is not None
        """Whether each of them is looked at by the dissector first, which takes longer."""

    def batches(self, start: int = 1) -> AsyncGenerator[Batch, None]:
        """Yield what is found, from about packet ``start`` to the last and on from the first; close it to end it.

        In field trees it always goes from the first to the last: tshark knows a packet by those before.

        Raises:
            InvalidInput: The file became shorter.
            ToolMissing, ToolFailed: Field trees need tshark.
            OSError: The file cannot be read.
        """
        if self.wanted.place is FindIn.TREE:
            return self._in_trees()
        return self._in_blocks(start) if self._told is None else self._in_told(start, self._told)

    def begins_at(self, start: int) -> int:
        """Return where a search from ``start`` on really begins."""
        if self.wanted.place is FindIn.TREE:
            return 1
        return next(self._search.blocks(start), (1, 1))[0]

    def places(self, data: bytes) -> list[range]:
        """Return where in the bytes of a packet the pattern is, the first places; nowhere when it is not for bytes.

        Blocks for a packet that is large.
        """
        if self.wanted.place is not FindIn.BYTES:
            return []
        end = time.monotonic() + _PLACES_SECONDS
        found = takewhile(lambda _: time.monotonic() < end, self._pattern.find_all(data))
        return [range(*span) for span in islice(found, _MOST_PLACES)]

    def is_in_field(self, label: str) -> bool:
        """Whether the pattern is in a line of the field tree, where that is what is looked through."""
        return self.wanted.place is FindIn.TREE and self._pattern.is_in(label)

    async def _in_blocks(self, start: int) -> AsyncGenerator[Batch, None]:
        try:
            for block in self._search.blocks(start):
                yield await asyncio.to_thread(self._search.look, block)
        finally:
            self._search.stop()

    async def _in_told(self, start: int, told: Told) -> AsyncGenerator[Batch, None]:
        """Look through lines in the dissector's words, as many at once as one question to it brings."""
        search, is_in = self._search, self._pattern.is_in
        for first, after in search.blocks(start):
            while first < after:
                end = min(after, (first - 1) // SERVED * SERVED + SERVED + 1)
                numbers = [number for number in range(first, end) if search.counts(number)]
                lines = zip(numbers, await told(numbers), strict=True) if numbers else ()
                yield Batch(first, end, [Match(number) for number, line in lines if is_in(line)])
                first = end

    async def _in_trees(self) -> AsyncGenerator[Batch, None]:
        tshark = await asyncio.to_thread(require_tool, "tshark")
        keys = await asyncio.to_thread(kept_keys, self._path)
        reader, run = TreeReader(self._pattern), TsharkRun(self._path)
        running = asyncio.create_task(
            run.read(lambda path: (*tree_command(tshark), *key_options(path)), reader, keys)
        )
        try:
            done = False
            while not done:
                await asyncio.wait({running}, timeout=_GATHER_SECONDS)
                if done := running.done():
                    await running
                    reader.end()
                for batch in reader.take_batches():
                    yield self._counted(batch)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, NetmonError, OSError):
                await running

    def _counted(self, batch: Batch) -> Batch:
        """Leave out what does not count, or came after the search was begun."""
        counts = self._search.counts
        matches = [match for match in batch.matches if match.number <= self.count and counts(match.number)]
        return Batch(batch.first, min(batch.after, self.count + 1), matches)
