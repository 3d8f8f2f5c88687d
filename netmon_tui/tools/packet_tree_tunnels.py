"""The field tree's decoders of tags, labels and tunnels, named as Wireshark names them."""

from __future__ import annotations

from netmon_tui.tools.packet_fields import By, Decoders, Following, Tree
from netmon_tui.tools.packet_line import u16, u32
from netmon_tui.tools.packet_tunnels import (
    PPP,
    PPPOE,
    TUNNEL_PORTS,
    Within,
    ppp_protocol,
    within_ip,
    within_type,
    within_udp,
)


def _on(within: Within | None, otherwise: int) -> Following:
    """Return what comes after a tunnel's header: the packet within, or bytes."""
    if within is None:
        return Following(By.NOTHING, 0, otherwise)
    return Following(By.ETHERTYPE, within.kind, within.at)


def _service_tag(tree: Tree, at: int) -> Following:
    tag = u16(tree.data, at)
    tree.layer("ieee8021ad", f"IEEE 802.1ad, ID: {tag & 0xFFF}")
    tree.field("ieee8021ad.priority", "Priority", str(tag >> 13), at, 2)
    tree.field("ieee8021ad.id", "ID", str(tag & 0xFFF), at, 2)
    return Following(By.ETHERTYPE, u16(tree.data, at + 2), at + 4)


def _mpls(tree: Tree, at: int) -> Following:
    label = u32(tree.data, at)
    words = f"Label: {label >> 12}, Exp: {label >> 9 & 7}, S: {label >> 8 & 1}, TTL: {label & 255}"
    tree.layer("mpls", f"MultiProtocol Label Switching Header, {words}")
    tree.field("mpls.label", "MPLS Label", str(label >> 12), at, 3)
    tree.field("mpls.exp", "MPLS Experimental Bits", str(label >> 9 & 7), at + 2, 1)
    tree.field("mpls.bottom", "MPLS Bottom Of Label Stack", str(label >> 8 & 1), at + 2, 1)
    tree.field("mpls.ttl", "MPLS TTL", str(label & 255), at + 3, 1)
    if not label & 0x100:
        return Following(By.ETHERTYPE, 0x8847, at + 4)
    return _on(within_type(0x8847, tree.data, at), at + 4)


def _discovery(tree: Tree, at: int) -> Following:
    tree.layer("pppoed", "PPP-over-Ethernet Discovery")
    return _pppoe(tree, at, Following(By.NOTHING, 0, at + 6))


def _session(tree: Tree, at: int) -> Following:
    tree.layer("pppoes", "PPP-over-Ethernet Session")
    return _pppoe(tree, at, Following(By.ETHERTYPE, PPP, at + 6))


def _pppoe(tree: Tree, at: int, following: Following) -> Following:
    tree.number("pppoe.code", "Code", at + 1, 1, base=16)
    tree.number("pppoe.session_id", "Session ID", at + 2, 2, base=16)
    tree.number("pppoe.payload_length", "Payload Length", at + 4, 2)
    return following


def _ppp(tree: Tree, at: int) -> Following:
    number, after = ppp_protocol(tree.data, at)
    tree.layer("ppp", "Point-to-Point Protocol")
    tree.field("ppp.protocol", "Protocol", f"0x{number:04x}", at, after - at)
    return _on(within_type(PPP, tree.data, at), after)


def _gre(tree: Tree, at: int) -> Following:
    tree.layer("gre", "Generic Routing Encapsulation")
    flags = tree.number("gre.flags_and_version", "Flags and Version", at, 2, base=16)
    kind = tree.number("gre.proto", "Protocol Type", at + 2, 2, base=16)
    if flags & 0x2007 == 0x2000:
        tree.number("gre.key", "Key", at + 4 + 4 * (flags >> 15), 4, base=16)
    if kind == 0x88BE:
        tree.layer("erspan", "Encapsulated Remote Switch Packet ANalysis")
    return _on(within_ip(47, tree.data, at), at + 4)


def _ethernet_in_ip(tree: Tree, at: int) -> Following:
    tree.layer("etherip", "Ethernet over IP")
    tree.field("etherip.ver", "Version", str(tree.data[at] >> 4), at, 1)
    return _on(within_ip(97, tree.data, at), at + 2)


