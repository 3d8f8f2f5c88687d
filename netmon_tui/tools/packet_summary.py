"""One line of the packet list from the bytes of one packet: Wireshark's columns in Wireshark's words.

Built here because a list that pages through millions of packets cannot wait for tshark (0.3 s to start, 18 s
for a million). Each packet stands alone: no reassembly, no relative sequence numbers. Every byte is hostile:
whatever it is, there is a line, and text from the packet is passed on as it is (the gate cleans it where it
is shown).
"""

from __future__ import annotations

import struct

from netmon_tui.domain.packet import PacketSummary
from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_line import Line, ether, u16, u32
from netmon_tui.tools.packet_network import ETHERTYPES, network
from netmon_tui.tools.packet_tunnels import (
    BRIDGED,
    DEEPEST,
    MPLS,
    PPP,
    PPPOE,
    VLAN_TAGS,
    ppp_protocol,
    within_type,
)
from netmon_tui.tools.pcap import RawPacket

_LONGEST_INFO = 200
_MOST_TAGS = 8
"""VLAN tags in a row that are believed."""
_FAMILIES = {2: 0x0800, 10: 0x86DD, 24: 0x86DD, 28: 0x86DD, 30: 0x86DD}
"""AF_INET and the AF_INET6 of Linux, NetBSD, FreeBSD and macOS, as ethertypes."""
_PPP_PROTOCOLS = {
    0x8021: "PPP IPCP",
    0x8057: "PPP IPV6CP",
    0x80FD: "PPP CCP",
    0xC021: "PPP LCP",
    0xC023: "PPP PAP",
    0xC223: "PPP CHAP",
}
"""Names of what PPP carries beside packets, https://www.iana.org/assignments/ppp-numbers."""
_PPP_CODES = {
    1: "Configuration Request",
    2: "Configuration Ack",
    3: "Configuration Nak",
    4: "Configuration Reject",
    5: "Termination Request",
    6: "Termination Ack",
    7: "Code Reject",
    8: "Protocol Reject",
    9: "Echo Request",
    10: "Echo Reply",
}
"""RFC 1661, chapter 5."""
_DISCOVERY = {
    0x07: "Active Discovery Offer (PADO)",
    0x09: "Active Discovery Initiation (PADI)",
    0x19: "Active Discovery Request (PADR)",
    0x65: "Active Discovery Session-confirmation (PADS)",
    0xA7: "Active Discovery Terminate (PADT)",
}
"""RFC 2516, chapter 5."""


def summarise(raw: RawPacket, linktype: int) -> PacketSummary:
    """Return the line of a packet; never raises, whatever the bytes are.

    Args:
        raw: The packet.
        linktype: LINKTYPE number of its file.
    """
    line = Line(cut=raw.captured < raw.length)
    try:
        _link(line, raw.data, linktype)
        if line.carried is not None:
            _go_deeper(line)
    except (struct.error, IndexError):
        # The one way out of every decoder: bytes that should be there are not.
        mark = f"[Packet size limited during capture: {line.protocol} truncated]"
        line.info = f"{line.info} {mark if line.cut else f'[Malformed Packet: {line.protocol}]'}".strip()
    return PacketSummary(
        raw.number,
        raw.time,
        line.source,
        line.destination,
        line.protocol,
        raw.length,
        line.info[:_LONGEST_INFO],
    )


def _go_deeper(line: Line) -> None:
    """Decode the packets within, one after the other: as calls of calls they could use up the stack."""
    for _ in range(DEEPEST):
        if line.carried is None:
            break
        (kind, payload), line.carried = line.carried, None
        if kind == BRIDGED:
            _ethernet(line, payload)
        else:
            _typed(line, kind, payload)


def _link(line: Line, data: bytes, linktype: int) -> None:
    """Decode the link layer and what it carries."""
    if linktype == link_layers.ETHERNET:
        _ethernet(line, data)
    elif linktype == link_layers.LINUX_SLL:
        _cooked(line, u16(data, 4), data[6:14], u16(data, 14), data[16:])
    elif linktype == link_layers.LINUX_SLL2:
        _cooked(line, data[11], data[12:20], u16(data, 0), data[20:])
    elif linktype in (link_layers.RAW, link_layers.IPV4, link_layers.IPV6):
        line.protocol = "IP"
        network(line, 0x86DD if data[0] >> 4 == 6 else 0x0800, data)
    elif linktype == link_layers.C_HDLC:
        line.protocol = "CHDLC"
        _typed(line, u16(data, 2), data[4:])
    elif linktype in (link_layers.NULL, link_layers.LOOP):
        _loopback(line, data, host_order=linktype == link_layers.NULL)
    elif linktype in (link_layers.PPP, link_layers.PPP_SERIAL):
        _tunnel(line, PPP, data)
    else:
        line.protocol = link_layers.link_type_name(linktype)
        line.info = f"{len(data)} bytes"


