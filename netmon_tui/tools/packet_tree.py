"""The field tree of a packet without tshark: the headers every packet has, named as Wireshark names them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime

from netmon_tui.domain.counted import counted
from netmon_tui.domain.packet import Field, Layer
from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_line import ether, ipv4, ipv6, u16, u32
from netmon_tui.tools.packet_network import ETHERTYPES, IP_PROTOCOLS
from netmon_tui.tools.pcap import RawPacket

_TCP_FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]
_VLAN_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
_MOST_LAYERS = 24


class _Tree:
    """Layers in the making; reading past the end raises and leaves the fields found so far."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._open: list[tuple[str, str, list[Field]]] = []

    def layer(self, name: str, label: str) -> None:
        """Begin a protocol."""
        self._open.append((name, label, []))

    def field(self, name: str, label: str, value: str, at: int, size: int) -> None:
        """Add a field to the protocol begun last."""
        self._open[-1][2].append(Field(name, f"{label}: {value}", value, at, size))

    def number(self, name: str, label: str, at: int, size: int, *, base: int = 10) -> int:
        """Add a number in network byte order as a field and return it."""
        if at + size > len(self.data):
            raise IndexError
        value = int.from_bytes(self.data[at : at + size], "big")
        self.field(name, label, f"0x{value:0{size * 2}x}" if base == 16 else str(value), at, size)
        return value

    def layers(self) -> tuple[Layer, ...]:
        """Return what has been found."""
        return tuple(Layer(name, tuple(fields), label) for name, label, fields in self._open)


_Next = tuple[Callable[..., "_Next | None"], tuple[int, ...]]
"""The decoder of what follows, and its arguments: an offset and what else it needs."""


def describe(raw: RawPacket, linktype: int) -> tuple[Layer, ...]:
    """Return the layers of a packet as far as the built-in decoders go; never raises.

    Args:
        raw: The packet.
        linktype: LINKTYPE number of its file.
    """
    tree = _Tree(raw.data)
    _frame(tree, raw, linktype)
    following = _first(linktype, raw.data)
    try:
        for _ in range(_MOST_LAYERS):
            if following is None:
                break
            decoder, arguments = following
            following = decoder(tree, *arguments)
    except (struct.error, IndexError):
        tree.layer("_ws.malformed", "[The packet ends inside this header]")
    return tree.layers()


