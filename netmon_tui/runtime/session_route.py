"""Which neighbour entries carry the SSH sessions to this machine, that of the user among them.

The environment names one, but not always the one that somebody sits at: in a tmux that was attached again it is the
one of yesterday, and without one (a service, an emptied environment) it is none. So all connections to sshd are
looked at too; but anybody can open one, without ever logging in: they are a reason to ask, and none to refuse.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address
from typing import NamedTuple

from netmon_tui.domain.address import plain_address
from netmon_tui.runtime.interfaces import SshSession
from netmon_tui.runtime.netlink_requests import KernelLine
from netmon_tui.runtime.proc_net import rows
from netmon_tui.tools.rtnetlink_routes import NextHop, read_hops, route_request

_CONNECTIONS = ("tcp", "tcp6")
_SSH_PORT = 22
_ESTABLISHED = "01"


class Carriers(NamedTuple):
    """(interface, address) of the entries that the packets to SSH clients need.

    A client itself, on any interface (an empty name): it may be reached by another one tomorrow. And the
    gateways of its route, all of a multipath route and those that a redirect put in their place.
    """

    named: frozenset[tuple[str, str]] = frozenset()
    """Of the session that the environment names."""
    others: frozenset[tuple[str, str]] = frozenset()
    """Of the connections to sshd, whoever opened them, where the named session does not need them."""


def session_carriers(session: SshSession | None) -> Carriers:
    """Return the entries that carry SSH sessions to this machine. Blocks shortly.

    Args:
        session: The one that the environment names.
    """
    ports = {_SSH_PORT, session.server_port if session else _SSH_PORT}
    # of many from one client to one address, one says it all
    by_way = {(one.client, one.server): one for one in ssh_connections(ports)}
    try:
        with KernelLine() as line:
            named = _carriers([session] if session else [], line)
            others = _carriers(by_way.values(), line)
    except OSError:
        named, others = _clients([session] if session else []), _clients(by_way.values())
    return Carriers(named, others - named)


def ssh_connections(ports: set[int]) -> Iterator[SshSession]:
    """Yield the connections from elsewhere to these ports of this machine, as the kernel lists them (proc(5))."""

    def read(words: list[str]) -> SshSession | None:
        _, server, client, state, *_ = words
        if state == _ESTABLISHED and int(server.rpartition(":")[2], 16) in ports:
            return SshSession(*_end(client), *_end(server))
        return None

    for name in _CONNECTIONS:
        yield from (one for one in rows(name, read, head=1) if one is not None)


def _end(text: str) -> tuple[str, int]:
    """Read ``0100007F:0016``: words of 32 bits in the byte order of the machine, and a port."""
    digits, _, port = text.partition(":")
    words = [digits[place : place + 8] for place in range(0, len(digits), 8)]
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    return str(ip_address(packed)), int(port, 16)


def _clients(sessions: Iterable[SshSession]) -> frozenset[tuple[str, str]]:
    return frozenset(("", plain_address(one.client)) for one in sessions)


def _carriers(sessions: Collection[SshSession], line: KernelLine) -> frozenset[tuple[str, str]]:
    gateways = (_place(hop) for one in sessions for hop in _hops(line, one))
    return _clients(sessions) | {place for place in gateways if place is not None}


def _hops(line: KernelLine, session: SshSession) -> Iterator[NextHop]:
    """Yield what every way of asking tells: with and without our address, for the present hop and for all."""
    ifindex, peer = _zone_index(session.client), plain_address(session.client)
    server = plain_address(session.server)
    same_family = ip_address(server).version == ip_address(peer).version
    for source in (server, "") if same_family else ("",):
        for whole in (False, True):
            request = route_request(peer, source, ifindex, line.next_sequence, whole=whole)
            try:
                yield from read_hops(line.ask(request))
            except OSError:  # no answer: the next client's route may still be told
                return


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
