"""Where the packets of a capture file are, without reading what is in them.

Every 64th offset is kept (1.3 MB for ten million packets) and the rest are found again by hopping over at
most 63 record headers. The file is read in chunks and not mapped: a mapped file that somebody shortens ends
the program by SIGBUS, and its pages count as ours.
"""

from __future__ import annotations

import os
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from operator import sub
from pathlib import Path
from typing import NamedTuple

from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.tools.pcap import RECORD_HEADER_SIZE, RawPacket
from netmon_tui.tools.pcap_layout import layout_of
from netmon_tui.tools.pcap_open import OpenPcap

_CHUNK = 1024 * 1024
"""Bytes read at once: larger ones measured no faster."""
_PAGE = 64 * 1024
"""Bytes read at once for a few packets: a list's page and the way to it from a kept offset."""
_STRIDE = 64
"""Packets from one kept offset to the next."""
_SHORTEST = _STRIDE * RECORD_HEADER_SIZE
"""Fewest bytes of so many."""


class Found(NamedTuple):
    """How far the packets of a file are known."""

    packets: int
    """Whole ones."""
    end: int
    """Offset after the last of them."""
    samples: array[int]
    """Offsets of the first packet and of every 64th after it, the last of which may be the next to come."""


class PacketIndex(OpenPcap):
    """A pcap file opened for reading packets by number, growing with the file.

    One thread may call ``extend`` while others read: what ``count`` covers does not change any more.

    Args:
        path: The file.
        growing: The file is still being written, so a half record at its end is no damage.

    Raises:
        InvalidInput: Not a capture file of a kind that is stored.
        OSError: The file cannot be opened or read.
    """

    def __init__(self, path: str | Path, *, growing: bool = False) -> None:
        super().__init__(path)
        self.path = Path(path)
        self.growing = growing
        self._count = 0
        self._begin()
        self._absurd = ""
        self.recalled = 0
        """Packets that were known without looking for them."""
        self.stamp: os.stat_result | None = None
        """The file when its index was begun, or as long as it grows when it was last looked at."""

    def _begin(self) -> None:
        """Find where the first packet will be: before it comes, more interfaces may be described."""
        self.layout = layout_of(self._fd)
        self._captured_at = self.layout.rest
        self._end = self._file_size = len(self.layout.beginning)
        self._samples = array("Q", [self._end])

    @property
    def count(self) -> int:
        """How many whole packets have been found so far."""
        return self._count

    @property
    def end(self) -> int:
        """Offset after the last whole record found so far, in bytes."""
        return self._end

    @property
    def whole_end(self) -> int:
        """The same with what a file ends with: where more comes after that, something is cut."""
        return self.layout.end_of_file(self._fd, self._end, self._file_size)

    @property
    def file_size(self) -> int:
        """Bytes of the file when it was last looked at; ``end / file_size`` is the progress."""
        return self._file_size

    @property
    def complete(self) -> bool:
        """Whether the last ``extend`` reached the last whole record of the file."""
        return bool(self._absurd) or self._file_size - self._end < RECORD_HEADER_SIZE or self._tail_is_cut()

    @property
    def damage(self) -> str:
        """What is wrong after the last whole record and where, or an empty string."""
        # The file as it is now: since its end was found somebody may have cut it, and that end is no place in it
        size = self._file_size if self._fd < 0 else min(self._file_size, os.fstat(self._fd).st_size)
        if size < self._end and not self._absurd:
            return self._became_shorter()
        if self._absurd or self.growing or not self.complete or size == self.whole_end:
            return self._absurd
        rest = size - self._end
        return (
            f"packet {self._count + 1} at byte {self._end} is cut: only {rest} of its bytes are in the file"
        )

    def _became_shorter(self) -> str:
        return f"the file became shorter than the {self._end} bytes that were read of it"

    def _tail_is_cut(self) -> bool:
        header = os.pread(self._fd, RECORD_HEADER_SIZE, self._end)
        if len(header) < RECORD_HEADER_SIZE:
            return True
        length: int = self._captured_at(header, 0)[0]
        return self._end + RECORD_HEADER_SIZE + length > self._file_size

    def extend(self, max_packets: int | None = None) -> int:
        """Find more packets and return how many: all the file has now, or at most ``max_packets``."""
        before = self._count
        status = os.fstat(self._fd)
        if self.growing or self.stamp is None:
            self.stamp = status
        if not self._count and self.growing:
            self._begin()
        self._file_size = max(status.st_size, len(self.layout.beginning))
        if self._file_size < self._end:
            self._absurd = self._became_shorter()
        left = max_packets if max_packets is not None else self._file_size
        while left > 0 and not self._absurd:
            chunk = self._piece(self._end, _CHUNK)
            found = self._hop(chunk, left)
            if not found:
                break
            left -= found
        return self._count - before

    def found(self) -> Found:
        """Return what is known of the file, for :meth:`resume` of another one."""
        return Found(self._count, self._end, self._samples)

    def resume(self, found: Found) -> bool:
        """Begin with what was known of the file before; whether that fits it, as far as a look at its end tells."""
        count, end, samples = found
        if len(samples) != count // _STRIDE + 1 or samples[0] != len(self.layout.beginning):
            return False
        if min(map(sub, samples[1:], samples), default=_SHORTEST) < _SHORTEST:
            return False
        size = os.fstat(self._fd).st_size
        chunk, at = os.pread(self._fd, max(0, min(end, size) - samples[-1]), samples[-1]), 0
        for _ in range(count % _STRIDE):
            if at + RECORD_HEADER_SIZE > len(chunk):
                return False
            at += RECORD_HEADER_SIZE + self._captured(chunk, at)
        if samples[-1] + at != end or end > size:
            return False
        self._samples, self._end, self._file_size, self.recalled = samples, end, size, count
        self._count = count
        return True

    def _hop(self, chunk: bytes, most: int) -> int:
        """Hop over the records that begin in ``chunk``, which starts at ``_end``; return how many were whole.

        The loop that runs once per packet is :meth:`_leap`'s.
        """
        base, at = self._end, 0
        count = start = self._count
        stop = start + most
        last_header = len(chunk) - RECORD_HEADER_SIZE
        room = self._file_size - base - RECORD_HEADER_SIZE
        largest = self.layout.largest_rest
        while at <= last_header and count < stop:
            if not count % _STRIDE and stop - count >= _STRIDE and (after := self._leap(chunk, at, room)):
                at, count = after, count + _STRIDE
                self._samples.append(base + at)
                continue
            (captured,) = self._captured_at(chunk, at)
            if captured > largest:
                if trouble := self.layout.trouble(chunk, at):
                    self._absurd = f"packet {count + 1} at byte {base + at} {trouble}"
                break
            if at + captured > room:
                break
            at += RECORD_HEADER_SIZE + captured
            count += 1
            if not count % _STRIDE:
                self._samples.append(base + at)
        self._end = base + at
        self._count = count  # last: a reader in another thread trusts what it covers
        return count - start

    def _leap(self, chunk: bytes, at: int, room: int) -> int:
        """Return where a whole stride ends; 0 when its headers are not all in the chunk, or one is bad.

        This bounds the time to open a file: 0.1 us a packet, a third of a loop that looks at everything each time.
        """
        captured_at, largest = self._captured_at, self.layout.largest_rest
        try:
            for _ in range(_STRIDE):
                (captured,) = captured_at(chunk, at)
                if captured > largest:
                    return 0
                at += RECORD_HEADER_SIZE + captured
        except struct.error:
            return 0
        return at if at <= room + RECORD_HEADER_SIZE else 0

    def offset(self, number: int) -> int:
        """Return the offset of the record of packet ``number`` (from 1), in bytes.

        Raises:
            NotFound: No such packet (yet).
        """
        self._require(number)
        sample, hops = divmod(number - 1, _STRIDE)
        at = self._samples[sample]
        if hops:
            chunk = os.pread(self._fd, _PAGE, at)
            base = at
            for _ in range(hops):
                if at - base + RECORD_HEADER_SIZE > len(chunk):
                    chunk, base = os.pread(self._fd, _PAGE, at), at
                at += RECORD_HEADER_SIZE + self._captured(chunk, at - base)
        return at

    def _require(self, number: int) -> None:
        if not 1 <= number <= self._count:
            raise NotFound(f"There is no packet {number}", why=f"the file has {self._count}")

    def _captured(self, chunk: bytes, at: int) -> int:
        """Return how long the record at ``at`` is behind its first 16 bytes.

        Raises:
            InvalidInput: The header is not there any more: somebody cut the file.
        """
        if at + RECORD_HEADER_SIZE > len(chunk):
            raise became_shorter(self.path)
        length: int = self._captured_at(chunk, at)[0]
        return length

    def read(self, number: int) -> RawPacket:
        """Return packet ``number`` (from 1).

        Raises:
            NotFound: No such packet (yet).
            InvalidInput: The file became shorter since it was indexed.
        """
        self._require(number)
        return next(self.packets(number, number + 1))

    def window(self, start: int, stop: int) -> list[RawPacket]:
        """Return the packets numbered ``start`` (from 1) up to and without ``stop``, as far as they exist.

        Raises:
            InvalidInput: The file became shorter since it was indexed.
        """
        return list(self.packets(start, stop))

    def packets(self, start: int = 1, stop: int | None = None) -> Iterator[RawPacket]:
        """Yield the packets numbered ``start`` up to and without ``stop``, reading a chunk at a time.

        Raises:
            InvalidInput: The file became shorter since it was indexed.
        """
        first, last = max(start, 1), min(self._count + 1 if stop is None else stop, self._count + 1)
        if first >= last:
            return
        at = base = self.offset(first)
        chunk = os.pread(self._fd, _PAGE, base)
        for number in range(first, last):
            if at - base + RECORD_HEADER_SIZE > len(chunk):
                chunk, base = os.pread(self._fd, _PAGE, at), at
            size = RECORD_HEADER_SIZE + self._captured(chunk, at - base)
            if at - base + size > len(chunk):
                chunk, base = os.pread(self._fd, max(_PAGE, size), at), at
            yield self._packet(number, chunk[at - base : at - base + size], size)
            at += size

    def _packet(self, number: int, record: bytes, size: int) -> RawPacket:
        if len(record) < size:
            raise became_shorter(self.path)
        return self.layout.packet(number, record)

    def first_since(self, nanoseconds: int) -> int:
        """Return the number of the first packet at or after a POSIX time; one more than there are when none is.

        A binary search, which reads some twenty headers. Where packets are not in the order of their times it
        finds one that is not before the time and whose predecessor is.
        """
        numbers = range(1, self._count + 1)
        return 1 + bisect_left(numbers, nanoseconds, key=lambda number: self.read(number).nanoseconds)

    def first_and_last_time(self) -> tuple[float, float] | None:
        """Return the POSIX times of the first and the last packet found so far, or None without packets."""
        return (self.read(1).time, self.read(self._count).time) if self._count else None


def became_shorter(path: Path) -> InvalidInput:
    """Return the error for a file of which somebody cut off what was there when it was indexed."""
    return InvalidInput(
        "The capture file became shorter while it was read",
        why=str(path),
        fix="open the capture again to see what is left of it",
    )
