"""The line that the decoders of packets fill in, and how they read numbers and addresses.

The readers raise ``struct.error`` or ``IndexError`` when the bytes end too early; ``packet_summary`` turns
either into "truncated" and keeps what the line had become by then.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

_U16 = struct.Struct(">H").unpack_from
_U32 = struct.Struct(">I").unpack_from
_ETHER = struct.Struct("6s").unpack_from
_IPV4 = struct.Struct("4s").unpack_from
_IPV6 = struct.Struct("16s").unpack_from


@dataclass(slots=True)
class Line:
    """What is known of a packet; each layer overwrites what the layer above it knows better."""

    source: str = ""
    destination: str = ""
    protocol: str = "Unknown"
    info: str = ""
    cut: bool = False
    """Fewer bytes were captured than were on the wire."""
    hops: int = 0
    """TTL or hop limit, for ICMP's words."""
    fragment: bool = False
    """Set by IPv6's fragment header."""
    carried: tuple[int, bytes] | None = None
    """Ethertype and bytes of a packet within this one, which is yet to be decoded."""


def u16(data: bytes, at: int) -> int:
    """Return the 16-bit number in network byte order at an offset."""
    number: int = _U16(data, at)[0]
    return number


def u32(data: bytes, at: int) -> int:
    """Return the 32-bit number in network byte order at an offset."""
    number: int = _U32(data, at)[0]
    return number


def ether(data: bytes, at: int) -> str:
    """Return the six-byte address at an offset as ``aa:bb:cc:dd:ee:ff``."""
    address: bytes = _ETHER(data, at)[0]
    return address.hex(":")


def ipv4(data: bytes, at: int) -> str:
    """Return the IPv4 address at an offset."""
    return socket.inet_ntop(socket.AF_INET, _IPV4(data, at)[0])


def ipv6(data: bytes, at: int) -> str:
    """Return the IPv6 address at an offset, in its short form."""
    return socket.inet_ntop(socket.AF_INET6, _IPV6(data, at)[0])


def text(data: bytes) -> str:
    """Return bytes from the network as text of the same length, one character for each byte."""
    return data.decode("latin-1")
