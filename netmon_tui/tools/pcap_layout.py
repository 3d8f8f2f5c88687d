"""How the packets of a stored capture file follow one another: records of classic pcap, or blocks of pcapng.

Both are taken as records of 16 bytes and a rest, of which a :data:`Rest` says how long it is: it is all
that an index needs. Of pcapng that is what dumpcap writes (one section, all interfaces before the packets, of one
link type and clock); other pcapng files are made classic ones when they come in.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from netmon_tui.domain.packet_place import NANOSECONDS
from netmon_tui.errors import InvalidInput
from netmon_tui.tools import pcapng
from netmon_tui.tools.pcap import (
    FILE_HEADER_SIZE,
    RECORD_HEADER_SIZE,
    FileHeader,
    RawPacket,
    make_header,
    pack_record,
    read_header,
)

_LOOKED_AT = 256 * 1024
"""Bytes in which all interfaces are described."""
_BEFORE = 12
"""Bytes of a packet's block before what looks like the 16 bytes of a classic record."""
SMALLEST_BLOCK = 32
"""Bytes of a packet's block without a packet."""
_ROOM_FOR_OPTIONS = 4096
_NO_PACKET = 1 << 62
"""Rest of what is no packet's block: longer than any file."""


Rest = Callable[[bytes, int], tuple[Any, ...]]
"""Takes a chunk and where a record begins in it, returns how many bytes the record has behind its first 16; raises
struct.error when these are not all in the chunk."""


class RecordLayout:
    """Classic pcap, and what both kinds of files have.

    Args:
        header: Of the file, or of the classic one that its packets could be written to.
    """

    interfaces: tuple[str, ...] = ()
    """Names of the interfaces that packets are of, not to be trusted; none in a classic file."""

    def __init__(self, header: FileHeader) -> None:
        self.header = header
        self.beginning = header.data
        """What comes before the packets, and before any part of them that is to be a file."""
        self.largest_rest = header.largest_record
        """Bytes above which the rest of a record is damage."""
        self.rest: Rest = struct.Struct(f"{header.byte_order}8xI4x").unpack_from
        """How long a record is behind its first 16 bytes."""
        self._unpack = header.record.unpack_from
        self._scale = 1 if header.nanoseconds else 1000

    def packet(self, number: int, record: bytes) -> RawPacket:
        """Return a record as the packet of a number."""
        seconds, fraction, _, length = self._unpack(record)
        nanoseconds = seconds * NANOSECONDS + fraction * self._scale  # once for each packet: no call
        return RawPacket(number, nanoseconds, length, record[RECORD_HEADER_SIZE:])

    def pack(self, packet: RawPacket) -> bytes:
        """Return a packet as a record."""
        return pack_record(self.header, packet)

    def when(self, chunk: bytes, at: int) -> int:
        """Return the POSIX time in nanoseconds of the record there."""
        seconds, fraction, _, _ = self._unpack(chunk, at)
        nanoseconds: int = seconds * NANOSECONDS + fraction * self._scale
        return nanoseconds

    def trouble(self, chunk: bytes, at: int) -> str:
        """Return why the record there, whose rest is too long, is none; empty when packets may end there."""
        captured = self.rest(chunk, at)[0]
        return f"claims {captured} captured bytes, more than the {self.largest_rest} that are possible"

    def end_of_file(self, descriptor: int, at: int, size: int) -> int:
        """Return where what belongs to an open file of some bytes ends, given where its last packet does."""
        return at


