"""The list of packets kept up with a file that grows, or that is not indexed yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from netmon_tui.services.packet_list import PacketList
from netmon_tui.ui.widgets.packet_list import PacketSource

FLOOD = 500
"""Packets from one look to the next that nobody can read."""
PATIENCE_SECONDS = 0.05
"""For so long the first slice is waited for, so that it is painted with the figures above it: twice costs twice."""


class PacketGrowth:
    """Indexes what is new, a slice at a time.

    Args:
        packets: The file.
        source: The list of its packets.
        follows: Whether the list is shown at its end.
    """

    def __init__(self, packets: PacketList, source: PacketSource, follows: Callable[[], bool]) -> None:
        self._packets = packets
        self._source = source
        self._follows = follows
        self._grown = False
        """Whether the file may have grown since the index was begun."""
        self._indexing = False
        self._advanced = asyncio.Event()
        """Set once a slice is indexed."""
        self._looked_at = 0
        """Packets there were at the last look."""
        self._left_out = False
        """Whether the last look was."""

    @property
    def indexing(self) -> bool:
        """Whether :meth:`index` is at work, or about to be begun."""
        return self._indexing

    def note(self, *, growing: bool) -> bool:
        """Say that there may be more; return whether :meth:`index` is to be begun for that.

        Args:
            growing: Whether the file is still being written.
        """
        if growing and self._may_wait():
            return False
        has_more = growing or self._packets.growing or not self._packets.complete
        self._packets.growing = growing
        self._grown |= has_more
        if not has_more or self._indexing:
            return False
        self._indexing = True
        self._advanced.clear()
        return True

    def _may_wait(self) -> bool:
        """Whether rows go by faster than anybody reads: then every other look is enough."""
        before, self._looked_at = self._looked_at, self._packets.count
        is_flood = self._packets.complete and self._packets.count - before > FLOOD
        self._left_out = is_flood and not self._left_out
        return self._left_out

    async def index(self) -> None:
        """Index all that there is; once that was done, of a file that is being written no more than a slice.

        Raises:
            NetmonError, OSError: The file cannot be read.
        """
        try:
            while self._grown:
                self._grown = False
                while await self._source.advance(follows=self._follows()):
                    self._advanced.set()
                    if self._packets.growing and self._packets.caught_up:
                        break  # the rest with the next look: a flood may outrun the list, never take the processor
        finally:
            self._indexing = False
            self._advanced.set()

    async def advanced(self) -> None:
        """Wait for the first slice, a moment at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._advanced.wait()
