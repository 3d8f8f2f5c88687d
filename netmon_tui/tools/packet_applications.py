"""Protocols above TCP and UDP in the packet list, recognised by port and by how they begin.

A payload that only looks like one of them leaves the transport's line as it is.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import partial

from netmon_tui.tools.packet_line import Line, text, u16, u32
from netmon_tui.tools.packet_names import dns
from netmon_tui.tools.packet_tls import tls
from netmon_tui.tools.packet_tunnels import TUNNEL_PORTS, within_udp

_HTTP = re.compile(
    rb"(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT) [^\r\n]+ HTTP/1\.[01]"
    rb"|HTTP/1\.[01] [0-9]{3}[^\r\n]*"
)
_SSDP = re.compile(rb"(?:M-SEARCH|NOTIFY) [^\r\n]+|HTTP/1\.[01] [0-9]{3}[^\r\n]*")
_SSH = re.compile(rb"SSH-[12]\.[0-9]+-[^\r\n]*")
_TFTP = {1: "Read Request", 2: "Write Request", 3: "Data Packet", 4: "Acknowledgement", 5: "Error Code"}
_NTP_MODES = (
    "reserved",
    "symmetric active",
    "symmetric passive",
    "client",
    "server",
    "broadcast",
    "control",
    "private",
)
_L2TP = 1701
_DHCP_COOKIE = b"\x63\x82\x53\x63"
_DHCP = ("", "Discover", "Offer", "Request", "Decline", "ACK", "NAK", "Release", "Inform")
_DHCP6 = (
    "",
    "Solicit",
    "Advertise",
    "Request",
    "Confirm",
    "Renew",
    "Rebind",
    "Reply",
    "Release",
    "Decline",
    "Reconfigure",
    "Information-request",
    "Relay-forw",
    "Relay-reply",
)

_Decoder = Callable[[Line, bytes], bool]


def tcp_application(line: Line, payload: bytes, source: int, destination: int) -> None:
    """Name what a TCP segment carries, if its first bytes say so."""
    head = payload[:512]
    if found := _HTTP.match(head):
        line.protocol, line.info = "HTTP", text(found[0])
    elif found := _SSH.match(head):
        side = "Server" if source == 22 or source < destination else "Client"
        line.protocol, line.info = "SSH", f"{side}: Protocol ({text(found[0])})"
    elif 53 in (source, destination) and len(payload) > 14:
        _attempt(line, dns, payload[2:])
    elif payload[0] in range(20, 24) and payload[1:2] == b"\x03":
        _attempt(line, tls, payload)


def udp_application(line: Line, payload: bytes, source: int, destination: int) -> None:
    """Name what a datagram carries, if its port and its bytes agree."""
    for port in (destination, source):
        decoder = _UDP.get(port)
        if decoder and _attempt(line, decoder, payload):
            return


def _attempt(line: Line, decoder: _Decoder, payload: bytes) -> bool:
    """Let a decoder try; when the bytes end too early, the line is as it was before."""
    before = line.protocol, line.info
    try:
        return decoder(line, payload)
    except (struct.error, IndexError):
        if line.cut:
            raise  # the capture is short, not the packet: that is worth saying
        line.protocol, line.info = before
        return False


def _multicast_dns(line: Line, payload: bytes) -> bool:
    done = dns(line, payload)
    if done:
        line.protocol = "MDNS"
    return done


def _link_local_names(line: Line, payload: bytes) -> bool:
    done = dns(line, payload)
    if done:
        line.protocol = "LLMNR"
    return done


def _dhcp(line: Line, payload: bytes) -> bool:
    operation, transaction = payload[0], u32(payload, 4)
    if operation not in (1, 2):
        return False
    line.protocol = "DHCP"
    line.info = f"Boot {'Request' if operation == 1 else 'Reply'} - Transaction ID 0x{transaction:x}"
    if payload[236:240] == _DHCP_COOKIE:
        kind = _dhcp_kind(payload)
        name = _DHCP[kind] if 0 < kind < len(_DHCP) else f"type {kind}"
        line.info = f"DHCP {name:<8} - Transaction ID 0x{transaction:x}"
    return True


def _dhcp_kind(payload: bytes) -> int:
    """Return option 53 of a DHCP message, or 0."""
    at = 240
    while payload[at] != 255:
        if payload[at] == 53:
            return payload[at + 2]
        at += 1 if payload[at] == 0 else 2 + payload[at + 1]
    return 0


def _dhcp6(line: Line, payload: bytes) -> bool:
    kind = payload[0]
    if not 0 < kind < len(_DHCP6):
        return False
    line.protocol, line.info = "DHCPv6", f"{_DHCP6[kind]} XID: 0x{u32(payload, 0) & 0xFFFFFF:x}"
    return True


def _ntp(line: Line, payload: bytes) -> bool:
    version, mode = payload[0] >> 3 & 7, payload[0] & 7
    if len(payload) < 12 or not 1 <= version <= 4:
        return False
    line.protocol, line.info = "NTP", f"NTP Version {version}, {_NTP_MODES[mode]}"
    return True


def _ssdp(line: Line, payload: bytes) -> bool:
    found = _SSDP.match(payload[:512])
    if found:
        line.protocol, line.info = "SSDP", text(found[0])
    return bool(found)


def _tftp(line: Line, payload: bytes) -> bool:
    name = _TFTP.get(u16(payload, 0))
    if name:
        line.protocol, line.info = "TFTP", name
    return bool(name)


def _syslog(line: Line, payload: bytes) -> bool:
    if payload[:1] != b"<" or b">" not in payload[:5]:
        return False
    line.protocol, line.info = "Syslog", text(payload[:256])
    return True


def _tunnel(line: Line, payload: bytes, port: int) -> bool:
    within = within_udp(port, port, payload, 0)
    if within is None and port != _L2TP:
        return False
    line.protocol = TUNNEL_PORTS[port]
    if within is None:
        line.info = "Control Message"
    else:
        line.carried = within.kind, payload[within.at :]
    return True


def _encapsulated(line: Line, payload: bytes) -> bool:
    """Decode what IPsec sends over UDP, RFC 3948; zeros in the place of an SPI are a message about keys."""
    if payload == b"\xff":
        line.protocol, line.info = "UDPENCAP", "NAT-keepalive"
    elif index := u32(payload, 0):
        line.protocol, line.info = "ESP", f"ESP (SPI=0x{index:08x})"
    return True


_UDP: dict[int, _Decoder] = {
    **{port: partial(_tunnel, port=port) for port in TUNNEL_PORTS},
    4500: _encapsulated,
    53: dns,
    67: _dhcp,
    68: _dhcp,
    69: _tftp,
    123: _ntp,
    514: _syslog,
    546: _dhcp6,
    547: _dhcp6,
    1900: _ssdp,
    5353: _multicast_dns,
    5355: _link_local_names,
}
