"""How far hosts are, by ICMP echo requests of our own (RFC 792, RFC 4443)."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence

_ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
"""Type of a request and of its reply."""
_HEADER = struct.Struct("!BBHHH")
"""Type, code, checksum, identifier, sequence number."""
_LONGEST = 2_048


def round_trips(addresses: Sequence[str], seconds: float) -> list[float]:
    """Ping every address once; return the round trips, in seconds, of those that answer. Blocks.

    The first packet to a neighbour waits for its lladdr: that time is in it.

    Args:
        addresses: Of one family.
        seconds: How long to wait; it returns sooner when all have answered.

    Returns:
        Nothing where this process may not ping.
    """
    family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
    try:
        pinging = _open(family)
    except OSError:
        return []
    with pinging:
        token = os.urandom(16)
        began = {address: time.monotonic() for address in addresses if _send(pinging, address, token)}
        return list(_answers(pinging, began, token, time.monotonic() + seconds))


def _open(family: socket.AddressFamily) -> socket.socket:
    """Return a socket that does not wait; raises OSError where neither kind is allowed."""
    protocol = socket.IPPROTO_ICMPV6 if family is socket.AF_INET6 else socket.IPPROTO_ICMP
    flags = socket.SOCK_NONBLOCK
    try:
        # for everybody in the groups of net.ipv4.ping_group_range
        return socket.socket(family, socket.SOCK_DGRAM | flags, protocol)
    except OSError:
        return socket.socket(family, socket.SOCK_RAW | flags, protocol)


def _send(pinging: socket.socket, address: str, token: bytes) -> bool:
    """Whether a request could be sent: without a route it cannot."""
    request, _ = _ECHO[pinging.family]
    plain = _HEADER.pack(request, 0, 0, 0, 1) + token
    try:
        # of ICMPv6, and of a socket that is not raw, the kernel counts the checksum again
        pinging.sendto(plain[:2] + _checksum(plain) + plain[4:], (address, 0))
    except OSError:
        return False
    return True


def _checksum(packet: bytes) -> bytes:
    """Return the checksum of RFC 1071 over a packet of even length."""
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF)


def _answers(
    pinging: socket.socket, began: dict[str, float], token: bytes, deadline: float
) -> Iterator[float]:
    news = select.poll()
    news.register(pinging, select.POLLIN)
    while began and (left := deadline - time.monotonic()) > 0:
        if not news.poll(left * 1000):
            return
        try:
            packet, (sender, *_) = pinging.recvfrom(_LONGEST)
        except OSError:  # what the network says of a host that it does not reach
            continue
        if sender in began and _is_reply(pinging, packet, token):
            yield time.monotonic() - began.pop(sender)


def _is_reply(pinging: socket.socket, packet: bytes, token: bytes) -> bool:
    """Whether a packet answers us: a raw socket also gets what others are told, and IPv4 with its header."""
    if pinging.family is socket.AF_INET and pinging.type is socket.SOCK_RAW:
        packet = packet[4 * (packet[0] & 0x0F) :]
    _, reply = _ECHO[pinging.family]
    return packet[:1] == bytes([reply]) and packet[_HEADER.size :] == token