def _frame(tree: _Tree, raw: RawPacket, linktype: int) -> None:
    tree.layer("frame", f"Frame {raw.number}: {raw.length} bytes on wire, {raw.captured} bytes captured")
    tree.field("frame.encap_type", "Encapsulation type", link_layers.link_type_name(linktype), 0, 0)
    seconds, nanoseconds = divmod(raw.nanoseconds, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    tree.field("frame.time", "Arrival Time", f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds:09d} UTC", 0, 0)
    tree.field("frame.number", "Frame Number", str(raw.number), 0, 0)
    tree.field("frame.len", "Frame Length", f"{raw.length} bytes", 0, 0)
    tree.field("frame.cap_len", "Capture Length", f"{raw.captured} bytes", 0, 0)


def _first(linktype: int, data: bytes) -> _Next | None:
    if linktype == link_layers.ETHERNET:
        return _ethernet, ()
    if linktype == link_layers.LINUX_SLL:
        return _cooked, (14, 16)
    if linktype == link_layers.LINUX_SLL2:
        return _cooked, (0, 20)
    if linktype in (link_layers.RAW, link_layers.IPV4, link_layers.IPV6):
        return (_ip6 if data[:1] >= b"\x60" else _ip4), (0,)
    return None


def _ethernet(tree: _Tree) -> _Next | None:
    destination, source = ether(tree.data, 0), ether(tree.data, 6)
    tree.layer("eth", f"Ethernet II, Src: {source}, Dst: {destination}")
    tree.field("eth.dst", "Destination", destination, 0, 6)
    tree.field("eth.src", "Source", source, 6, 6)
    return _by_type(tree, "eth.type", 12)


def _cooked(tree: _Tree, type_at: int, size: int) -> _Next | None:
    tree.layer("sll", "Linux cooked capture")
    following = _by_type(tree, "sll.etype", type_at)
    return None if following is None else (following[0], (size,))


def _by_type(tree: _Tree, name: str, at: int) -> _Next | None:
    """Add the ethertype at an offset and return what decodes the bytes after it."""
    kind = u16(tree.data, at)
    known = {0x0800: "IPv4", 0x86DD: "IPv6", **ETHERTYPES}.get(kind, "Unknown")
    tree.field(name, "Type", f"{known} (0x{kind:04x})", at, 2)
    decoders: dict[int, Callable[..., _Next | None]] = {0x0800: _ip4, 0x86DD: _ip6, 0x0806: _arp}
    decoder = _vlan if kind in _VLAN_TAGS else decoders.get(kind)
    return None if decoder is None else (decoder, (at + 2,))


def _vlan(tree: _Tree, at: int) -> _Next | None:
    tag = u16(tree.data, at)
    tree.layer("vlan", f"802.1Q Virtual LAN, PRI: {tag >> 13}, DEI: {tag >> 12 & 1}, ID: {tag & 0xFFF}")
    tree.field("vlan.priority", "Priority", str(tag >> 13), at, 2)
    tree.field("vlan.id", "ID", str(tag & 0xFFF), at, 2)
    return _by_type(tree, "vlan.etype", at + 2)


def _arp(tree: _Tree, at: int) -> None:
    tree.layer("arp", "Address Resolution Protocol")
    tree.number("arp.opcode", "Opcode", at + 6, 2)
    tree.field("arp.src.hw_mac", "Sender MAC address", ether(tree.data, at + 8), at + 8, 6)
    tree.field("arp.src.proto_ipv4", "Sender IP address", ipv4(tree.data, at + 14), at + 14, 4)
    tree.field("arp.dst.hw_mac", "Target MAC address", ether(tree.data, at + 18), at + 18, 6)
    tree.field("arp.dst.proto_ipv4", "Target IP address", ipv4(tree.data, at + 24), at + 24, 4)


def _ip4(tree: _Tree, at: int) -> _Next | None:
    source, destination = ipv4(tree.data, at + 12), ipv4(tree.data, at + 16)
    tree.layer("ip", f"Internet Protocol Version 4, Src: {source}, Dst: {destination}")
    header = (tree.data[at] & 15) * 4
    tree.field("ip.version", "Version", str(tree.data[at] >> 4), at, 1)
    tree.field("ip.hdr_len", "Header Length", f"{header} bytes", at, 1)
    tree.number("ip.dsfield", "Differentiated Services Field", at + 1, 1, base=16)
    tree.number("ip.len", "Total Length", at + 2, 2)
    tree.number("ip.id", "Identification", at + 4, 2, base=16)
    fragment = u16(tree.data, at + 6)
    flags = ", ".join(
        name for bit, name in ((2, "Don't fragment"), (1, "More fragments")) if fragment >> 13 & bit
    )
    tree.field("ip.flags", "Flags", f"0x{fragment >> 13:x}{flags and f', {flags}'}", at + 6, 1)
    tree.field("ip.frag_offset", "Fragment Offset", str((fragment & 0x1FFF) * 8), at + 6, 2)
    tree.number("ip.ttl", "Time to Live", at + 8, 1)
    protocol = tree.data[at + 9]
    tree.field("ip.proto", "Protocol", f"{IP_PROTOCOLS.get(protocol, 'Unknown')} ({protocol})", at + 9, 1)
    tree.number("ip.checksum", "Header Checksum", at + 10, 2, base=16)
    tree.field("ip.src", "Source Address", source, at + 12, 4)
    tree.field("ip.dst", "Destination Address", destination, at + 16, 4)
    return None if fragment & 0x1FFF or header < 20 else _by_protocol(protocol, at + header)


def _ip6(tree: _Tree, at: int) -> _Next | None:
    source, destination = ipv6(tree.data, at + 8), ipv6(tree.data, at + 24)
    tree.layer("ipv6", f"Internet Protocol Version 6, Src: {source}, Dst: {destination}")
    tree.field("ipv6.version", "Version", str(tree.data[at] >> 4), at, 1)
    tree.field("ipv6.flow", "Flow Label", f"0x{u32(tree.data, at) & 0xFFFFF:05x}", at + 1, 3)
    tree.number("ipv6.plen", "Payload Length", at + 4, 2)
    protocol = tree.data[at + 6]
    tree.field("ipv6.nxt", "Next Header", f"{IP_PROTOCOLS.get(protocol, 'Unknown')} ({protocol})", at + 6, 1)
    tree.number("ipv6.hlim", "Hop Limit", at + 7, 1)
    tree.field("ipv6.src", "Source Address", source, at + 8, 16)
    tree.field("ipv6.dst", "Destination Address", destination, at + 24, 16)
    return _by_protocol(protocol, at + 40)


def _by_protocol(protocol: int, at: int) -> _Next | None:
    decoders: dict[int, Callable[..., _Next | None]] = {
        1: _icmp, 4: _ip4, 6: _tcp, 17: _udp, 41: _ip6, 58: _icmp,
    }  # fmt: skip
    decoder = decoders.get(protocol)
    return None if decoder is None else (decoder, (at,))


def _icmp(tree: _Tree, at: int) -> _Next:
    tree.layer("icmp", "Internet Control Message Protocol")
    tree.number("icmp.type", "Type", at, 1)
    tree.number("icmp.code", "Code", at + 1, 1)
    tree.number("icmp.checksum", "Checksum", at + 2, 2, base=16)
    return _payload, (at + 4,)


def _tcp(tree: _Tree, at: int) -> _Next | None:
    source, destination = u16(tree.data, at), u16(tree.data, at + 2)
    tree.layer("tcp", f"Transmission Control Protocol, Src Port: {source}, Dst Port: {destination}")
    tree.number("tcp.srcport", "Source Port", at, 2)
    tree.number("tcp.dstport", "Destination Port", at + 2, 2)
    tree.number("tcp.seq_raw", "Sequence Number (raw)", at + 4, 4)
    tree.number("tcp.ack_raw", "Acknowledgment number (raw)", at + 8, 4)
    header, flags = (tree.data[at + 12] >> 4) * 4, tree.data[at + 13]
    tree.field("tcp.hdr_len", "Header Length", f"{header} bytes", at + 12, 1)
    names = ", ".join(name for bit, name in enumerate(_TCP_FLAGS) if flags >> bit & 1)
    tree.field("tcp.flags", "Flags", f"0x{flags:03x} ({names or '<None>'})", at + 12, 2)
    tree.number("tcp.window_size_value", "Window", at + 14, 2)
    tree.number("tcp.checksum", "Checksum", at + 16, 2, base=16)
    tree.number("tcp.urgent_pointer", "Urgent Pointer", at + 18, 2)
    return None if header < 20 else (_payload, (at + header,))


def _udp(tree: _Tree, at: int) -> _Next:
    source, destination = u16(tree.data, at), u16(tree.data, at + 2)
    tree.layer("udp", f"User Datagram Protocol, Src Port: {source}, Dst Port: {destination}")
    tree.number("udp.srcport", "Source Port", at, 2)
    tree.number("udp.dstport", "Destination Port", at + 2, 2)
    tree.number("udp.length", "Length", at + 4, 2)
    tree.number("udp.checksum", "Checksum", at + 6, 2, base=16)
    return _payload, (at + 8,)


def _payload(tree: _Tree, at: int) -> None:
    rest = tree.data[at:]
    if rest:
        tree.layer("data", f"Data ({counted(len(rest), 'byte')})")
        shown = rest[:64].hex() + ("…" if len(rest) > 64 else "")
        tree.field("data.data", "Data", shown, at, len(rest))
