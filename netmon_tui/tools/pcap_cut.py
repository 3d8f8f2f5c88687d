"""Parts of pcap files: which packets, and their records at copying speed; several files as one in time order."""

from __future__ import annotations

import heapq
import itertools
import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from netmon_tui.tools.pcap import RECORD_HEADER_SIZE, RawPacket
from netmon_tui.tools.pcap_index import PacketIndex, became_shorter
from netmon_tui.tools.pcap_layout import RecordLayout
from netmon_tui.tools.pcap_open import open_packets

_CHUNK = 1 << 20
"""Bytes read at once."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which packets of a file are wanted: those that meet everything that is said."""

    first: int = 1
    """Number of the first packet, from 1."""
    last: int | None = None
    """Number of the last packet."""
    since: int | None = None
    """POSIX time in nanoseconds."""
    until: int | None = None
    """POSIX time in nanoseconds, still wanted."""
    numbers: Sequence[int] | None = None
    """Only these, ascending."""
    wanted: Callable[[bytes], bool] | None = None
    """Says of a packet's bytes whether it is wanted."""

    @property
    def is_range(self) -> bool:
        """Whether nothing is said but numbers from where to where."""
        return all(part is None for part in (self.since, self.until, self.numbers, self.wanted))

    def after(self, packets: int) -> Cut:
        """Return the same for a file whose first packet comes after so many of another file."""
        numbers = self.numbers
        if numbers is not None:
            numbers = array("Q", (number - packets for number in numbers[bisect_right(numbers, packets) :]))
        last = None if self.last is None else self.last - packets
        return replace(self, first=self.first - packets, last=last, numbers=numbers)


class Piece(NamedTuple):
    """Whole records that follow one another in the file."""

    records: bytes
    packets: int


def pieces(index: PacketIndex, cut: Cut) -> Iterator[Piece]:
    """Yield the records of the wanted packets, in the order of the file, a chunk at most at a time.

    Args:
        index: Extended as far as the packets are wanted.
        cut: Which.

    Raises:
        InvalidInput: The file became shorter since it was indexed.
    """
    first, last = max(cut.first, 1), index.count if cut.last is None else min(index.count, cut.last)
    if first > last:
        return
    end = index.offset(last + 1) if last < index.count else index.end
    descriptor = open_packets(index.path)
    try:
        if cut.is_range:
            passed = yield from _copy(descriptor, index.offset(first), end, last - first + 1)
        else:
            passed = yield from _Sieve(index.layout, cut, first).pieces(descriptor, index.offset(first), end)
        if passed < end:
            raise became_shorter(index.path)
    finally:
        os.close(descriptor)


def _copy(descriptor: int, at: int, end: int, packets: int) -> Generator[Piece, None, int]:
    """Yield a run of bytes, whose packets are all counted with the first piece; return where it ended."""
    while at < end and (chunk := os.pread(descriptor, min(_CHUNK, end - at), at)):
        yield Piece(chunk, packets)
        at, packets = at + len(chunk), 0
    return at


class _Sieve:
    """Looks at record after record.

    Args:
        layout: Of the file.
        cut: What is wanted.
        number: Of the first record that it will see.
    """

    def __init__(self, layout: RecordLayout, cut: Cut, number: int) -> None:
        self._layout = layout
        self._since = 0 if cut.since is None else cut.since
        self._until = 1 << 64 if cut.until is None else cut.until
        self._timed = cut.since is not None or cut.until is not None
        self._wanted = cut.wanted
        self._numbers = cut.numbers
        self._next = bisect_left(cut.numbers, number) if cut.numbers is not None else 0
        self._number = number

    def pieces(self, descriptor: int, at: int, end: int) -> Generator[Piece, None, int]:
        """Yield what is wanted of a part of the file that holds whole records; return where it ended."""
        size = _CHUNK
        while at < end and (chunk := os.pread(descriptor, min(size, end - at), at)):
            passed, found = self._look_through(chunk)
            yield from found
            size = _CHUNK if passed else size * 2
            if not passed and len(chunk) < size // 2:
                break  # the file became shorter
            at += passed
        return at

    def _look_through(self, chunk: bytes) -> tuple[int, list[Piece]]:
        """Return how many bytes whole records took, and the wanted ones among them."""
        found: list[Piece] = []
        begin, count, at, last = 0, 0, 0, len(chunk) - RECORD_HEADER_SIZE
        rest_of = self._layout.rest
        while at <= last:
            (rest,) = rest_of(chunk, at)
            after = at + RECORD_HEADER_SIZE + rest
            if after > len(chunk):
                break
            if self._keeps(chunk, at, after):
                count += 1
            else:
                if count:
                    found.append(Piece(chunk[begin:at], count))
                begin, count = after, 0
            self._number += 1
            at = after
        if count:
            found.append(Piece(chunk[begin:at], count))
        return at, found

    def _keeps(self, chunk: bytes, at: int, after: int) -> bool:
        if self._numbers is not None:
            if self._next >= len(self._numbers) or self._numbers[self._next] != self._number:
                return False
            self._next += 1
        if self._timed and not self._since <= self._layout.when(chunk, at) <= self._until:
            return False
        return self._wanted is None or self._wanted(self._layout.packet(0, chunk[at:after]).data)


