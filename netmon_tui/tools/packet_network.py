"""Network protocols of the packet list: ARP, IPv4, IPv6, ICMP, ICMPv6 and protocols known by number only."""

from __future__ import annotations

from netmon_tui.tools.packet_line import Line, ether, ipv4, ipv6, u16, u32
from netmon_tui.tools.packet_transport import tcp, udp
from netmon_tui.tools.packet_tunnels import ESP, after_authentication, within_ip

ETHERTYPES = {
    0x0806: "ARP",
    0x0842: "WOL",
    0x22F0: "AVTP",
    0x8035: "RARP",
    0x809B: "ATALK",
    0x8137: "IPX",
    0x8808: "MAC CTRL",
    0x8809: "Slow",
    0x8847: "MPLS",
    0x8848: "MPLS",
    0x8863: "PPPoED",
    0x8864: "PPPoES",
    0x888E: "EAPOL",
    0x8892: "PROFINET",
    0x88A4: "ECAT",
    0x88CC: "LLDP",
    0x88E5: "MACSEC",
    0x88F7: "PTPv2",
    0x893A: "IEEE1905",
    0x9000: "LOOP",
}
"""Names of ethertypes, https://www.iana.org/assignments/ieee-802-numbers."""

IP_PROTOCOLS = {
    0: "HOPOPT",
    1: "ICMP",
    2: "IGMP",
    4: "IPIP",
    6: "TCP",
    17: "UDP",
    41: "IPv6",
    46: "RSVP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    59: "No Next Header",
    88: "EIGRP",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    115: "L2TP",
    132: "SCTP",
    136: "UDPLite",
}
"""Names of IP protocols, https://www.iana.org/assignments/protocol-numbers."""

_EXTENSION_HEADERS = frozenset({0, 43, 60, 135, 139, 140})
_FRAGMENT_HEADER = 44
_AUTHENTICATION_HEADER = 51

_UNREACHABLE = {
    0: "Network unreachable",
    1: "Host unreachable",
    2: "Protocol unreachable",
    3: "Port unreachable",
    4: "Fragmentation needed",
    9: "Network administratively prohibited",
    10: "Host administratively prohibited",
    13: "Communication administratively filtered",
}
_ICMP = {
    3: "Destination unreachable",
    4: "Source quench",
    5: "Redirect",
    9: "Router advertisement",
    10: "Router solicitation",
    11: "Time-to-live exceeded",
    12: "Parameter problem",
    13: "Timestamp request",
    14: "Timestamp reply",
    17: "Address mask request",
    18: "Address mask reply",
}
_UNREACHABLE6 = {
    0: "no route to destination",
    1: "Administratively prohibited",
    2: "Beyond scope of source address",
    3: "Address unreachable",
    4: "Port unreachable",
    5: "Source address failed ingress/egress policy",
    6: "Reject route to destination",
}
_ICMP6 = {
    1: "Destination Unreachable",
    2: "Packet Too Big",
    3: "Time Exceeded",
    4: "Parameter Problem",
    130: "Multicast Listener Query",
    131: "Multicast Listener Report",
    132: "Multicast Listener Done",
    133: "Router Solicitation",
    134: "Router Advertisement",
    137: "Redirect",
    143: "Multicast Listener Report Message v2",
}


def network(line: Line, kind: int, payload: bytes) -> bool:
    """Decode a payload by its ethertype; False when we do not know it."""
    if kind == 0x0800:
        _ip4(line, payload)
    elif kind == 0x86DD:
        _ip6(line, payload)
    elif kind == 0x0806:
        _arp(line, payload)
    else:
        return False
    return True


def _arp(line: Line, data: bytes) -> None:
    line.protocol = "ARP"
    if data[4:6] != b"\x06\x04":
        line.info = f"Opcode {u16(data, 6)}, hardware type {u16(data, 0)}, protocol type 0x{u16(data, 2):04x}"
        return
    operation = u16(data, 6)
    sender, sender_ip, target_ip = ether(data, 8), ipv4(data, 14), ipv4(data, 24)
    line.source = line.source or sender
    if operation == 1 and sender_ip == target_ip:
        line.info = f"ARP Announcement for {sender_ip}"
    elif operation == 1 and sender_ip == "0.0.0.0":  # noqa: S104 - a probe's sender, nothing is bound
        line.info = f"Who has {target_ip}? (ARP Probe)"
    elif operation == 1:
        line.info = f"Who has {target_ip}? Tell {sender_ip}"
    elif operation == 2 and sender_ip == target_ip:
        line.info = f"Gratuitous ARP for {sender_ip} (Reply)"
    elif operation == 2:
        line.info = f"{sender_ip} is at {sender}"
    else:
        line.info = f"Opcode {operation}"


def _ip4(line: Line, data: bytes) -> None:
    line.protocol = "IPv4"
    header = (data[0] & 0x0F) * 4
    if data[0] >> 4 != 4 or header < 20:
        line.info = f"Bogus IPv4 version ({data[0] >> 4}) or header length ({header})"
        return
    length, identification, fragment, line.hops, protocol = (
        u16(data, 2), u16(data, 4), u16(data, 6), data[8], data[9]
    )  # fmt: skip
    line.source, line.destination = ipv4(data, 12), ipv4(data, 16)
    if fragment & 0x3FFF:
        offset = (fragment & 0x1FFF) * 8
        line.info = (
            f"Fragmented IP protocol (proto={_named(protocol)}, off={offset}, ID={identification:04x})"
        )
        return
    end = length if header <= length <= len(data) else len(data)  # 0 in packets that the card will segment
    _transport(line, protocol, data[header:end], max(length - header, end - header))


