"""The field tree of a packet without tshark: the headers every packet has, named as Wireshark names them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

from netmon_tui.domain.counted import counted
from netmon_tui.domain.packet import Layer
from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_fields import By, Decoders, Following, Tree
from netmon_tui.tools.packet_line import ether, ipv4, ipv6, u16, u32
from netmon_tui.tools.packet_network import ETHERTYPES, IP_PROTOCOLS
from netmon_tui.tools.packet_parts import link_part, skip_extensions
from netmon_tui.tools.packet_tree_tunnels import TUNNELS
from netmon_tui.tools.packet_tunnels import BRIDGED, PPP, TUNNEL_PORTS
from netmon_tui.tools.pcap import RawPacket

_TCP_FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]
_MOST_LAYERS = 24


def describe(raw: RawPacket, linktype: int) -> tuple[Layer, ...]:
    """Return the layers of a packet as far as the built-in decoders go; never raises.

    Args:
        raw: The packet.
        linktype: LINKTYPE number of its file.
    """
    tree = Tree(raw.data)
    _frame(tree, raw, linktype)
    try:
        following = _link(tree, linktype)
        for _ in range(_MOST_LAYERS):
            decoder = None if following is None else _DECODERS.get((following.by, following.number))
            if following is None or decoder is None:
                break
            following = decoder(tree, following.at)
    except (struct.error, IndexError):
        tree.layer("_ws.malformed", "[The packet ends inside this header]")
    return tree.layers()


def _frame(tree: Tree, raw: RawPacket, linktype: int) -> None:
    tree.layer("frame", f"Frame {raw.number}: {raw.length} bytes on wire, {raw.captured} bytes captured")
    tree.field("frame.encap_type", "Encapsulation type", link_layers.link_type_name(linktype), 0, 0)
    seconds, nanoseconds = divmod(raw.nanoseconds, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    tree.field("frame.time", "Arrival Time", f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds:09d} UTC", 0, 0)
    tree.field("frame.number", "Frame Number", str(raw.number), 0, 0)
    tree.field("frame.len", "Frame Length", f"{raw.length} bytes", 0, 0)
    tree.field("frame.cap_len", "Capture Length", f"{raw.captured} bytes", 0, 0)


def _link(tree: Tree, linktype: int) -> Following | None:
    if linktype == link_layers.ETHERNET:
        return _ethernet(tree, 0)
    if linktype in (link_layers.PPP, link_layers.PPP_SERIAL):
        return Following(By.ETHERTYPE, PPP, 0)
    link = link_part(tree.data, linktype)
    if link is None:
        return None
    if linktype in (link_layers.LINUX_SLL, link_layers.LINUX_SLL2):
        tree.layer("sll", "Linux cooked capture")
        at, after = (14, 16) if linktype == link_layers.LINUX_SLL else (0, 20)
        return _by_type(tree, "sll.etype", at)._replace(at=after)
    if linktype == link_layers.C_HDLC:
        tree.layer("chdlc", "Cisco HDLC")
        return _by_type(tree, "chdlc.protocol", 2)
    if linktype in (link_layers.NULL, link_layers.LOOP):
        tree.layer("null", "Null/Loopback")
        tree.field("null.type", "Type", _type_words(link.kind), 0, 4)
    return Following(By.ETHERTYPE, link.kind, link.at)


def _ethernet(tree: Tree, at: int) -> Following:
    destination, source = ether(tree.data, at), ether(tree.data, at + 6)
    tree.layer("eth", f"Ethernet II, Src: {source}, Dst: {destination}")
    tree.field("eth.dst", "Destination", destination, at, 6)
    tree.field("eth.src", "Source", source, at + 6, 6)
    return _by_type(tree, "eth.type", at + 12)


def _by_type(tree: Tree, name: str, at: int) -> Following:
    """Add the ethertype at an offset and return what decodes the bytes after it."""
    kind = u16(tree.data, at)
    tree.field(name, "Type", _type_words(kind), at, 2)
    return Following(By.ETHERTYPE, kind, at + 2)


def _type_words(kind: int) -> str:
    return f"{ {0x0800: 'IPv4', 0x86DD: 'IPv6', **ETHERTYPES}.get(kind, 'Unknown') } (0x{kind:04x})"


def _vlan(tree: Tree, at: int) -> Following:
    tag = u16(tree.data, at)
    tree.layer("vlan", f"802.1Q Virtual LAN, PRI: {tag >> 13}, DEI: {tag >> 12 & 1}, ID: {tag & 0xFFF}")
    tree.field("vlan.priority", "Priority", str(tag >> 13), at, 2)
    tree.field("vlan.id", "ID", str(tag & 0xFFF), at, 2)
    return _by_type(tree, "vlan.etype", at + 2)


def _arp(tree: Tree, at: int) -> Following | None:
    tree.layer("arp", "Address Resolution Protocol")
    tree.number("arp.opcode", "Opcode", at + 6, 2)
    tree.field("arp.src.hw_mac", "Sender MAC address", ether(tree.data, at + 8), at + 8, 6)
    tree.field("arp.src.proto_ipv4", "Sender IP address", ipv4(tree.data, at + 14), at + 14, 4)
    tree.field("arp.dst.hw_mac", "Target MAC address", ether(tree.data, at + 18), at + 18, 6)
    tree.field("arp.dst.proto_ipv4", "Target IP address", ipv4(tree.data, at + 24), at + 24, 4)
    return None


def _ip4(tree: Tree, at: int) -> Following | None:
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
    return None if fragment & 0x1FFF or header < 20 else Following(By.IP_PROTOCOL, protocol, at + header)


def _ip6(tree: Tree, at: int) -> Following | None:
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
    protocol, behind, inside = skip_extensions(tree.data, at + 40, protocol)
    return None if inside else Following(By.IP_PROTOCOL, protocol, behind)


def _icmp(tree: Tree, at: int) -> Following:
    return _control(tree, at, "icmp", "Internet Control Message Protocol")


def _icmp6(tree: Tree, at: int) -> Following:
    return _control(tree, at, "icmpv6", "Internet Control Message Protocol v6")


def _control(tree: Tree, at: int, name: str, label: str) -> Following:
    tree.layer(name, label)
    tree.number(f"{name}.type", "Type", at, 1)
    tree.number(f"{name}.code", "Code", at + 1, 1)
    tree.number(f"{name}.checksum", "Checksum", at + 2, 2, base=16)
    return Following(By.NOTHING, 0, at + 4)


def _tcp(tree: Tree, at: int) -> Following | None:
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
    return None if header < 20 else Following(By.NOTHING, 0, at + header)


def _udp(tree: Tree, at: int) -> Following:
    source, destination = u16(tree.data, at), u16(tree.data, at + 2)
    tree.layer("udp", f"User Datagram Protocol, Src Port: {source}, Dst Port: {destination}")
    tree.number("udp.srcport", "Source Port", at, 2)
    tree.number("udp.dstport", "Destination Port", at + 2, 2)
    tree.number("udp.length", "Length", at + 4, 2)
    tree.number("udp.checksum", "Checksum", at + 6, 2, base=16)
    port = next((port for port in (destination, source) if port in TUNNEL_PORTS), None)
    return Following(By.NOTHING if port is None else By.UDP_PORT, port or 0, at + 8)


def _payload(tree: Tree, at: int) -> Following | None:
    rest = tree.data[at:]
    if rest:
        tree.layer("data", f"Data ({counted(len(rest), 'byte')})")
        shown = rest[:64].hex() + ("…" if len(rest) > 64 else "")
        tree.field("data.data", "Data", shown, at, len(rest))
    return None


_DECODERS: Decoders = {
    (By.ETHERTYPE, 0x0800): _ip4,
    (By.ETHERTYPE, 0x86DD): _ip6,
    (By.ETHERTYPE, 0x0806): _arp,
    (By.ETHERTYPE, BRIDGED): _ethernet,
    (By.ETHERTYPE, 0x8100): _vlan,
    (By.ETHERTYPE, 0x9100): _vlan,
    (By.IP_PROTOCOL, 1): _icmp,
    (By.IP_PROTOCOL, 6): _tcp,
    (By.IP_PROTOCOL, 17): _udp,
    (By.IP_PROTOCOL, 58): _icmp6,
    (By.NOTHING, 0): _payload,
    **TUNNELS,
}
