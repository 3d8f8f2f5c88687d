"""Where in a packet's bytes the addresses and ports are: enough to choose by them or to replace them.

Readers return what they found and stop where bytes are missing, so that no byte beyond the packet is ever believed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from netmon_tui.domain.address import parse_ip
from netmon_tui.errors import InvalidInput
from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_tunnels import (
    DEEPEST,
    TUNNEL_PORTS,
    VLAN_TAGS,
    Within,
    after_authentication,
    within_ip,
    within_type,
    within_udp,
)

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
TCP, UDP = 6, 17
_PORTED = frozenset({TCP, UDP, 132, 136})
_MOST_TAGS = 8
_FAMILIES = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}
_PPP = {0x0021: IPV4, 0x0057: IPV6}
_EXTENSIONS = frozenset({0, 43, 60, 135, 139, 140})
_FRAGMENT = 44
_PLAIN_IPV4 = b"\x08\0"
_PPP_LINKS = frozenset({link_layers.PPP, link_layers.PPP_SERIAL})
_RAW_IP = frozenset({link_layers.RAW, link_layers.IPV4, link_layers.IPV6})
KNOWN_LINK_TYPES = _RAW_IP | {
    link_layers.ETHERNET,
    link_layers.LINUX_SLL,
    link_layers.LINUX_SLL2,
    link_layers.NULL,
    link_layers.LOOP,
    link_layers.C_HDLC,
    *_PPP_LINKS,
}
"""Those in whose packets the addresses can be found."""


class LinkPart(NamedTuple):
    """The link header of a packet."""

    macs: tuple[int, ...]
    """Where a MAC address begins."""
    kind: int
    """Ethertype of what follows; 0 for none that is known."""
    at: int
    """Where what follows begins."""


class Ends(NamedTuple):
    """Who speaks with whom."""

    addresses: frozenset[bytes]
    """IP addresses, packed: of every header of IP, tunnels included, or of ARP."""
    macs: frozenset[bytes]
    protocol: int = 0
    """Of the innermost IP."""
    ends: frozenset[tuple[bytes, bytes]] = frozenset()
    """Pairs of its addresses and ports; a port is empty where there is none."""


class IpPart(NamedTuple):
    """A header of IP."""

    source: bytes
    """Packed."""
    destination: bytes
    hops: int
    protocol: int
    """What IP carries, behind extension headers."""
    at: int
    """Where that begins; the end of the packet in a later fragment."""


def link_part(data: bytes | bytearray, linktype: int) -> LinkPart | None:
    """Return the link header; None when it is cut or of a link type that is not known."""
    if linktype == link_layers.ETHERNET:
        return _tagged(data, (0, 6), 12) if len(data) >= 14 else None
    if linktype == link_layers.LINUX_SLL:
        return _tagged(data, (6,) if data[4:6] == b"\0\6" else (), 14) if len(data) >= 16 else None
    if linktype == link_layers.LINUX_SLL2:
        return _cooked2(data) if len(data) >= 20 else None
    if linktype in _RAW_IP and data:
        return LinkPart((), {4: IPV4, 6: IPV6}.get(data[0] >> 4, 0), 0)
    if linktype in (link_layers.NULL, link_layers.LOOP) and len(data) >= 4:
        family = int.from_bytes(data[:4], "big")
        if linktype == link_layers.NULL and family > 0xFFFF:  # in the byte order of the machine
            family = int.from_bytes(data[:4], "little")
        return LinkPart((), _FAMILIES.get(family, 0), 4)
    if linktype == link_layers.C_HDLC and len(data) >= 4:
        return LinkPart((), number(data, 2), 4)
    if linktype in _PPP_LINKS and len(data) >= 4:
        at = 2 if data[:2] == b"\xff\x03" else 0
        return LinkPart((), _PPP.get(number(data, at), 0), at + 2)
    return None


def _cooked2(data: bytes | bytearray) -> LinkPart:
    macs = (12,) if data[11] == 6 else ()
    kind, at = _untagged(data, number(data, 0), 20)
    return LinkPart(macs, kind, at)


def _tagged(data: bytes | bytearray, macs: tuple[int, ...], type_at: int) -> LinkPart:
    kind, at = _untagged(data, number(data, type_at), type_at + 2)
    return LinkPart(macs, kind, at)


def _untagged(data: bytes | bytearray, kind: int, at: int) -> tuple[int, int]:
    """Go through VLAN tags."""
    for _ in range(_MOST_TAGS):
        if kind not in VLAN_TAGS or at + 4 > len(data):
            break
        kind, at = number(data, at + 2), at + 4
    return (0, at) if kind in VLAN_TAGS else (kind, at)


def number(data: bytes | bytearray, at: int) -> int:
    """Return the 16-bit number in network byte order at an offset; less where the bytes end."""
    return int.from_bytes(data[at : at + 2], "big")


def skip_extensions(data: bytes | bytearray, at: int, protocol: int) -> tuple[int, int, bool]:
    """Go through the extension headers of IPv6.

    Returns:
        The protocol behind them, where it begins, and whether it is the middle of a fragmented packet.
    """
    while at + 8 <= len(data):
        if protocol in _EXTENSIONS:
            protocol, at = data[at], at + 8 + data[at + 1] * 8
        elif protocol == _FRAGMENT:
            offset = number(data, at + 2) & 0xFFF8
            protocol, at = data[at], at + 8
            if offset:
                return protocol, at, True
        else:
            break
    return protocol, at, False


def ip_parts(data: bytes, kind: int, at: int) -> Iterator[IpPart]:
    """Yield the headers of IP of a packet from an ethertype on, the outermost first; there are a few at most."""
    for _ in range(DEEPEST):
        part = _ip_part(data, kind, at)
        if part is not None:
            yield part
        try:
            within = within_type(kind, data, at) if part is None else _within(data, part)
        except (struct.error, IndexError):
            return
        if within is None:
            return
        kind, at = within


def _ip_part(data: bytes, kind: int, at: int) -> IpPart | None:
    if kind == IPV4 and at + 20 <= len(data) and data[at] >> 4 == 4:
        header, whole = (data[at] & 0x0F) * 4, not number(data, at + 6) & 0x1FFF
        pair = data[at + 12 : at + 16], data[at + 16 : at + 20]
        return IpPart(*pair, data[at + 8], data[at + 9], at + header if whole else len(data))
    if kind == IPV6 and at + 40 <= len(data) and data[at] >> 4 == 6:
        protocol, behind, inside = skip_extensions(data, at + 40, data[at + 6])
        pair = data[at + 8 : at + 24], data[at + 24 : at + 40]
        return IpPart(*pair, data[at + 7], protocol, len(data) if inside else behind)
    return None


def _within(data: bytes, part: IpPart) -> Within | None:
    """Return the packet that IP carries in a tunnel."""
    if part.protocol == UDP:
        ports = number(data, part.at), number(data, part.at + 2)
        return None if TUNNEL_PORTS.keys().isdisjoint(ports) else within_udp(*ports, data, part.at + 8)
    protocol, at = after_authentication(part.protocol, data, part.at)
    return within_ip(protocol, data, at)


def ports_of(data: bytes, part: IpPart) -> tuple[bytes, bytes]:
    """Return the ports behind a header of IP; empty where there are none."""
    if part.protocol in _PORTED and part.at + 4 <= len(data):
        return data[part.at : part.at + 2], data[part.at + 2 : part.at + 4]
    return b"", b""


def ends_of(data: bytes, linktype: int) -> Ends | None:
    """Return who speaks with whom in a packet; None when that cannot be seen."""
    link = link_part(data, linktype)
    if link is None:
        return None
    macs = frozenset(data[at : at + 6] for at in link.macs)
    at = link.at
    if link.kind == ARP and data[at + 4 : at + 6] == b"\6\4" and at + 28 <= len(data):
        owners = data[at + 14 : at + 18], data[at + 24 : at + 28]
        return Ends(frozenset(owners), macs | {data[at + 8 : at + 14]})
    parts = list(ip_parts(data, link.kind, at))
    if not parts:
        return Ends(frozenset(), macs)
    addresses = frozenset(address for part in parts for address in part[:2])
    last = parts[-1]
    pairs = zip(last[:2], ports_of(data, last), strict=True)
    return Ends(addresses, macs, last.protocol, frozenset(pairs))


def packed_address(text: str) -> bytes:
    """Return an IP address (4 or 16 bytes) or a MAC address (6 bytes) as packets have it.

    Raises:
        InvalidInput: It is neither.
    """
    if (parsed := parse_ip(text.strip())) is not None:
        return parsed.packed
    digits = text.strip().replace("-", ":").split(":")
    if len(digits) == 6 and all(len(pair) == 2 for pair in digits):
        try:
            return bytes.fromhex("".join(digits))
        except ValueError:
            pass
    raise InvalidInput(
        f"{text.strip()[:60]!a} is no IP or MAC address", fix="such as 192.0.2.1 or 52:54:00:12:34:56"
    )


def has_addresses(data: bytes, linktype: int, addresses: frozenset[bytes]) -> bool:
    """Whether a packet has all these addresses (packed). What does not even hold the bytes is not taken apart."""
    is_plain = linktype == link_layers.ETHERNET and data[12:14] == _PLAIN_IPV4
    if is_plain and addresses <= {data[26:30], data[30:34], data[:6], data[6:12]}:  # 4 us less
        return True
    if not all(address in data for address in addresses):
        return False
    found = ends_of(data, linktype)
    return found is not None and addresses <= found.addresses | found.macs


def is_between(data: bytes, linktype: int, ends: Ends) -> bool:
    """Whether a packet is of the same conversation, in either direction."""
    if not all(address in data for address in ends.addresses):
        return False
    found = ends_of(data, linktype)
    if found is None:
        return False
    return (
        found[0] == ends.addresses
        and found[2:] == ends[2:]
        and (bool(found.addresses) or found.macs == ends.macs)
    )
