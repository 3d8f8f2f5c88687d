"""The kernel's rtnetlink messages about links and neighbours: requests as bytes, answers as values.

Layouts are those of ``linux/netlink.h``, ``linux/rtnetlink.h``, ``linux/neighbour.h`` and ``linux/if_link.h``.
All numbers are in the byte order of the machine. Nothing here touches a socket.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Neighbour, NeighbourAges, NudState
from netmon_tui.errors import InvalidInput

GROUPS = 0x1 | 0x4
"""Multicast groups to subscribe to: RTMGRP_LINK and RTMGRP_NEIGH."""

_ERROR, _DONE, _OVERRUN = 2, 3, 4
_NEWLINK, _DELLINK, _GETLINK = 16, 17, 18
_NEWNEIGH, _DELNEIGH, _GETNEIGH = 28, 29, 30
_REQUEST_DUMP = 0x1 | 0x300
_MULTIPART, _DUMP_INTERRUPTED = 0x2, 0x10
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
NO_CACHEINFO = bytes(_CACHE.size)
"""Of an entry to which everything happened just now."""
_WORTH_COMPARING = 16
"""Messages of a datagram that are compared all at once; events come one by one."""
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
    cacheinfo: bytes
    """For :func:`read_ages`."""


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


_KnownDatagram = tuple[tuple[bytes, ...], list[Neighbour]]
"""Of each message, the bytes before its cacheinfo; and what they say."""
RtnetlinkChange = NeighbourSeen | NeighbourDeleted | LinkSeen | LinkGone


@dataclass(slots=True)
class KnownEntries:
    """What earlier dumps brought, under the same names of interfaces.

    From one dump to the next, nearly all messages differ in their cacheinfo alone, if the requests had the same
    sequence. So an entry is made once for the bytes before it, and the next dump finds it by them; a datagram in
    which nothing else changed is found as a whole.
    """

    rows: dict[bytes, Neighbour] = field(default_factory=dict)
    """By the bytes before the cacheinfo. Their headers are all alike."""
    datagrams: dict[bytes, _KnownDatagram] = field(default_factory=dict)
    """Of the last dump, those that are all usual messages; by the beginning of the first one."""


@dataclass(slots=True)
class DumpedEntries:
    """The entries of a dump, without those of other families than IPv4 and IPv6 and those of a proxy."""

    known: KnownEntries = field(default_factory=KnownEntries)
    rows: list[Neighbour] = field(default_factory=list)
    cacheinfos: list[bytes] = field(default_factory=list)
    """For :func:`read_ages`, in the order of the rows."""
    made: set[int] = field(default_factory=set)
    """Numbers of the interfaces of entries that were not known."""
    datagrams: dict[bytes, _KnownDatagram] = field(default_factory=dict)
    """For :class:`KnownEntries`, once the dump is complete."""


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


def read_ages(cacheinfo: bytes) -> NeighbourAges:
    """Return the ages of an entry."""
    confirmed, used, updated, _ = _CACHE.unpack(cacheinfo)
    return NeighbourAges(used / _TICKS, confirmed / _TICKS, updated / _TICKS)


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
        if kind in (_NEWNEIGH, _DELNEIGH):
            first, usual = len(entries.rows), _USUAL.get(length)
            run = usual(datagram, offset, names, entries) if usual else 0
            if not run:
                _add_any_neighbour(datagram, offset, length, names, entries)
            if dumped is None:
                decoded.changes += _changes(entries, first, deleted=kind == _DELNEIGH)
            offset += length * (run - 1) if run else 0
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


def _changes(entries: DumpedEntries, first: int, *, deleted: bool) -> Iterator[RtnetlinkChange]:
    """Return what events say, from a row on."""
    rows = entries.rows[first:]
    return map(NeighbourDeleted, rows) if deleted else map(NeighbourSeen, rows, entries.cacheinfos[first:])


def _add_any_neighbour(
    datagram: bytes, offset: int, length: int, names: Mapping[int, str], entries: DumpedEntries
) -> None:
    """Read a message attribute by attribute."""
    body = offset + 16
    if length < 16 + _NEIGHBOUR.size:
        raise broken(offset)
    number, ifindex, state, flags, _ = _NEIGHBOUR.unpack_from(datagram, body)
    family, size = _FAMILIES.get(number, (None, 0))
    if family is None or flags & _NTF_PROXY:
        return
    found = read_attributes(datagram, body + _NEIGHBOUR.size, offset + length)
    packed, cache, probes = (found.get(kind, b"") for kind in (_NDA_DST, _NDA_CACHEINFO, _NDA_PROBES))
    if len(packed) != size:
        return
    neighbour = Neighbour(
        socket.inet_ntop(number, packed),
        family,
        ifindex,
        names.get(ifindex) or f"if{ifindex}",
        found.get(_NDA_LLADDR, b"").hex(":"),
        _STATES.get(state, NudState.NONE),
        bool(flags & _NTF_ROUTER),
        _NUMBER.unpack_from(probes)[0] if len(probes) >= 4 else 0,
    )
    entries.made.add(ifindex)
    entries.rows.append(neighbour)
    entries.cacheinfos.append(cache[: _CACHE.size] if len(cache) >= _CACHE.size else NO_CACHEINFO)


def _header_word(length: int, kind: int) -> int:
    """Return an attribute header as one number."""
    return int(_NUMBER.unpack(_ATTRIBUTE.pack(length, kind))[0])


_Reader = Callable[[bytes, int, Mapping[int, str], DumpedEntries], int]


def _usual_entry(number: int) -> tuple[int, Callable[[bytes, Mapping[int, str]], Neighbour | None]]:
    """Return the size of the usual message of a family between its header and its cacheinfo, and its reader.

    Nearly all messages carry the same attributes in the same order: address, 48-bit lladdr, probes, cacheinfo.
    The reader returns None for a message with other attribute headers. It takes half the time of reading attribute
    by attribute; everything it needs is bound here for the same reason.
    """
    family, size = _FAMILIES[number]
    layout = Struct(f"=BxxxiHBxI{size}sI6sxxIII")
    unpack, to_text, states, unknown = layout.unpack, socket.inet_ntop, _STATES, NudState.NONE
    new: Callable[..., Neighbour] = tuple.__new__
    expected = (
        number,
        *map(_header_word, (4 + size, 10, 8, 20), (_NDA_DST, _NDA_LLADDR, _NDA_PROBES, _NDA_CACHEINFO)),
    )

    def read(body: bytes, names: Mapping[int, str]) -> Neighbour | None:
        (
            found, ifindex, state, flags, address_header, packed, lladdr_header, lladdr,
            probes_header, probes, cache_header,
        ) = unpack(body)  # fmt: skip
        headers = (found, address_header, lladdr_header, probes_header, cache_header)
        if headers != expected or flags & _NTF_PROXY:
            return None
        return new(
            Neighbour,
            (
                to_text(number, packed),
                family,
                ifindex,
                names.get(ifindex) or f"if{ifindex}",
                lladdr.hex(":"),
                states.get(state, unknown),
                flags & _NTF_ROUTER != 0,
                probes,
            ),
        )

    return layout.size, read


def _usual_run(number: int) -> tuple[int, _Reader]:
    """Return the size of the usual message of a family, and a function that reads a run of them at once.

    In a dump they follow each other under the same header. The function stops before a message with another
    header, or that is not a usual one, which may be the first, and returns how many it has read.
    """
    size, entry_of = _usual_entry(number)
    layout, start = Struct(f"={HEADER.size + size}s{_CACHE.size}s"), HEADER.size
    unpack = layout.iter_unpack

    def one_by_one(messages: memoryview, names: Mapping[int, str], entries: DumpedEntries) -> int:
        header = bytes(messages[:start])
        known = entries.known.rows if HEADER.unpack(header)[1:3] == (_NEWNEIGH, _MULTIPART) else {}
        known_row, made, count = known.get, entries.made.add, len(entries.rows)
        add_row, add_cacheinfo = entries.rows.append, entries.cacheinfos.append
        for head, cacheinfo in unpack(messages):
            row = known_row(head)
            if row is None:
                row = entry_of(head[start:], names) if head[:start] == header else None
                if row is None:
                    break
                known[head] = row
                made(row.ifindex)
            add_row(row)
            add_cacheinfo(cacheinfo)
        return len(entries.rows) - count

    def read(datagram: bytes, offset: int, names: Mapping[int, str], entries: DumpedEntries) -> int:
        whole = (len(datagram) - offset) // layout.size
        messages = memoryview(datagram)[offset : offset + whole * layout.size]
        if offset or whole < _WORTH_COMPARING:
            return one_by_one(messages, names, entries)
        all_heads, all_cacheinfos = _columns(layout.size, whole)
        heads = all_heads.unpack(messages)
        before, rows = entries.known.datagrams.get(heads[0], ((), []))
        if heads == before:
            entries.rows += rows
            entries.cacheinfos += all_cacheinfos.unpack(messages)
        elif (count := one_by_one(messages, names, entries)) == whole:
            rows = entries.rows[-whole:]
        else:
            return count
        entries.datagrams[heads[0]] = heads, rows
        return whole

    return layout.size, read


@lru_cache(maxsize=8)
def _columns(size: int, count: int) -> tuple[Struct, Struct]:
    """Return what reads, of so many messages of a size, the bytes before the cacheinfos, and the cacheinfos."""
    head, tail = size - _CACHE.size, _CACHE.size
    return Struct(f"{head}s{tail}x" * count), Struct(f"{head}x{tail}s" * count)


_USUAL = dict(map(_usual_run, _FAMILIES))
"""Readers by the length of the whole message."""
