"""rtnetlink messages that ask the kernel for the way to one address. Layouts of ``linux/rtnetlink.h``."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from netmon_tui.tools.rtnetlink_messages import attribute, message, read_attributes

_NEWROUTE, _GETROUTE = 24, 26
_REQUEST = 0x1
_WHOLE_ROUTE = 0x2000
"""RTM_F_FIB_MATCH: the entry of the routing table with all its hops, not the one hop that is taken now."""
_DST, _SRC, _OIF, _GATEWAY, _MULTIPATH, _VIA = 1, 2, 4, 5, 9, 18

_HEADER = Struct("=IHHII")
_ROUTE = Struct("=BBBBBBBBI")
"""struct rtmsg: family, lengths of destination and source, tos, table, protocol, scope, type, flags."""
_HOP = Struct("=HBBi")
"""struct rtnexthop: length, flags, hops, ifindex."""
_NUMBER = Struct("=I")


class NextHop(NamedTuple):
    """Where packets go first."""

    ifindex: int
    gateway: str
    """Empty where the address itself is a neighbour."""


def route_request(address: str, source: str, ifindex: int, sequence: int, *, whole: bool) -> bytes:
    """Return the request for the way to an address.

    Args:
        address: IPv4 or IPv6, without a zone.
        source: The own address that is spoken from; empty where that does not matter.
        ifindex: Of the interface to leave by, for a link-local address; 0 for any.
        sequence: Number of the request.
        whole: Ask for all hops of the route.
    """
    number, packed = _packed(address)
    bits = len(packed) * 8
    flags = _WHOLE_ROUTE if whole else 0
    body = _ROUTE.pack(number, bits, bits if source else 0, 0, 0, 0, 0, 0, flags) + attribute(_DST, packed)
    if source:
        body += attribute(_SRC, _packed(source)[1])
    if ifindex:
        body += attribute(_OIF, _NUMBER.pack(ifindex))
    return message(_GETROUTE, _REQUEST, sequence, body)


def _packed(address: str) -> tuple[int, bytes]:
    parsed = ipaddress.ip_address(address)
    return socket.AF_INET if parsed.version == 4 else socket.AF_INET6, parsed.packed


def read_hops(datagram: bytes) -> list[NextHop]:
    """Return the next hops of a route; none when the datagram is not one.

    Raises:
        InvalidInput: the datagram is cut.
    """
    if len(datagram) < _HEADER.size + _ROUTE.size:
        return []
    length, kind, *_ = _HEADER.unpack_from(datagram)
    if kind != _NEWROUTE:
        return []
    found = read_attributes(datagram, _HEADER.size + _ROUTE.size, min(length, len(datagram)))
    hops = [_hop(_NUMBER.unpack(found[_OIF])[0], found)] if _OIF in found else []
    return hops + list(_hops(found.get(_MULTIPATH, b"")))


def _hops(payload: bytes) -> Iterator[NextHop]:
    offset = 0
    while len(payload) - offset >= _HOP.size:
        length, _, _, ifindex = _HOP.unpack_from(payload, offset)
        if length < _HOP.size:
            return
        end = min(offset + length, len(payload))
        yield _hop(ifindex, read_attributes(payload, offset + _HOP.size, end))
        offset += (length + 3) & ~3


def _hop(ifindex: int, found: dict[int, bytes]) -> NextHop:
    """Return a hop; that of an IPv4 route may have an IPv6 address (RFC 5549)."""
    packed = found.get(_GATEWAY) or found.get(_VIA, b"")[2:]
    return NextHop(ifindex, str(ipaddress.ip_address(packed)) if len(packed) in (4, 16) else "")
