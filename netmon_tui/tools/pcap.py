"""Classic pcap files: the header of the file, the header of a record, and how both are written.

Format: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/. Both byte orders, micro- and nanoseconds.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.link_layers import ETHERNET, largest_packet, link_type_name

FILE_HEADER_SIZE = 24
RECORD_HEADER_SIZE = 16

_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", False),
    b"\xa1\xb2\xc3\xd4": (">", False),
    b"\x4d\x3c\xb2\xa1": ("<", True),
    b"\xa1\xb2\x3c\x4d": (">", True),
}
_FOREIGN = {
    b"\x0a\x0d\x0d\x0a": "this is a pcapng file",
    b"\x34\xcd\xb2\xa1": "this is a pcap file in Kuznetzov's variant",
    b"\xa1\xb2\xcd\x34": "this is a pcap file in Kuznetzov's variant",
    b"\x1f\x8b\x08\x00": "this file is compressed",
    b"\x1f\x8b\x08\x08": "this file is compressed",
}
_CONVERT = "convert it with: editcap -F pcap OLD NEW"
_LINKTYPE_MASK = 0x03FF_FFFF
"""The upper bits say how long the frame check sequence is."""


@dataclass(frozen=True, slots=True)
class FileHeader:
    """The first 24 bytes of a pcap file."""

    byte_order: str
    """``<`` or ``>``, as ``struct`` spells them."""
    nanoseconds: bool
    """Whether the fraction of a time is in nanoseconds and not in microseconds."""
    snaplen: int
    linktype: int
    """LINKTYPE number, without the bits about the frame check sequence."""
    data: bytes
    """The header as it was read, so that a slice of the file gets the same one."""

    @property
    def linktype_name(self) -> str:
        """The link type as tcpdump names it, such as ``EN10MB``."""
        return link_type_name(self.linktype)

    @property
    def largest_record(self) -> int:
        """Captured bytes above which a record is damage."""
        return largest_packet(self.linktype)

    @property
    def record(self) -> struct.Struct:
        """Layout of a record header: seconds, fraction, captured length, length on the wire."""
        return struct.Struct(f"{self.byte_order}IIII")


class RawPacket(NamedTuple):
    """One record of a file."""

    number: int
    """From 1, as Wireshark counts."""
    nanoseconds: int
    """POSIX time in nanoseconds, so that copying a packet loses nothing."""
    length: int
    """Bytes on the wire."""
    data: bytes
    """The captured bytes, which may be fewer."""
    interface: int = 0
    """Place of its interface among those of a pcapng file."""

    @property
    def time(self) -> float:
        """POSIX time in seconds."""
        return self.nanoseconds / 1e9

    @property
    def captured(self) -> int:
        """How many bytes were captured."""
        return len(self.data)


def read_header(data: bytes) -> FileHeader:
    """Read the header of a file from its first 24 bytes (more are ignored).

    Raises:
        InvalidInput: Not a pcap file, one that was cut inside its header, or another format.
    """
    magic = data[:4]
    if not data:
        raise InvalidInput("This is not a pcap file", why="it is empty")
    if magic in _FOREIGN:
        raise InvalidInput("Only classic pcap files can be read", why=_FOREIGN[magic], fix=_CONVERT)
    if magic not in _MAGICS:
        raise InvalidInput("This is not a pcap file", why="its first four bytes are not a pcap magic number")
    if len(data) < FILE_HEADER_SIZE:
        raise InvalidInput(
            "This is not a whole pcap file", why=f"its header has only {len(data)} of 24 bytes"
        )
    order, nanoseconds = _MAGICS[magic]
    major, minor, _, _, snaplen, network = struct.unpack_from(f"{order}HHiIII", data, 4)
    if (major, minor) < (2, 4) or major > 2:
        raise InvalidInput(
            "Only classic pcap files can be read", why=f"this one has version {major}.{minor}", fix=_CONVERT
        )
    return FileHeader(order, nanoseconds, snaplen, network & _LINKTYPE_MASK, data[:FILE_HEADER_SIZE])


def make_header(
    linktype: int = ETHERNET, *, snaplen: int = 262_144, byte_order: str = "<", nanoseconds: bool = False
) -> FileHeader:
    """Return the header of a new file."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    return read_header(struct.pack(f"{byte_order}IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype))


def pack_record(header: FileHeader, packet: RawPacket) -> bytes:
    """Return a packet as a record of a file with this header."""
    seconds, nanoseconds = divmod(packet.nanoseconds, 1_000_000_000)
    fraction = nanoseconds if header.nanoseconds else nanoseconds // 1000
    seconds = min(seconds, 0xFFFF_FFFF)  # the fraction of a damaged record may have carried over
    return header.record.pack(seconds, fraction, len(packet.data), packet.length) + packet.data
