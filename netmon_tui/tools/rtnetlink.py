"""The kernel's rtnetlink messages about links and neighbours: requests as bytes, answers as values.

Layouts are those of ``linux/netlink.h``, ``linux/rtnetlink.h``, ``linux/neighbour.h`` and ``linux/if_link.h``.
All numbers are in the byte order of the machine. Nothing here touches a socket.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, NamedTuple

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Neighbour, NudState
from netmon_tui.errors import InvalidInput

GROUPS = 0x1 | 0x4
"""Multicast groups to subscribe to: RTMGRP_LINK and RTMGRP_NEIGH."""

_ERROR, _DONE, _OVERRUN = 2, 3, 4
_NEWLINK, _DELLINK, _GETLINK = 16, 17, 18
_NEWNEIGH, _DELNEIGH, _GETNEIGH = 28, 29, 30
_REQUEST_DUMP = 0x1 | 0x300
_DUMP_INTERRUPTED = 0x10
_ENOBUFS = 105
_NTF_PROXY, _NTF_ROUTER = 0x08, 0x80
_NDA_DST, _NDA_LLADDR, _NDA_CACHEINFO, _NDA_PROBES = 1, 2, 3, 4
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_EXT_MASK = 1, 3, 29
_SKIP_STATISTICS = 1 << 3
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_TICKS = 100
"""USER_HZ: what the kernel counts a second as in everything it tells."""

HEADER = Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence, port."""
_NEIGHBOUR = Struct("=BxxxiHBB")
"""struct ndmsg: family, ifindex, state, flags, type."""
_LINK = Struct("=BxHiII")
"""struct ifinfomsg: family, type, ifindex, flags, change mask."""
_ATTRIBUTE = Struct("=HH")
"""struct rtattr: length with this header, type."""
_CACHE = Struct("=IIII")
"""struct nda_cacheinfo: confirmed, used, updated (clock ticks ago), references."""
_NUMBER = Struct("=I")
_ERRNO = Struct("=i")

_FAMILIES = {
    int(socket.AF_INET): (Family.IPV4, 4),
    int(socket.AF_INET6): (Family.IPV6, 16),
}
_STATES = {
    0x00: NudState.NONE,
    0x01: NudState.INCOMPLETE,
    0x02: NudState.REACHABLE,
    0x04: NudState.STALE,
    0x08: NudState.DELAY,
    0x10: NudState.PROBE,
    0x20: NudState.FAILED,
    0x40: NudState.NOARP,
    0x80: NudState.PERMANENT,
}


class NeighbourSeen(NamedTuple):
    """An entry is in the table, new or changed."""

    neighbour: Neighbour


class NeighbourDeleted(NamedTuple):
    """An entry left the table."""

    neighbour: Neighbour
    """As it was at last."""


class LinkSeen(NamedTuple):
    """An interface exists, new or changed."""

    ifindex: int
    name: str
    lladdr: str
    """Lower case with colons; empty where there is none."""
    up: bool
    """Switched on, and with a carrier."""


class LinkGone(NamedTuple):
    """An interface was removed."""

    ifindex: int
    name: str


RtnetlinkChange = NeighbourSeen | NeighbourDeleted | LinkSeen | LinkGone


@dataclass(slots=True)
class Decoded:
    """What one datagram said."""

    changes: list[RtnetlinkChange] = field(default_factory=list)
    done: bool = False
    """The dump is complete with this datagram."""
    interrupted: bool = False
    """The table changed under the dump, which must be asked for again."""
    error: int = 0
    """errno with which the kernel refused or broke off; 0 for none."""
    sequence: int = 0
    """Of the last message: the number of the request that it answers."""


def link_dump_request(sequence: int) -> bytes:
    """Return the request to list all interfaces (without their statistics, nine tenths of the bytes)."""
    mask = _ATTRIBUTE.pack(8, _IFLA_EXT_MASK) + _NUMBER.pack(_SKIP_STATISTICS)
    return dump_request(_GETLINK, sequence, _LINK.pack(0, 0, 0, 0, 0) + mask)


