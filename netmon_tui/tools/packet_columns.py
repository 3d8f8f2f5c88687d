"""The cells of a packet's line that are read from its bytes and its time, without any dissector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from netmon_tui.domain.packet import PacketSummary
from netmon_tui.domain.packet_columns import PacketLine
from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_parts import KNOWN_LINK_TYPES, LinkPart, ip_parts, link_part, number, ports_of
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.pcap import RawPacket

_SECOND = 1_000_000_000
_FIRST_TAG = {link_layers.ETHERNET: 14, link_layers.LINUX_SLL: 16, link_layers.LINUX_SLL2: 20}
"""Where a first VLAN tag would be."""


class _Parts(NamedTuple):
    """What the headers of a packet say beside its addresses; empty where it is cut or has none."""

    source_mac: str = ""
    destination_mac: str = ""
    vlan: str = ""
    ttl: str = ""
    source_port: str = ""
    destination_port: str = ""


class _Seen(NamedTuple):
    """A packet and what its cells are made of."""

    raw: RawPacket
    summary: PacketSummary
    parts: _Parts
    before: int
    """Time of the packet before, or its own."""
    first: int
    """Time of the first packet of the file."""
    digits: int
    """Of the fraction of a second."""
    interfaces: Sequence[str] = ()
    """Names of those of the file."""


_CELLS: dict[str, Callable[[_Seen], str]] = {
    "number": lambda seen: str(seen.raw.number),
    "time": lambda seen: f"{_moment(seen).astimezone():%H:%M:%S}{_fraction(seen)}",
    "utc": lambda seen: f"{_moment(seen):%H:%M:%S}{_fraction(seen)}",
    "datetime": lambda seen: f"{_moment(seen).astimezone():%Y-%m-%d %H:%M:%S}{_fraction(seen)}",
    "epoch": lambda seen: _seconds(seen.raw.nanoseconds, seen.digits),
    "since": lambda seen: _seconds(seen.raw.nanoseconds - seen.first, seen.digits),
    "delta": lambda seen: _seconds(seen.raw.nanoseconds - seen.before, seen.digits),
    "source": lambda seen: seen.summary.source,
    "destination": lambda seen: seen.summary.destination,
    "source_port": lambda seen: seen.parts.source_port,
    "destination_port": lambda seen: seen.parts.destination_port,
    "source_mac": lambda seen: seen.parts.source_mac,
    "destination_mac": lambda seen: seen.parts.destination_mac,
    "vlan": lambda seen: seen.parts.vlan,
    "ttl": lambda seen: seen.parts.ttl,
    "interface": lambda seen: _name_at(seen.interfaces, seen.raw.interface),
    "protocol": lambda seen: seen.summary.protocol,
    "length": lambda seen: str(seen.raw.length),
    "captured": lambda seen: str(seen.raw.captured),
    "info": lambda seen: seen.summary.info,
}
_OF_PARTS = frozenset(_Parts._fields)
_ENCRYPTED = ("TLS", "SSL", "TCP", "UDP")
"""How protocols begin in whose packets something may be that keys open: a later part of it is plain TCP to us."""


def lines_of(
    packets: Iterable[RawPacket],
    linktype: int,
    keys: Sequence[str],
    *,
    before: RawPacket | None,
    first: int,
    nanoseconds: bool = False,
    interfaces: Sequence[str] = (),
    with_keys: bool = False,
) -> Iterator[PacketLine]:
    """Yield the lines of packets that follow each other.

    Args:
        packets: They.
        linktype: LINKTYPE number of their file.
        keys: Of the columns; the cells of those that are not ours stay empty.
        before: The packet before them; None when the first of them is the first of the file.
        first: POSIX time of the first packet of the file in nanoseconds.
        nanoseconds: Whether their file has the times in nanoseconds, which are shown then, else microseconds.
        interfaces: Names of the interfaces of their file, as that has them.
        with_keys: TLS keys are kept with their file.
    """
    makers = [_CELLS.get(key, _nothing) for key in keys]
    digits = 9 if nanoseconds else 6
    takes_apart = not _OF_PARTS.isdisjoint(keys)
    unknown = linktype not in KNOWN_LINK_TYPES
    for raw in packets:
        parts = _parts(raw.data, linktype) if takes_apart else _Parts()
        last = raw.nanoseconds if before is None else before.nanoseconds
        seen = _Seen(raw, summarise(raw, linktype), parts, last, first, digits, interfaces)
        is_sealed = unknown or (with_keys and seen.summary.protocol.startswith(_ENCRYPTED))
        yield PacketLine(seen.summary, tuple(make(seen) for make in makers), is_sealed)
        before = raw


def _nothing(_seen: _Seen) -> str:
    return ""


def _name_at(names: Sequence[str], place: int) -> str:
    """Return the name of an interface; of one that a damaged file does not describe none."""
    return names[place] if place < len(names) else ""


def _moment(seen: _Seen) -> datetime:
    """Return the time of a packet to the second."""
    return datetime.fromtimestamp(seen.raw.nanoseconds // _SECOND, UTC)


def _fraction(seen: _Seen) -> str:
    return f".{seen.raw.nanoseconds % _SECOND:09d}"[: seen.digits + 1]


def _seconds(nanoseconds: int, digits: int) -> str:
    """Return seconds to so many digits, cut as clocks do."""
    whole, below = divmod(abs(nanoseconds), _SECOND)
    sign = "-" if nanoseconds < 0 else ""
    return f"{sign}{whole}." + f"{below:09d}"[:digits]


def _parts(data: bytes, linktype: int) -> _Parts:
    link = link_part(data, linktype)
    if link is None:
        return _Parts()
    macs = [data[at : at + 6].hex(":") for at in link.macs]  # Ethernet's destination comes first
    tags = range(_FIRST_TAG.get(linktype, link.at), link.at, 4)
    vlan = ",".join(str(number(data, at) & 0xFFF) for at in tags)
    ttl, source, destination = _innermost(data, link)
    return _Parts(macs[-1] if macs else "", macs[0] if len(macs) == 2 else "", vlan, ttl, source, destination)


def _innermost(data: bytes, link: LinkPart) -> tuple[str, str, str]:
    """Return TTL and ports of the innermost IP, whose addresses the line has."""
    parts = list(ip_parts(data, link.kind, link.at))
    if not parts:
        return "", "", ""
    source, destination = (str(number(port, 0)) if port else "" for port in ports_of(data, parts[-1]))
    return str(parts[-1].hops), source, destination