def _ip6(line: Line, data: bytes) -> None:
    line.protocol = "IPv6"
    if data[0] >> 4 != 6:
        line.info = f"Bogus IPv6 version ({data[0] >> 4})"
        return
    length, following, line.hops = u16(data, 4), data[6], data[7]
    line.source, line.destination = ipv6(data, 8), ipv6(data, 24)
    end = 40 + length if length and 40 + length <= len(data) else len(data)
    protocol, at = _skip_extensions(line, data, following)
    if not line.fragment:
        _transport(line, protocol, data[at:end], max(40 + length, end) - at)


def _skip_extensions(line: Line, data: bytes, following: int) -> tuple[int, int]:
    """Return the protocol after IPv6's extension headers and where it begins; note a fragment in the line."""
    at = 40
    while True:  # ends: each turn moves at least 8 bytes on, and reading past the end raises
        if following in _EXTENSION_HEADERS:
            following, at = data[at], at + 8 + data[at + 1] * 8
        elif following == _AUTHENTICATION_HEADER:
            following, at = data[at], at + 8 + data[at + 1] * 4
        elif following == _FRAGMENT_HEADER:
            line.fragment = bool(u16(data, at + 2) & 0xFFF9)
            following, offset, identification = data[at], u16(data, at + 2) & 0xFFF8, u32(data, at + 4)
            at += 8
            if line.fragment:
                more = "y" if u16(data, at - 6) & 1 else "n"
                line.info = (
                    f"IPv6 fragment (off={offset} more={more} ident=0x{identification:08x} nxt={following})"
                )
                return following, at
        else:
            return following, at


def _transport(line: Line, protocol: int, data: bytes, length: int) -> None:
    """Decode what IP carries. ``length`` is what the IP header promised, in bytes."""
    if protocol == 6:
        tcp(line, data, length)
    elif protocol == 17:
        udp(line, data)
    elif protocol == 1:
        _icmp(line, data)
    elif protocol == 58:
        _icmp6(line, data)
    elif protocol == _AUTHENTICATION_HEADER:
        line.protocol, line.info = "AH", f"AH (SPI=0x{u32(data, 4):08x})"
        protocol, at = after_authentication(protocol, data, 0)
        _transport(line, protocol, data[at:], length - at)
    elif protocol == ESP:
        line.protocol, line.info = "ESP", f"ESP (SPI=0x{u32(data, 0):08x})"
    else:
        line.protocol = IP_PROTOCOLS.get(protocol, f"IP protocol {protocol}")
        line.info = f"{_named(protocol)}, {length} bytes"
        if (within := within_ip(protocol, data, 0)) is not None:
            line.carried = within.kind, data[within.at :]


def _named(protocol: int) -> str:
    return f"{IP_PROTOCOLS.get(protocol, 'Unknown')} {protocol}"


def _icmp(line: Line, data: bytes) -> None:
    line.protocol = "ICMP"
    kind, code = data[0], data[1]
    if kind in (0, 8):
        word = "request " if kind else "reply   "
        line.info = f"Echo (ping) {word} {_echo(data)}, ttl={line.hops}"
    elif kind == 3:
        line.info = f"{_ICMP[3]} ({_UNREACHABLE.get(code, f'code {code}')})"
    elif kind == 5:
        line.info = f"Redirect (Gateway {ipv4(data, 4)})"
    elif kind == 11:
        where = "in transit" if code == 0 else "during reassembly"
        line.info = f"{_ICMP[11]} (Time to live exceeded {where})"
    else:
        line.info = _ICMP.get(kind, f"Type {kind}, code {code}")


def _echo(data: bytes) -> str:
    """Return identifier and sequence number, the latter in both byte orders as Wireshark shows it."""
    identifier, sequence = u16(data, 4), u16(data, 6)
    swapped = (sequence & 0xFF) << 8 | sequence >> 8
    return f"id=0x{identifier:04x}, seq={sequence}/{swapped}"


def _icmp6(line: Line, data: bytes) -> None:
    line.protocol = "ICMPv6"
    kind, code = data[0], data[1]
    if kind in (128, 129):
        word = "request" if kind == 128 else "reply"
        line.info = f"Echo (ping) {word} id=0x{u16(data, 4):04x}, seq={u16(data, 6)}, hop limit={line.hops}"
    elif kind == 1:
        line.info = f"{_ICMP6[1]} ({_UNREACHABLE6.get(code, f'code {code}')})"
    elif kind == 2:
        line.info = f"{_ICMP6[2]} (MTU {u32(data, 4)})"
    elif kind == 3:
        line.info = f"{_ICMP6[3]} ({'hop limit exceeded in transit' if code == 0 else 'fragment reassembly'})"
    elif kind == 135:
        line.info = f"Neighbour Solicitation for {ipv6(data, 8)}{_link_layer_option(data, 24, ' from ')}"
    elif kind == 136:
        flags = ", ".join(n for bit, n in ((0x80, "rtr"), (0x40, "sol"), (0x20, "ovr")) if data[4] & bit)
        flagged = f" ({flags})" if flags else ""
        line.info = (
            f"Neighbour Advertisement {ipv6(data, 8)}{flagged}{_link_layer_option(data, 24, ' is at ')}"
        )
    elif kind in (133, 134):
        line.info = f"{_ICMP6[kind]}{_link_layer_option(data, 8 if kind == 133 else 16, ' from ')}"
    else:
        line.info = _ICMP6.get(kind, f"Type {kind}, code {code}")


def _link_layer_option(data: bytes, at: int, before: str) -> str:
    """Return the link-layer address among the options of neighbour discovery, or an empty string."""
    while at + 8 <= len(data) and data[at + 1]:
        if data[at] in (1, 2):
            return before + ether(data, at + 2)
        at += data[at + 1] * 8
    return ""
