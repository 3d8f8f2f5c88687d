"""How many packets of a file are of the protocols that are counted while one captures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from netmon_tui.tools.packet_parts import ARP, IPV4, IPV6, TCP, UDP, link_part
from netmon_tui.tools.pcap import RawPacket

_OF_IP = {TCP: "tcp", UDP: "udp", 1: "icmp"}
_OF_IPV6 = {TCP: "tcp", UDP: "udp", 58: "icmp"}
_FRAGMENT = 44


def count_protocols(packets: Iterable[RawPacket], linktype: int) -> Counter[str]:
    """Return how many packets are ``tcp``, ``udp``, ``icmp`` (of both kinds) and ``arp``, as BPF counts them."""
    return Counter(name for raw in packets if (name := _protocol(raw.data, linktype)))


def _protocol(data: bytes, linktype: int) -> str:
    """Return the protocol of a packet; empty for another one."""
    link = link_part(data, linktype)
    if link is None:
        return ""
    if link.kind == ARP:
        return "arp"
    if link.kind == IPV4:
        return _OF_IP.get(_byte(data, link.at + 9), "")
    if link.kind != IPV6:
        return ""
    kind = _byte(data, link.at + 6)
    return _OF_IPV6.get(_byte(data, link.at + 40) if kind == _FRAGMENT else kind, "")


def _byte(data: bytes, at: int) -> int:
    return data[at] if at < len(data) else -1
