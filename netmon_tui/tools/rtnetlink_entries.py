"""Neighbour entries in rtnetlink messages: any of them attribute by attribute, the usual ones at once.

Layouts are those of ``linux/neighbour.h``.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from struct import Struct

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Neighbour, NeighbourAges, NudState
from netmon_tui.tools.rtnetlink_messages import ATTRIBUTE, HEADER, broken, read_attributes

NEWNEIGH = 28
_MULTIPART = 0x2
_NTF_PROXY, _NTF_ROUTER = 0x08, 0x80
_NDA_DST, _NDA_LLADDR, _NDA_CACHEINFO, _NDA_PROBES = 1, 2, 3, 4
_TICKS = 100
"""USER_HZ: what the kernel counts a second as in everything it tells."""
NEIGHBOUR = Struct("=BxxxiHBB")
"""struct ndmsg: family, ifindex, state, flags, type."""
_CACHE = Struct("=IIII")
"""struct nda_cacheinfo: confirmed, used, updated (clock ticks ago), references."""
NO_CACHEINFO = bytes(_CACHE.size)
"""Of an entry to which everything happened just now."""
_WORTH_COMPARING = 16
"""Messages of a datagram that are compared all at once; events come one by one."""
_NUMBER = Struct("=I")
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
_KnownDatagram = tuple[tuple[bytes, ...], list[Neighbour]]
"""Of each message, the bytes before its cacheinfo; and what they say."""


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


def read_ages(cacheinfo: bytes) -> NeighbourAges:
    """Return the ages of an entry."""
    confirmed, used, updated, _ = _CACHE.unpack(cacheinfo)
    return NeighbourAges(used / _TICKS, confirmed / _TICKS, updated / _TICKS)


def add_entries(
    datagram: bytes, offset: int, length: int, names: Mapping[int, str], entries: DumpedEntries
) -> int:
    """Add the entry of a message, and of those that follow it as far as they are alike.

    Args:
        datagram: All bytes.
        offset, length: Where the message is.
        names: Interface names by ifindex.
        entries: Takes them.

    Returns:
        How many messages were read, 1 at least; not all of them have an entry that counts.

    Raises:
        InvalidInput: The message is cut.
    """
    usual = _USUAL.get(length)
    run = usual(datagram, offset, names, entries) if usual else 0
    if not run:
        _add_any(datagram, offset, length, names, entries)
    return run or 1


def _add_any(
    datagram: bytes, offset: int, length: int, names: Mapping[int, str], entries: DumpedEntries
) -> None:
    """Read a message attribute by attribute."""
    body = offset + 16
    if length < 16 + NEIGHBOUR.size:
        raise broken(offset)
    number, ifindex, state, flags, _ = NEIGHBOUR.unpack_from(datagram, body)
    family, size = _FAMILIES.get(number, (None, 0))
    if family is None or flags & _NTF_PROXY:
        return
    found = read_attributes(datagram, body + NEIGHBOUR.size, offset + length)
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
    return int(_NUMBER.unpack(ATTRIBUTE.pack(length, kind))[0])


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
        known = entries.known.rows if HEADER.unpack(header)[1:3] == (NEWNEIGH, _MULTIPART) else {}
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
