"""rtnetlink messages of any kind: their header and attributes, as bytes.

Layouts are those of ``linux/netlink.h`` and ``linux/rtnetlink.h``; numbers are in the byte order of the machine.
"""

from __future__ import annotations

from struct import Struct

from netmon_tui.errors import InvalidInput

_REQUEST_DUMP = 0x1 | 0x300
HEADER = Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence, port."""
ATTRIBUTE = Struct("=HH")
"""struct rtattr: length with this header, type."""


def dump_request(kind: int, sequence: int, body: bytes) -> bytes:
    """Return a request for a dump."""
    return message(kind, _REQUEST_DUMP, sequence, body)


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """Return a whole message: a header of 16 bytes and the body."""
    return HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0) + body


def attribute(kind: int, payload: bytes) -> bytes:
    """Return an attribute with the padding that the next one needs."""
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(payload), kind) + payload + bytes(-len(payload) % 4)


def broken(offset: int) -> InvalidInput:
    """Return the error for a message that contradicts itself."""
    return InvalidInput("a message of the kernel is cut or malformed", position=offset)


def read_attributes(datagram: bytes, offset: int, end: int) -> dict[int, bytes]:
    """Return the payloads of the attributes between two offsets by their type; raises InvalidInput if cut."""
    found: dict[int, bytes] = {}
    while end - offset >= 4:
        length, kind = ATTRIBUTE.unpack_from(datagram, offset)
        if length < 4 or offset + length > end:
            raise broken(offset)
        found[kind & 0x3FFF] = datagram[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found