def neighbour_dump_request(sequence: int) -> bytes:
    """Return the request to list all entries of all families."""
    return dump_request(_GETNEIGH, sequence, _NEIGHBOUR.pack(0, 0, 0, 0, 0))


def dump_request(kind: int, sequence: int, body: bytes) -> bytes:
    """Return a request for a dump."""
    return message(kind, _REQUEST_DUMP, sequence, body)


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """Return a whole message: a header of 16 bytes and the body."""
    return HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0) + body


def attribute(kind: int, payload: bytes) -> bytes:
    """Return an attribute with the padding that the next one needs."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(payload), kind) + payload + bytes(-len(payload) % 4)


def decode(datagram: bytes, names: Mapping[int, str]) -> Decoded:
    """Return what a datagram says.

    Entries of other families than IPv4 and IPv6 and those of a proxy are left out, and so are messages of
    other kinds.

    Args:
        datagram: All bytes of one datagram.
        names: Interface names by ifindex; an unknown one is called ``if7``.

    Raises:
        InvalidInput: the datagram is cut or its lengths contradict each other.
    """
    decoded = Decoded()
    add = decoded.changes.append
    offset, end = 0, len(datagram)
    while offset < end:
        if end - offset < 16:
            raise broken(offset)
        length, kind, flags, decoded.sequence, _ = HEADER.unpack_from(datagram, offset)
        if length < 16 or offset + length > end:
            raise broken(offset)
        if flags & _DUMP_INTERRUPTED:
            decoded.interrupted = True
        if kind in (_NEWNEIGH, _DELNEIGH):
            usual = _USUAL.get(length)
            run = usual(datagram, offset, names) if usual else []
            if run:
                decoded.changes += run
                offset += length * len(run)
                continue
            neighbour = _any_neighbour(datagram, offset, length, names)
            if neighbour is not None:
                add(NeighbourSeen(neighbour) if kind == _NEWNEIGH else NeighbourDeleted(neighbour))
        elif kind in (_NEWLINK, _DELLINK):
            link = _link(datagram, offset, length)
            if link is not None:
                add(link if kind == _NEWLINK else LinkGone(link.ifindex, link.name))
        elif kind <= _OVERRUN:
            _control(decoded, kind, datagram[offset + 16 : offset + length])
        offset += (length + 3) & ~3
    return decoded


def _control(decoded: Decoded, kind: int, body: bytes) -> None:
    """Note the end of a dump, an error or an overrun; an error of 0 is an acknowledgement."""
    code = -int(_ERRNO.unpack_from(body)[0]) if len(body) >= 4 else 0
    if kind == _DONE:
        decoded.done = True
    if kind == _OVERRUN:
        decoded.error = _ENOBUFS
    elif kind in (_ERROR, _DONE) and code:
        decoded.error = code


def broken(offset: int) -> InvalidInput:
    """Return the error for a message that contradicts itself."""
    return InvalidInput("a message of the kernel is cut or malformed", position=offset)


def read_attributes(datagram: bytes, offset: int, end: int) -> dict[int, bytes]:
    """Return the payloads of the attributes between two offsets by their type; raises InvalidInput if cut."""
    found: dict[int, bytes] = {}
    while end - offset >= 4:
        length, kind = _ATTRIBUTE.unpack_from(datagram, offset)
        if length < 4 or offset + length > end:
            raise broken(offset)
        found[kind & 0x3FFF] = datagram[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def _link(datagram: bytes, offset: int, length: int) -> LinkSeen | None:
    """Return the interface, or None for a message of a bridge about one of its ports."""
    body = offset + 16
    if length < 16 + _LINK.size:
        raise broken(offset)
    family, _, ifindex, flags, _ = _LINK.unpack_from(datagram, body)
    if family != socket.AF_UNSPEC:
        return None
    found = read_attributes(datagram, body + _LINK.size, offset + length)
    name = found.get(_IFLA_IFNAME, b"").partition(b"\0")[0].decode("utf-8", "backslashreplace")
    up = flags & (_IFF_UP | _IFF_RUNNING) == _IFF_UP | _IFF_RUNNING
    return LinkSeen(ifindex, name or f"if{ifindex}", found.get(_IFLA_ADDRESS, b"").hex(":"), up)


def _any_neighbour(datagram: bytes, offset: int, length: int, names: Mapping[int, str]) -> Neighbour | None:
    """Read a message attribute by attribute."""
    body = offset + 16
    if length < 16 + _NEIGHBOUR.size:
        raise broken(offset)
    number, ifindex, state, flags, _ = _NEIGHBOUR.unpack_from(datagram, body)
    family, size = _FAMILIES.get(number, (None, 0))
    if family is None or flags & _NTF_PROXY:
        return None
    found = read_attributes(datagram, body + _NEIGHBOUR.size, offset + length)
    packed, cache, probes = (found.get(kind, b"") for kind in (_NDA_DST, _NDA_CACHEINFO, _NDA_PROBES))
    if len(packed) != size:
        return None
    confirmed, used, updated, _ = _CACHE.unpack_from(cache) if len(cache) >= _CACHE.size else (0, 0, 0, 0)
    return Neighbour(
        socket.inet_ntop(number, packed),
        family,
        ifindex,
        names.get(ifindex) or f"if{ifindex}",
        found.get(_NDA_LLADDR, b"").hex(":"),
        _STATES.get(state, NudState.NONE),
        bool(flags & _NTF_ROUTER),
        used / _TICKS,
        confirmed / _TICKS,
        updated / _TICKS,
        _NUMBER.unpack_from(probes)[0] if len(probes) >= 4 else 0,
    )


def _header_word(length: int, kind: int) -> int:
    """Return an attribute header as one number."""
    return int(_NUMBER.unpack(_ATTRIBUTE.pack(length, kind))[0])


_Reader = Callable[[bytes, int, Mapping[int, str]], list[RtnetlinkChange]]


def _usual_reader(number: int) -> tuple[int, _Reader]:
    """Return the size of the usual message of a family, and a function that reads a run of them at once.

    Nearly all messages carry the same attributes in the same order: address, 48-bit lladdr, probes, cache
    information; and in a dump they follow each other under the same header. The reader stops before a message
    whose header, or whose four attribute headers, are not the expected ones, which may be the first.
    It halves the time that a large table takes; everything it needs is bound here for the same reason.
    """
    family, size = _FAMILIES[number]
    layout = Struct(f"=16sBxxxiHBxI{size}sI6sxxIIIIII4x")
    unpack, to_text, states, unknown = layout.iter_unpack, socket.inet_ntop, _STATES, NudState.NONE
    new: Callable[..., Any] = tuple.__new__
    expected = (
        number,
        *map(_header_word, (4 + size, 10, 8, 20), (_NDA_DST, _NDA_LLADDR, _NDA_PROBES, _NDA_CACHEINFO)),
    )

    def read(datagram: bytes, offset: int, names: Mapping[int, str]) -> list[RtnetlinkChange]:
        deleted = HEADER.unpack_from(datagram, offset)[1] == _DELNEIGH
        kind = NeighbourDeleted if deleted else NeighbourSeen
        header, whole = datagram[offset : offset + 16], (len(datagram) - offset) // layout.size
        changes: list[RtnetlinkChange] = []
        for (
            head, found, ifindex, state, flags, address_header, packed, lladdr_header, lladdr,
            probes_header, probes, cache_header, confirmed, used, updated,
        ) in unpack(memoryview(datagram)[offset : offset + whole * layout.size]):  # fmt: skip
            headers = (found, address_header, lladdr_header, probes_header, cache_header)
            if head != header or headers != expected or flags & _NTF_PROXY:
                break
            neighbour = new(
                Neighbour,
                (
                    to_text(number, packed),
                    family,
                    ifindex,
                    names.get(ifindex) or f"if{ifindex}",
                    lladdr.hex(":"),
                    states.get(state, unknown),
                    flags & _NTF_ROUTER != 0,
                    used / _TICKS,
                    confirmed / _TICKS,
                    updated / _TICKS,
                    probes,
                ),
            )
            changes.append(new(kind, (neighbour,)))
        return changes

    return layout.size, read


_USUAL = dict(map(_usual_reader, _FAMILIES))
"""Readers by the length of the whole message."""
