"""Finds where a record begins in the middle of a pcap file, by the form of record headers."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from netmon_tui.tools.pcap import RECORD_HEADER_SIZE, FileHeader

TRUSTED_AFTER = 65_536
"""Bytes over which records have to follow one another: more than a packet has, for a packet may contain a
capture file, whose records then end with it."""


class RecordFinder:
    """Finds beginnings of records among the bytes of a file.

    Args:
        header: Of the file.
        first: POSIX time in seconds before which no packet of it was captured.
        last: After which none was.
    """

    def __init__(self, header: FileHeader, first: float, last: float) -> None:
        self._header = header
        self._times = int(first), int(last)
        self._fractions = 1_000_000_000 if header.nanoseconds else 1_000_000
        upper = range(self._times[0] >> 16, (self._times[1] >> 16) + 1)
        self._upper = [struct.pack(f"{header.byte_order}H", one & 0xFFFF) for one in upper]
        """The upper halves of all times that are possible."""
        self._before = 2 if header.byte_order == "<" else 0
        """Bytes of a time before its upper half."""

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

    def _candidates(self, piece: bytes) -> Iterator[int]:
        for upper in self._upper:
            at = piece.find(upper, self._before, TRUSTED_AFTER)
            while at >= 0:
                yield at - self._before
                at = piece.find(upper, at + 1, TRUSTED_AFTER)

    def _follow(self, piece: bytes, begin: int, broken: set[int]) -> int | None:
        """Return where the first record after the distance begins, or None where the chain breaks.

        No header is looked at twice, or packets made for that would cost the square of their number.
        """
        unpack, largest, (first, last) = (
            self._header.record.unpack_from,
            self._header.largest_record,
            self._times,
        )
        at, end = begin, len(piece) - RECORD_HEADER_SIZE
        while at <= end and at not in broken:
            broken.add(at)
            seconds, fraction, captured, length = unpack(piece, at)
            if not (first <= seconds <= last and captured <= length and captured <= largest):
                return None
            if fraction >= self._fractions:
                return None
            if at - begin > TRUSTED_AFTER:
                return at
            at += RECORD_HEADER_SIZE + captured
        return None