def packets_of(layout: RecordLayout, found: Iterator[Piece]) -> Iterator[RawPacket]:
    """Yield the packets of pieces, numbered from 1; a record that a piece has only in part is put together."""
    rest, number = b"", 0
    for piece in found:
        data, at = rest + piece.records, 0
        while at + RECORD_HEADER_SIZE <= len(data):
            after = at + RECORD_HEADER_SIZE + layout.rest(data, at)[0]
            if after > len(data):
                break
            number += 1
            yield layout.packet(number, data[at:after])
            at = after
        rest = data[at:]


def merged(indexes: Sequence[PacketIndex], layout: RecordLayout) -> Iterator[Piece]:
    """Yield the records of several files in time order; files that follow one another are only copied.

    Packets of one file keep their order, as mergecap keeps it, also where that is not the order of their times. Of
    equal times those of the first file come first.

    Args:
        indexes: Extended to their ends.
        layout: Of the file that they become; its clock is not coarser than any of theirs. Packets of a file
            without interfaces are of its first one.
    """
    filled = sorted((one for one in indexes if one.count), key=lambda one: one.read(1).nanoseconds)
    alike = all(_is_same(one.layout, layout) for one in filled)
    if alike and all(_is_before(one, following) for one, following in itertools.pairwise(filled)):
        for one in filled:
            yield from pieces(one, Cut())
        return
    streams = [_stream(one, n) for n, one in enumerate(indexes)]
    places = [_places(one.layout, layout) for one in indexes]
    batch, count, size = [], 0, 0
    for _, n, raw in heapq.merge(*streams, key=lambda item: item[:2]):
        record = layout.pack(raw._replace(interface=places[n].get(raw.interface, 0)))
        batch.append(record)
        count, size = count + 1, size + len(record)
        if size >= _CHUNK:
            yield Piece(b"".join(batch), count)
            batch, count, size = [], 0, 0
    yield Piece(b"".join(batch), count)


def _is_before(one: PacketIndex, following: PacketIndex) -> bool:
    """Whether no packet of a file is later than the first one of the other; looks at all of them."""
    first = following.read(1).nanoseconds
    if one.read(one.count).nanoseconds > first:
        return False  # mostly the last one tells
    return not any(pieces(one, Cut(since=first + 1)))


def _stream(index: PacketIndex, place: int) -> Iterator[tuple[int, int, RawPacket]]:
    return ((raw.nanoseconds, place, raw) for raw in index.packets())


def _is_same(one: RecordLayout, other: RecordLayout) -> bool:
    """Whether the records of a file can be copied into another."""
    if one.interfaces or other.interfaces:
        return one.beginning == other.beginning
    return (one.header.byte_order, one.header.nanoseconds) == (
        other.header.byte_order,
        other.header.nanoseconds,
    )


def _places(one: RecordLayout, merged: RecordLayout) -> dict[int, int]:
    """Return which interface of the merged file each of a file is."""
    return {at: merged.interfaces.index(name) for at, name in enumerate(one.interfaces) if merged.interfaces}
