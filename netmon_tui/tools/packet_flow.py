"""Which flow a packet belongs to: protocol, addresses and ports from its headers, without anything above them.

A flow is a number and bytes, so that a dictionary can count it before anybody needs its text. The number is that
of the IP protocol, or the ethertype (0x600 and more), or :data:`NO_FLOW`. The bytes are source and
destination one after the other, with ports where the protocol has them; their length says which they are.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_tunnels import BRIDGED, IP4, IP6, VLAN_TAGS, within_type

Flow = tuple[int, bytes]
"""Protocol number, and both ends of 0, 8, 12 (IPv4, or Ethernet under an ethertype), 32 or 36 (IPv6) bytes."""

NO_FLOW = 0x10000
"""Neither IP nor Ethernet, or cut before it could be seen."""
LLC = 0x1FF
"""An Ethernet frame with a length in place of an ethertype."""
PORTED = frozenset({6, 17, 132, 136})
"""TCP, UDP, SCTP and UDPLite: what follows IP begins with two ports."""
LONGEST_HEADERS = 512
"""Bytes in which a flow has to show itself."""

_EXTENSIONS = frozenset({0, 43, 60, 135, 139, 140})
_FRAGMENT, _AUTHENTICATION = 44, 51
_OFFSET = 0x1FFF
_CUT: Flow = (NO_FLOW, b"")
_U16 = struct.Struct(">H").unpack_from
_PLAIN_PORTS = frozenset(
    {
        1194,
        1433,
        1521,
        1812,
        1883,
        1900,
        2049,
        2181,
        3128,
        3260,
        3306,
        3389,
        3478,
        4500,
        4789,
        5060,
        5061,
        5201,
    }
    | {5353, 5355, 5432, 5672, 5900, 5985, 6379, 6443, 6514, 6667, 8000, 8080, 8443, 8883, 9000, 9090, 9092}
    | {9100, 9200, 10050, 10051, 11211, 25565, 27017, 51820}
)
"""Ports above 1023 that are better known than others."""


class Layout(NamedTuple):
    """Where the packets of a link type have what the fast way of counting looks at."""

    kind: int
    """Offset of the ethertype; -1 where there is none."""
    network: int
    """Offset of the IP header."""


LAYOUTS = {
    link_layers.ETHERNET: Layout(12, 14),
    link_layers.LINUX_SLL: Layout(14, 16),
    link_layers.LINUX_SLL2: Layout(0, 20),
    link_layers.RAW: Layout(-1, 0),
    link_layers.IPV4: Layout(-1, 0),
    link_layers.IPV6: Layout(-1, 0),
    link_layers.NULL: Layout(-1, 4),
    link_layers.LOOP: Layout(-1, 4),
}
"""The link types in which flows are found."""


def flow_of(data: bytes, linktype: int) -> Flow:
    """Return the flow of a packet from its first bytes; never raises, whatever they are."""
    layout = LAYOUTS.get(linktype)
    if layout is None:
        return _CUT
    try:
        if layout.kind < 0:
            return _network(IP6 if data[layout.network] >> 4 == 6 else IP4, data, layout.network) or _CUT
        kind, at = _U16(data, layout.kind)[0], layout.network
        ends = data[6:12] + data[:6] if linktype == link_layers.ETHERNET else b""
        return _typed(kind, data, at, ends)
    except (struct.error, IndexError):
        return _CUT


def _typed(kind: int, data: bytes, at: int, ends: bytes) -> Flow:
    """Go through tags and labels to IP; without it, the flow is that of the link layer."""
    while kind in VLAN_TAGS and at + 4 <= len(data):
        kind, at = _U16(data, at + 2)[0], at + 4
    named = kind if kind >= 0x600 else LLC
    try:
        while (within := within_type(kind, data, at)) is not None and within.kind != BRIDGED:
            kind, at = within
        return _network(kind, data, at) or (named, ends)
    except (struct.error, IndexError):
        return named, ends


def _network(kind: int, data: bytes, at: int) -> Flow | None:
    if kind == IP4 and data[at] >> 4 == 4 and len(data) >= at + 20:
        header = (data[at] & 0x0F) * 4
        first = not _U16(data, at + 6)[0] & _OFFSET
        return _with_ports(data[at + 9], data[at + 12 : at + 20], data, at + header if first else -1)
    if kind == IP6 and data[at] >> 4 == 6 and len(data) >= at + 40:
        protocol, after = _after_extensions(data, at)
        return _with_ports(protocol, data[at + 8 : at + 40], data, after)
    return None


def _after_extensions(data: bytes, at: int) -> tuple[int, int]:
    """Return the protocol after IPv6's extension headers, and where it begins: -1 in a later fragment."""
    protocol, after = data[at + 6], at + 40
    while after + 8 <= len(data):
        if protocol in _EXTENSIONS:
            protocol, after = data[after], after + 8 + data[after + 1] * 8
        elif protocol == _AUTHENTICATION:
            protocol, after = data[after], after + 8 + data[after + 1] * 4
        elif protocol == _FRAGMENT:
            protocol, offset, after = data[after], _U16(data, after + 2)[0] & 0xFFF8, after + 8
            if offset:
                return protocol, -1
        else:
            break
    return protocol, after


def _with_ports(protocol: int, ends: bytes, data: bytes, at: int) -> Flow:
    ports = data[at : at + 4] if protocol in PORTED and at >= 0 else b""
    return protocol, ends + ports if len(ports) == 4 else ends


class Ends(NamedTuple):
    """The two sides of a flow, packed, and the port of the better known one."""

    source: bytes
    """4 (IPv4), 6 (Ethernet), 16 (IPv6) or 0 bytes."""
    destination: bytes
    port: int | None
    from_client: bool
    """Whether the source is the client, or, where that cannot be said, the lower address."""


def ends_of(flow: Flow) -> Ends:
    """Return who a flow is from and to."""
    number, ends = flow
    size = {8: 4, 12: 6 if number >= LLC else 4, 32: 16, 36: 16}.get(len(ends), 0)
    source, destination, ports = ends[:size], ends[size : 2 * size], ends[2 * size :]
    if len(ports) != 4:
        return Ends(source, destination, None, source <= destination)
    sport, dport = _U16(ports)[0], _U16(ports, 2)[0]
    if sport == dport:
        return Ends(source, destination, sport, source <= destination)
    to_server = _rank(dport) < _rank(sport)
    return Ends(source, destination, dport if to_server else sport, to_server)


def _rank(port: int) -> int:
    """Return how little known a port is."""
    return port if port < 1024 or port in _PLAIN_PORTS else port + 0x10000
