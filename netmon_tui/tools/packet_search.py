"""Looking for a pattern in the packets of a pcap file: in their bytes at the speed of the disk, or in their lines.

The file is read in blocks of whole records. A block in whose bytes a row of bytes is nowhere is done without a look
at its records; only where it is somewhere do the records say in which packet, and headers do not count. Expressions
are looked for in some records at a time, so that they can be stopped between them.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from netmon_tui.domain.packet_find import Batch, FindIn, Match
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.packet_pattern import PacketPattern
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.pcap import RECORD_HEADER_SIZE, RawPacket
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.pcap_layout import PcapngLayout

_STEP = 64
"""Blocks begin at packets whose offset the index keeps."""
_BLOCK = 4 << 20
"""Bytes of a block, where so many packets of 64 are not more."""
_BLOCK_PACKETS = 32_768
_GROUP = 64 << 10
"""Bytes of records in which an expression is looked for at once, where it may reach across packets."""
_LINES = 2_048
"""Packets of a block whose lines are made: some 20 ms."""


class PacketSearch:
    """One search through what is indexed of a file, block by block, each at any time and in any thread.

    Args:
        index: The file; nobody may extend it while this is made.
        pattern: What is looked for.
        place: In the bytes, or in the lines of the list.
        numbers: The packets that count, ascending; all when None.
    """

    def __init__(
        self, index: PacketIndex, pattern: PacketPattern, place: FindIn, numbers: Sequence[int] | None
    ) -> None:
        self._index = index
        # A descriptor of its own: the file may be deleted, and the index closed, while this looks
        self._file = os.fdopen(os.dup(index.fileno()), "rb", buffering=0)
        self._pattern = pattern
        self._in_lines = place is FindIn.LIST
        self._numbers = numbers
        self._count = index.count
        self._end = index.end
        self._stopped = False

    def stop(self) -> None:
        """Let a block that is being looked through in another thread end early; what it finds is not whole."""
        self._stopped = True

    def blocks(self, start: int) -> Iterator[tuple[int, int]]:
        """Yield blocks, as first packet and the one after the last: that of packet ``start``, and on around."""
        begin = max(1, start - (start - 1) % _STEP)
        yield from self._blocks(begin, self._count + 1)
        yield from self._blocks(1, begin)

    def _blocks(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        while first < end:
            after = first + (_LINES if self._in_lines else _BLOCK_PACKETS)
            while after - first > _STEP and self._offset(after) - self._offset(first) > _BLOCK:
                after = first + max(_STEP, (after - first) // 2)
            after = min(after, end)
            yield first, after
            first = after

    def _offset(self, number: int) -> int:
        return self._index.offset(number) if number <= self._count else self._end

    def look(self, block: tuple[int, int]) -> Batch:
        """Look through a block.

        Raises:
            InvalidInput: The file became shorter.
            OSError: It cannot be read.
        """
        first, after = block
        if self._numbers is not None and not self._some_between(first, after):
            return Batch(first, after, ())
        data = self._read(first, after)
        if not self._in_lines and self._pattern.is_plain and self._pattern.find(data) is None:
            return Batch(first, after, ())
        return Batch(first, after, list(self._matches(data, first)))

    def _some_between(self, first: int, after: int) -> bool:
        assert self._numbers is not None
        at = bisect_left(self._numbers, first)
        return at < len(self._numbers) and self._numbers[at] < after

    def _read(self, first: int, after: int) -> bytes:
        begin, end = self._offset(first), self._offset(after)
        data = os.pread(self._file.fileno(), end - begin, begin)
        if len(data) < end - begin:
            raise InvalidInput("The capture file became shorter while it was read", why=str(self._index.path))
        layout = self._index.layout
        return layout.as_records(data)[0] if isinstance(layout, PcapngLayout) else data

    def _matches(self, data: bytes, first: int) -> Iterator[Match]:
        ends = self._ends(data)
        if self._in_lines:
            yield from self._in_line_of(data, first, ends)
        elif self._pattern.is_plain:
            yield from self._plain(data, first, ends)
        else:
            yield from self._each(data, first, ends)

    def _ends(self, data: bytes) -> list[int]:
        """Return where each record ends."""
        unpack, ends, at = self._index.header.record.unpack_from, [], 0
        while at < len(data):
            at += RECORD_HEADER_SIZE + unpack(data, at)[2]
            ends.append(at)
        return ends

    def _plain(self, data: bytes, first: int, ends: list[int]) -> Iterator[Match]:
        """Find what has one length in the block as a whole."""
        at = 0
        while found := self._pattern.find(data, at):
            row = bisect_right(ends, found[0])
            begin = (ends[row - 1] if row else 0) + RECORD_HEADER_SIZE
            if found[0] < begin or found[1] > ends[row]:
                at = max(begin, found[0] + 1)
                continue
            at = ends[row]
            if self.counts(first + row):
                yield Match(first + row, found[0] - begin, found[1] - found[0])

    def _each(self, data: bytes, first: int, ends: list[int]) -> Iterator[Match]:
        """Find what may be of any length in each packet by itself, where some packets have it together."""
        row = before = 0
        while row < len(ends) and not self._stopped:
            after = max(row + 1, bisect_right(ends, before + _GROUP))
            if not self._pattern.is_free or self._pattern.find(data, before, ends[after - 1]) is not None:
                yield from self._group(data, before, first + row, ends[row:after])
            row, before = after, ends[after - 1]

    def _group(self, data: bytes, before: int, first: int, ends: list[int]) -> Iterator[Match]:
        for number, end in enumerate(ends, first):
            begin, before = before + RECORD_HEADER_SIZE, end
            if self._stopped:
                return
            if self.counts(number) and (found := self._pattern.find(data[begin:end])):
                yield Match(number, found[0], found[1] - found[0])

    def _in_line_of(self, data: bytes, first: int, ends: list[int]) -> Iterator[Match]:
        header, before = self._index.header, 0
        for number, end in enumerate(ends, first):
            begin, before = before + RECORD_HEADER_SIZE, end
            if self._stopped:
                return
            if self.counts(number):
                length = header.record.unpack_from(data, begin - RECORD_HEADER_SIZE)[3]
                raw = RawPacket(number, 0, length, data[begin:end])
                if self._pattern.is_in(" ".join(map(str, summarise(raw, header.linktype)[2:]))):
                    yield Match(number)

    def counts(self, number: int) -> bool:
        """Whether a packet is among those that are looked through."""
        return self._numbers is None or self._some_between(number, number + 1)
