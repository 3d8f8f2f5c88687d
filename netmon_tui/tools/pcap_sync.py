"""Finds where a record begins in the middle of a capture file, by the form of record headers or of blocks."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from netmon_tui.domain.packet_place import NANOSECONDS
from netmon_tui.tools.pcap import RECORD_HEADER_SIZE, FileHeader
from netmon_tui.tools.pcap_layout import SMALLEST_BLOCK, PcapngLayout, RecordLayout
from netmon_tui.tools.pcapng import PACKET

TRUSTED_AFTER = 65_536
"""Bytes over which records have to follow one another: more than a packet has, for a packet may contain a
capture file, whose records then end with it."""


HEAD_SIZE = 28
"""Bytes of a record or a packet's block that tell whether it may be one: of a block kind, size, interface, time and
both lengths."""
_SLACK_SECONDS = 2
"""By which the times of packets may go back, or be ahead of ours."""


class _Finder:
    """Finds beginnings of records among the bytes of a file."""

    _HEAD = 0
    """Bytes of a record that have to be there to be looked at."""

    def find(self, piece: bytes) -> int | None:
        """Return an offset in a piece of the file where a record surely begins; None without one.

        It is after :data:`TRUSTED_AFTER` bytes of records that follow one another.
        """
        broken: set[int] = set()
        for begin in self._candidates(piece):
            at = self._follow(piece, begin, broken)
            if at is not None:
                return at
        return None

    def _follow(self, piece: bytes, begin: int, broken: set[int]) -> int | None:
        """Return where the first record after the distance begins, or None where the chain breaks.

        No header is looked at twice, or packets made for that would cost the square of their number.
        """
        at, end = begin, len(piece) - self._HEAD
        while at <= end and at not in broken:
            broken.add(at)
            after = self._after(piece, at)
            if after is None or at - begin > TRUSTED_AFTER:
                return None if after is None else at
            at = after
        return None

    def _candidates(self, piece: bytes) -> Iterator[int]:
        """Yield where records may begin."""
        raise NotImplementedError

    def _after(self, piece: bytes, at: int) -> int | None:
        """Return where what looks like a record there ends; None where it cannot be one."""
        raise NotImplementedError


class RecordFinder(_Finder):
    """Finds records of classic pcap.

    Args:
        header: Of the file.
        first: POSIX time in seconds before which no packet of it was captured.
        last: After which none was.
    """

    _HEAD = RECORD_HEADER_SIZE

    def __init__(self, header: FileHeader, first: float, last: float) -> None:
        self._unpack = header.record.unpack_from
        self._largest = header.largest_record
        self._times = int(first), int(last)
        self._fractions = 1_000_000_000 if header.nanoseconds else 1_000_000
        upper = range(self._times[0] >> 16, (self._times[1] >> 16) + 1)
        self._upper = [struct.pack(f"{header.byte_order}H", one & 0xFFFF) for one in upper]
        """The upper halves of all times that are possible."""
        self._before = 2 if header.byte_order == "<" else 0
        """Bytes of a time before its upper half."""

    def _candidates(self, piece: bytes) -> Iterator[int]:
        for upper in self._upper:
            at = piece.find(upper, self._before, TRUSTED_AFTER)
            while at >= 0:
                yield at - self._before
                at = piece.find(upper, at + 1, TRUSTED_AFTER)

    def _after(self, piece: bytes, at: int) -> int | None:
        seconds, fraction, captured, length = self._unpack(piece, at)
        first, last = self._times
        if not (first <= seconds <= last and captured <= length and captured <= self._largest):
            return None
        return None if fraction >= self._fractions else at + RECORD_HEADER_SIZE + int(captured)


class BlockFinder(_Finder):
    """Finds the blocks of packets in pcapng: kind, interface, time, and a size that stands at both ends.

    Args:
        layout: Of the file.
        first, last: As for records.
    """

    _HEAD = HEAD_SIZE

    def __init__(self, layout: PcapngLayout, first: float, last: float) -> None:
        order = layout.header.byte_order
        self._unpack = struct.Struct(f"{order}7I").unpack_from
        self._size = struct.Struct(f"{order}I").unpack_from
        self._kind = struct.pack(f"{order}I", PACKET)
        self._layout = layout
        self._largest = layout.largest_rest + RECORD_HEADER_SIZE
        self._times = int(first * NANOSECONDS), int(last * NANOSECONDS)

    def _candidates(self, piece: bytes) -> Iterator[int]:
        at = piece.find(self._kind, 0, TRUSTED_AFTER)
        while at >= 0:
            yield at
            at = piece.find(self._kind, at + 1, TRUSTED_AFTER)

    def _after(self, piece: bytes, at: int) -> int | None:
        kind, size, interface, _, _, captured, length = self._unpack(piece, at)
        after: int = at + size
        if kind != PACKET or size % 4 or not SMALLEST_BLOCK + captured <= size <= self._largest:
            return None
        if after > len(piece) or self._size(piece, after - 4)[0] != size:
            return None
        first, last = self._times
        if interface >= len(self._layout.interfaces) or captured > length:
            return None
        return after if first <= self._layout.when(piece, at) <= last else None


def finder_after(layout: RecordLayout, head: bytes, now: float) -> RecordFinder | BlockFinder | None:
    """Return what finds records after one whose first bytes are given; None where that has no time to go by.

    Args:
        layout: Of the file.
        head: The first bytes of the record, :data:`HEAD_SIZE` or fewer at the end of the file.
        now: POSIX time in seconds.
    """
    if isinstance(layout, PcapngLayout):
        if len(head) < HEAD_SIZE or layout.rest(head, 0)[0] > layout.largest_rest:
            return None
    elif len(head) < RECORD_HEADER_SIZE:
        return None
    seconds = layout.when(head, 0) // NANOSECONDS
    if seconds > now + _SLACK_SECONDS:
        return None
    times = seconds - _SLACK_SECONDS, now + _SLACK_SECONDS
    if isinstance(layout, PcapngLayout):
        return BlockFinder(layout, *times)
    return RecordFinder(layout.header, *times)
