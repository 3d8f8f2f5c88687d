"""What a header carries when that is a packet again: tags, labels and tunnels, one step at a time.

Every step says what is within by an ethertype, and where that begins. A frame of Ethernet has one too (0x6558), and
so has PPP (0x880B). Reading past the end raises ``struct.error`` or ``IndexError``. How many steps are
gone is for the caller to bound: a packet of 64 KiB has room for thousands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from netmon_tui.tools.packet_line import u16

IP4, IP6 = 0x0800, 0x86DD
BRIDGED = 0x6558
"""Transparent Ethernet Bridging: a frame of Ethernet."""
PPP = 0x880B
PPPOE = 0x8864
MPLS = frozenset({0x8847, 0x8848})
VLAN_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
DEEPEST = 16
"""Steps that are worth going: nobody nests so much by intent."""
ESP, AUTHENTICATION = 50, 51

_PPP_PROTOCOLS = {0x0021: IP4, 0x0057: IP6, 0x0281: 0x8847, 0x0283: 0x8848}
_VERSIONS = {4: IP4, 6: IP6}
_BRIDGEABLE = VLAN_TAGS | {IP4, IP6, 0x0806}
"""Ethertypes by which a frame is recognised."""
_ERSPAN = 0x88BE
_GPE = {1: IP4, 2: IP6, 3: BRIDGED}
"""Next protocols of VXLAN-GPE."""


class Within(NamedTuple):
    """What a header carries."""

    kind: int
    """Ethertype."""
    at: int
    """Where it begins."""


def within_type(kind: int, data: bytes, at: int) -> Within | None:
    """Return what is behind a tag, label or frame of an ethertype; None when that is the last of them."""
    if kind in VLAN_TAGS:
        return Within(u16(data, at + 2), at + 4)
    if kind in MPLS:
        return _labelled(data, at)
    if kind == PPPOE:
        return Within(PPP, at + 6)
    if kind == PPP:
        number, after = ppp_protocol(data, at)
        return Within(_PPP_PROTOCOLS[number], after) if number in _PPP_PROTOCOLS else None
    return Within(u16(data, at + 12), at + 14) if kind == BRIDGED else None


def _labelled(data: bytes, at: int) -> Within | None:
    """Return what follows the bottom of MPLS's label stack, guessed by how it begins as everybody does."""
    while not data[at + 2] & 1:
        at += 4
    at += 4
    version = data[at] >> 4
    if version in _VERSIONS:
        return Within(_VERSIONS[version], at)
    # a pseudo wire of Ethernet, with the control word of RFC 4448 or without
    words = (4, 0) if version == 0 else (0,)
    return next(
        (Within(BRIDGED, at + word) for word in words if _kind(data, at + word + 12) in _BRIDGEABLE), None
    )


def _kind(data: bytes, at: int) -> int:
    """Return the ethertype at an offset; less where the bytes end."""
    return int.from_bytes(data[at : at + 2], "big")


def ppp_protocol(data: bytes, at: int) -> tuple[int, int]:
    """Return the protocol of a PPP frame, and where what it carries begins. RFC 1661, 1662."""
    if data[at : at + 2] == b"\xff\x03":
        at += 2
    return (data[at], at + 1) if data[at] & 1 else (u16(data, at), at + 2)


def within_ip(protocol: int, data: bytes, at: int) -> Within | None:
    """Return what a tunnel that stands directly on IP carries; None when this is none that can be looked into."""
    find = _ON_IP.get(protocol)
    return find(data, at) if find else None


def after_authentication(protocol: int, data: bytes, at: int) -> tuple[int, int]:
    """Go through authentication headers of IPv4, RFC 4302; return the protocol behind them and where it begins."""
    while protocol == AUTHENTICATION:  # ends: each turn moves at least 8 bytes on
        protocol, at = data[at], at + 8 + data[at + 1] * 4
    return protocol, at


def _gre(data: bytes, at: int) -> Within | None:
    """Look into GRE, RFC 2784 and 2890, and into that of PPTP, RFC 2637."""
    flags, kind = u16(data, at), u16(data, at + 2)
    if flags & 0x4000 or kind < 0x600:  # a list of routes, as nobody sends any more; a keepalive
        return None
    at += 4 + sum(4 for bit in (0x8000, 0x2000, 0x1000) if flags & bit)
    if flags & 7 == 1:
        return Within(kind, at + 4 * bool(flags & 0x80))
    if kind == _ERSPAN:  # type II has a sequence number and a header, type I neither
        return Within(BRIDGED, at + 8 * bool(flags & 0x1000))
    return Within(kind, at)


_ON_IP: dict[int, Callable[[bytes, int], Within | None]] = {
    4: lambda _, at: Within(IP4, at),
    41: lambda _, at: Within(IP6, at),
    47: _gre,
    97: lambda _, at: Within(BRIDGED, at + 2),
    137: lambda _, at: Within(0x8847, at),
}
"""IP in IP, 6in4, GRE, EtherIP, MPLS in IP."""


def within_udp(source: int, destination: int, data: bytes, at: int) -> Within | None:
    """Return what a tunnel over UDP carries; ``at`` is where the payload begins. None when this is none."""
    for port in (destination, source):
        if find := _ON_UDP.get(port):
            return find(data, at)
    return None


def _vxlan(data: bytes, at: int) -> Within | None:
    return Within(BRIDGED, at + 8) if data[at] & 8 else None


def _vxlan_gpe(data: bytes, at: int) -> Within | None:
    return Within(_GPE[data[at + 3]], at + 8) if data[at] & 12 == 12 and data[at + 3] in _GPE else None


def _geneve(data: bytes, at: int) -> Within | None:
    return Within(u16(data, at + 2), at + 8 + (data[at] & 63) * 4) if data[at] < 64 else None


def _l2tp(data: bytes, at: int) -> Within | None:
    """Look into a data message of L2TP, RFC 2661."""
    flags = u16(data, at)
    if flags & 0x8000 or flags & 15 != 2:
        return None
    at += 6 + 2 * bool(flags & 0x4000) + 4 * bool(flags & 0x0800)
    return Within(PPP, at + 2 + u16(data, at) if flags & 0x0200 else at)


_ON_UDP: dict[int, Callable[[bytes, int], Within | None]] = {
    1701: _l2tp,
    4789: _vxlan,
    4790: _vxlan_gpe,
    6081: _geneve,
    6635: lambda _, at: Within(0x8847, at),
}
TUNNEL_PORTS = {1701: "L2TP", 4789: "VXLAN", 4790: "VXLAN-GPE", 6081: "Geneve", 6635: "MPLS"}
"""Names of the tunnels over UDP, by port."""