class PcapngLayout(RecordLayout):
    """pcapng as dumpcap writes it.

    Args:
        start: The first bytes of a file.

    Raises:
        InvalidInput: No interface is described there, or they have different link types or clocks.
    """

    def __init__(self, start: bytes) -> None:
        order, found, end = pcapng.read_beginning(start)
        if not found:
            raise InvalidInput("This is not a whole pcapng file", why="it describes no interface")
        first = found[0]
        if any(
            (one.linktype, one.resolution, one.offset) != (first.linktype, first.resolution, 0)
            for one in found
        ):
            raise InvalidInput(
                "the interfaces of this pcapng file have different link types or clocks", fix="import it"
            )
        snaplen = max(one.snaplen for one in found)
        header = make_header(first.linktype, snaplen=snaplen, byte_order=order, nanoseconds=True)
        super().__init__(header)
        self.beginning = start[:end]
        self.interfaces = tuple(one.name for one in found)
        self.largest_rest = header.largest_record + SMALLEST_BLOCK + _ROOM_FOR_OPTIONS
        self._resolution = first.resolution
        self.rest = self._rest
        self._kind_and_size = struct.Struct(f"{order}II8x").unpack_from
        self._unpack = struct.Struct(f"{order}8xIIIII").unpack_from

    def _rest(self, chunk: bytes, at: int) -> tuple[int]:
        kind, size = self._kind_and_size(chunk, at)
        return (
            size - RECORD_HEADER_SIZE if kind == pcapng.PACKET and size >= SMALLEST_BLOCK else _NO_PACKET,
        )

    def packet(self, number: int, record: bytes) -> RawPacket:
        """Return a block as the packet of a number."""
        interface, _, _, captured, length = self._unpack(record)
        data = record[_BEFORE + RECORD_HEADER_SIZE : _BEFORE + RECORD_HEADER_SIZE + captured]
        return RawPacket(number, self.when(record, 0), length, data, interface)

    def pack(self, packet: RawPacket) -> bytes:
        """Return a packet as a block."""
        return pcapng.pack_block(self.header, packet)

    def when(self, chunk: bytes, at: int) -> int:
        """Return the POSIX time in nanoseconds of the block there."""
        _, high, low, _, _ = self._unpack(chunk, at)
        units, parts = self._resolution
        nanoseconds: int = (high << 32 | low) * units // parts
        return nanoseconds

    def trouble(self, chunk: bytes, at: int) -> str:
        """Return why the block there is no packet's; empty when it may stand around the packets."""
        kind, size = self._kind_and_size(chunk, at)
        if kind in (
            pcapng.STATISTICS,
            pcapng.INTERFACE,
        ):  # of an interface that is half described nothing is known
            return ""
        return f"is no packet but a block of kind {kind} and {size} bytes"

    def end_of_file(self, descriptor: int, at: int, size: int) -> int:
        """Return where the last whole block of statistics ends."""
        while len(head := os.pread(descriptor, RECORD_HEADER_SIZE, at)) == RECORD_HEADER_SIZE:
            kind, length = self._kind_and_size(head)
            if kind != pcapng.STATISTICS or length < RECORD_HEADER_SIZE or at + length > size:
                break
            at += length
        return at

    def as_records(self, chunk: bytes) -> tuple[bytes, int]:
        """Return the packets of a part of the file as classic records, and how many bytes of the part those were.

        The times in them are none.
        """
        kind_and_size, unpack, records, at = self._kind_and_size, self._unpack, [], 0
        last = len(chunk) - SMALLEST_BLOCK
        while at <= last:
            kind, size = kind_and_size(chunk, at)
            if kind not in _PASSED or size < RECORD_HEADER_SIZE or at + size > len(chunk):
                break
            if kind == pcapng.PACKET:
                captured = unpack(chunk, at)[3]
                if captured > size - SMALLEST_BLOCK:
                    break
                begin = at + _BEFORE
                records.append(chunk[begin : begin + RECORD_HEADER_SIZE + captured])
            at += size
        return b"".join(records), at

    def refusal(self, chunk: bytes) -> str:
        """Return why :meth:`as_records` takes nothing of a part; empty when a block is only half there."""
        if len(chunk) < RECORD_HEADER_SIZE:
            return ""
        (rest,) = self.rest(chunk, 0)
        if rest > self.largest_rest:
            trouble = self.trouble(chunk, 0)
            return f"what follows {trouble}" if trouble else ""
        captured = self._unpack(chunk, 0)[3] if len(chunk) >= SMALLEST_BLOCK else 0
        possible = captured <= rest + RECORD_HEADER_SIZE - SMALLEST_BLOCK
        return "" if possible else f"a packet of {captured} bytes is not possible"


_PASSED = frozenset((pcapng.PACKET, pcapng.STATISTICS, pcapng.INTERFACE))


def layout_of(descriptor: int) -> RecordLayout:
    """Return the layout of an open file.

    Raises:
        InvalidInput: It is no capture file, or its beginning is not all there.
        OSError: It cannot be read.
    """
    head = os.pread(descriptor, FILE_HEADER_SIZE, 0)
    if head[:4] == pcapng.MAGIC:
        return PcapngLayout(os.pread(descriptor, _LOOKED_AT, 0))
    return RecordLayout(read_header(head))


def layout_for(header: FileHeader, names: tuple[str, ...] = ()) -> RecordLayout:
    """Return the layout of a new file: a classic one, or pcapng with interfaces of these names."""
    if not names:
        return RecordLayout(header)
    return PcapngLayout(pcapng.begin_section(replace(header, nanoseconds=True), names))
