"""Making the kernel ask for a neighbour, without privileges: a datagram to the discard port needs its lladdr."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress

from netmon_tui.domain.address import parse_ip

_DISCARD = 9
"""RFC 863: what is sent there is thrown away."""


def nudge(neighbours: Iterable[tuple[str, str]]) -> None:
    """Send an empty datagram to each (interface, address); what cannot be sent is left out.

    A kernel that is not sure any more whether a neighbour is there asks it then, and tells what came of it.
    """
    for interface, address in neighbours:
        parsed = parse_ip(address)
        if parsed is None:
            continue
        family = socket.AF_INET6 if parsed.version == 6 else socket.AF_INET
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
            sender.sendto(b"", (address, _DISCARD))