def _ethernet(line: Line, data: bytes) -> None:
    line.protocol = "Ethernet"
    line.destination, line.source = ether(data, 0), ether(data, 6)
    _typed(line, u16(data, 12), data[14:])


def _cooked(line: Line, address_size: int, address: bytes, kind: int, payload: bytes) -> None:
    """Decode the header of Linux's cooked captures, as ``-i any`` makes them."""
    line.protocol = "SLL"
    if address_size == 6:
        line.source = ether(address, 0)
    _typed(line, kind, payload)


def _loopback(line: Line, data: bytes, *, host_order: bool) -> None:
    """Decode BSD's loopback: the family is in the machine's byte order (NULL) or the network's (LOOP)."""
    line.protocol = "Null/Loopback"
    family = u32(data, 0)
    if host_order and family > 0xFFFF:
        family = int.from_bytes(data[:4], "little")
    _typed(line, _FAMILIES.get(family, 0), data[4:])


def _typed(line: Line, kind: int, payload: bytes) -> None:
    """Decode a payload by its ethertype, going through VLAN tags; below 0x600 it is an 802.3 length."""
    tags: list[str] = []
    while kind in VLAN_TAGS and len(tags) < _MOST_TAGS:
        line.protocol = "802.1Q"
        tag = u16(payload, 0)
        tags.append(f"PRI: {tag >> 13} DEI: {tag >> 12 & 1} ID: {tag & 0xFFF}")
        line.info = " ".join(tags)
        kind, payload = u16(payload, 2), payload[4:]
    if kind < 0x600:
        _logical_link(line, payload, kind)
    elif kind == BRIDGED:
        line.carried = BRIDGED, payload
    elif not network(line, kind, payload) and not _tunnel(line, kind, payload):
        line.protocol = ETHERTYPES.get(kind, f"0x{kind:04x}")
        line.info = line.info or f"Ethertype 0x{kind:04x}, {len(payload)} bytes"


def _tunnel(line: Line, kind: int, payload: bytes) -> bool:
    """Decode what goes on with another packet, and leave that to be decoded; False when this is none."""
    if kind == PPP:
        _ppp(line, payload)
    elif kind == 0x8863:
        line.protocol, line.info = "PPPoED", _DISCOVERY.get(payload[1], f"Code 0x{payload[1]:02x}")
    elif kind == PPPOE:
        line.protocol, line.info = "PPPoES", "Session Data"
    elif kind in MPLS:
        line.protocol, line.info = "MPLS", "MPLS Label Switched Packet"
    else:
        return False
    if (within := within_type(kind, payload, 0)) is not None:
        line.carried = within.kind, payload[within.at :]
    return True


def _ppp(line: Line, payload: bytes) -> None:
    number, at = ppp_protocol(payload, 0)
    line.protocol = _PPP_PROTOCOLS.get(number, "PPP")
    line.info = f"Protocol 0x{number:04x}"
    if number in _PPP_PROTOCOLS:
        line.info = _PPP_CODES.get(payload[at], f"Code {payload[at]}")


def _logical_link(line: Line, payload: bytes, length: int) -> None:
    """Decode IEEE 802.2: spanning tree by name, SNAP by its type, the rest by its access points."""
    line.protocol = "LLC"
    destination, source = payload[0], payload[1]
    if destination == source == 0x42:
        line.protocol, kind = "STP", payload[6]
        line.info = {0: "Conf.", 2: "RST.", 0x80: "Topology Change Notification"}.get(
            kind, f"BPDU type {kind}"
        )
    elif destination == source == 0xAA and payload[3:6] == b"\0\0\0" and u16(payload, 6) >= 0x600:
        line.carried = u16(payload, 6), payload[8:]
    else:
        line.info = f"DSAP 0x{destination:02x} SSAP 0x{source:02x}, {length} bytes"
