"""The kernel's rtnetlink messages about links and neighbours: requests as bytes, answers as values.

Layouts are those of ``linux/netlink.h``, ``linux/rtnetlink.h`` and ``linux/if_link.h``. No socket is touched here.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple

from netmon_tui.domain.neighbour import Neighbour
from netmon_tui.tools.rtnetlink_entries import NEIGHBOUR, NEWNEIGH, DumpedEntries, add_entries
from netmon_tui.tools.rtnetlink_messages import HEADER, attribute, broken, dump_request, read_attributes

GROUPS = 0x1 | 0x4
"""Multicast groups to subscribe to: RTMGRP_LINK and RTMGRP_NEIGH."""

_ERROR, _DONE, _OVERRUN = 2, 3, 4
_NEWLINK, _DELLINK, _GETLINK = 16, 17, 18
_DELNEIGH, _GETNEIGH = 29, 30
_DUMP_INTERRUPTED = 0x10
_ENOBUFS = 105
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_EXT_MASK = 1, 3, 29
_SKIP_STATISTICS = 1 << 3
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_LINK = Struct("=BxHiII")
"""struct ifinfomsg: family, type, ifindex, flags, change mask."""
_NUMBER = Struct("=I")
_ERRNO = Struct("=i")


class NeighbourSeen(NamedTuple):
    """An entry is in the table, new or changed."""

    neighbour: Neighbour
    cacheinfo: bytes
    """For :func:`~netmon_tui.tools.rtnetlink_entries.read_ages`."""


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


def link_dump_request(sequence: int) -> bytes:
    """Return the request to list all interfaces (without their statistics, nine tenths of the bytes)."""
    mask = attribute(_IFLA_EXT_MASK, _NUMBER.pack(_SKIP_STATISTICS))
    return dump_request(_GETLINK, sequence, _LINK.pack(0, 0, 0, 0, 0) + mask)


def neighbour_dump_request(sequence: int) -> bytes:
    """Return the request to list all entries of all families."""
    return dump_request(_GETNEIGH, sequence, NEIGHBOUR.pack(0, 0, 0, 0, 0))


def decode(datagram: bytes, names: Mapping[int, str], dumped: DumpedEntries | None = None) -> Decoded:
    """Return what a datagram says.

    Entries of other families than IPv4 and IPv6 and those of a proxy are left out, and so are messages of
    other kinds.

    Args:
        datagram: All bytes of one datagram.
        names: Interface names by ifindex; an unknown one is called ``if7``.
        dumped: Takes the entries of a dump, which are no changes then.

    Raises:
        InvalidInput: the datagram is cut or its lengths contradict each other.
    """
    decoded = Decoded()
    add = decoded.changes.append
    entries = dumped or DumpedEntries()
    offset, end = 0, len(datagram)
    while offset < end:
        if end - offset < 16:
            raise broken(offset)
        length, kind, flags, _, _ = HEADER.unpack_from(datagram, offset)
        if length < 16 or offset + length > end:
            raise broken(offset)
        if flags & _DUMP_INTERRUPTED:
            decoded.interrupted = True
        if kind in (NEWNEIGH, _DELNEIGH):
            first = len(entries.rows)
            run = add_entries(datagram, offset, length, names, entries)
            if dumped is None:
                decoded.changes += _changes(entries, first, deleted=kind == _DELNEIGH)
            offset += length * (run - 1)
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


def _changes(entries: DumpedEntries, first: int, *, deleted: bool) -> Iterator[RtnetlinkChange]:
    """Return what events say, from a row on."""
    rows = entries.rows[first:]
    return map(NeighbourDeleted, rows) if deleted else map(NeighbourSeen, rows, entries.cacheinfos[first:])