def _ip4_in_ip(_tree: Tree, at: int) -> Following:
    return Following(By.ETHERTYPE, 0x0800, at)


def _ip6_in_ip(_tree: Tree, at: int) -> Following:
    return Following(By.ETHERTYPE, 0x86DD, at)


def _mpls_in_ip(_tree: Tree, at: int) -> Following:
    return Following(By.ETHERTYPE, 0x8847, at)


def _vxlan(tree: Tree, at: int) -> Following:
    return _virtual_network(tree, at, 4789, "vxlan", "Virtual eXtensible Local Area Network")


def _vxlan_gpe(tree: Tree, at: int) -> Following:
    return _virtual_network(
        tree, at, 4790, "vxlan", "Virtual eXtensible Local Area Network, Generic Protocol Extension"
    )


def _virtual_network(tree: Tree, at: int, port: int, name: str, label: str) -> Following:
    tree.layer(name, label)
    tree.number(f"{name}.flags", "Flags", at, 2, base=16)
    tree.number(f"{name}.vni", "Virtual Network Identifier (VNI)", at + 4, 3)
    return _on(within_udp(port, port, tree.data, at), at + 8)


def _geneve(tree: Tree, at: int) -> Following:
    tree.layer("geneve", "Generic Network Virtualization Encapsulation")
    tree.number("geneve.proto_type", "Protocol Type", at + 2, 2, base=16)
    tree.number("geneve.vni", "Virtual Network Identifier (VNI)", at + 4, 3)
    return _on(within_udp(6081, 6081, tree.data, at), at + 8)


def _l2tp(tree: Tree, at: int) -> Following:
    tree.layer("l2tp", "Layer 2 Tunneling Protocol")
    flags = tree.number("l2tp.flags", "Flags", at, 2, base=16)
    at_tunnel = at + 2 + 2 * (flags >> 14 & 1)
    tree.number("l2tp.tunnel", "Tunnel ID", at_tunnel, 2)
    tree.number("l2tp.session", "Session ID", at_tunnel + 2, 2)
    return _on(within_udp(1701, 1701, tree.data, at), at_tunnel + 4)


def _esp(tree: Tree, at: int) -> Following:
    tree.layer("esp", "Encapsulating Security Payload")
    tree.number("esp.spi", "ESP SPI", at, 4, base=16)
    tree.number("esp.sequence", "ESP Sequence", at + 4, 4)
    return Following(By.NOTHING, 0, at + 8)


def _authentication(tree: Tree, at: int) -> Following:
    tree.layer("ah", "Authentication Header")
    following = tree.number("ah.next_header", "Next header", at, 1)
    tree.number("ah.spi", "AH SPI", at + 4, 4, base=16)
    tree.number("ah.sequence", "AH Sequence", at + 8, 4)
    return Following(By.IP_PROTOCOL, following, at + 8 + tree.data[at + 1] * 4)


_ON_UDP = {"L2TP": _l2tp, "VXLAN": _vxlan, "VXLAN-GPE": _vxlan_gpe, "Geneve": _geneve, "MPLS": _mpls}

TUNNELS: Decoders = {
    (By.ETHERTYPE, 0x88A8): _service_tag,
    (By.ETHERTYPE, 0x8847): _mpls,
    (By.ETHERTYPE, 0x8848): _mpls,
    (By.ETHERTYPE, 0x8863): _discovery,
    (By.ETHERTYPE, PPPOE): _session,
    (By.ETHERTYPE, PPP): _ppp,
    (By.IP_PROTOCOL, 4): _ip4_in_ip,
    (By.IP_PROTOCOL, 41): _ip6_in_ip,
    (By.IP_PROTOCOL, 47): _gre,
    (By.IP_PROTOCOL, 50): _esp,
    (By.IP_PROTOCOL, 51): _authentication,
    (By.IP_PROTOCOL, 97): _ethernet_in_ip,
    (By.IP_PROTOCOL, 137): _mpls_in_ip,
    **{(By.UDP_PORT, port): _ON_UDP[name] for port, name in TUNNEL_PORTS.items()},
}
