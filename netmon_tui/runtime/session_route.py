"""Which neighbour entries carry the SSH session that this program is used through."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import ip_address

from netmon_tui.domain.address import plain_address
from netmon_tui.runtime.interfaces import SshSession
from netmon_tui.runtime.netlink_requests import KernelLine
from netmon_tui.tools.rtnetlink_routes import NextHop, read_hops, route_request


def session_carriers(session: SshSession | None) -> frozenset[tuple[str, str]]:
    """Return (interface, address) of the entries that the session's packets to the client need. Blocks shortly.

    The client itself, on any interface (an empty name): it may be reached by another one tomorrow. And the
    gateways of its route, all of a multipath route and those that a redirect put in their place.
    """
    if session is None:
        return frozenset()
    peer = plain_address(session.client)
    try:
        with KernelLine() as line:
            hops = list(_hops(line, session, peer))
    except OSError:
        hops = []
    return frozenset([("", peer), *(place for hop in hops if (place := _place(hop)) is not None)])


def _hops(line: KernelLine, session: SshSession, peer: str) -> Iterator[NextHop]:
    """Yield what every way of asking tells: with and without our address, for the present hop and for all."""
    ifindex = _zone_index(session.client)
    server = plain_address(session.server)
    same_family = ip_address(server).version == ip_address(peer).version
    for source in (server, "") if same_family else ("",):
        for whole in (False, True):
            request = route_request(peer, source, ifindex, line.next_sequence, whole=whole)
            yield from read_hops(line.ask(request))


def _zone_index(address: str) -> int:
    """Return the ifindex that the zone of an address names, 0 without one."""
    zone = address.partition("%")[2]
    try:
        return socket.if_nametoindex(zone) if zone else 0
    except OSError:
        return 0


def _place(hop: NextHop) -> tuple[str, str] | None:
    try:
        return (socket.if_indextoname(hop.ifindex), hop.gateway) if hop.gateway else None
    except OSError:
        return None
