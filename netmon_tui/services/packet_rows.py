"""The packets of one open capture file as lines: numbered, found, and in chosen columns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from netmon_tui.domain.packet import PacketSummary
from netmon_tui.domain.packet_columns import PacketLine
from netmon_tui.domain.packet_place import Span, number_meant, parse_place
from netmon_tui.errors import NotFound
from netmon_tui.runtime.key_log import NO_KEYS, keys_stamp
from netmon_tui.services.kept_index import keep_index, open_index
from netmon_tui.tools.packet_columns import lines_of
from netmon_tui.tools.packet_summary import summarise

SLICE = 50_000
"""Packets indexed at once: 10 ms, so that nothing else waits long."""
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
        self.caught_up = False
        """Whether the index has been at the end of the file, which may have grown since."""
        self._lock = asyncio.Lock()

    @property
    def path(self) -> Path:
        """The file, which a ring may delete while it is open; what is read of it stays readable."""
        return self._index.path

    @property
    def nanoseconds(self) -> bool:
        """Whether the file has the times of its packets in nanoseconds."""
        return self._index.header.nanoseconds

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
        self.caught_up |= self.complete
        if not self._is_kept and not self.growing and self.complete:
            self._is_kept = True
            keep_index(self._index)
        return found

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
        header = index.header
        return lines_of(
            packets,
            header.linktype,
            keys,
            before=before,
            first=begin,
            nanoseconds=header.nanoseconds,
            interfaces=index.layout.interfaces,
            with_keys=keys_stamp(index.path) != NO_KEYS,
        )

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
