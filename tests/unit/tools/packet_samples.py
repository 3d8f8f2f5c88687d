"""Frames of many protocols, built by hand for the tests of the packet list; all addresses are documentation's."""

import socket
import struct

from netmon_tui.tools.pcap import RawPacket, make_header, pack_record

MAC_A, MAC_B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
IP_A, IP_B = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
IP6_A, IP6_B = (socket.inet_pton(socket.AF_INET6, a) for a in ("2001:db8::1", "2001:db8::2"))
LINK_LOCAL = socket.inet_pton(socket.AF_INET6, "fe80::1")
ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")


def file_of(*frames, nanoseconds=10**18, step=0):
    """A capture file of these frames, the first at a time and each so much after the one before."""
    header = make_header()
    packets = (RawPacket(1, nanoseconds + at * step, len(data), data) for at, data in enumerate(frames))
    return header.data + b"".join(pack_record(header, packet) for packet in packets)


def ethernet(kind, payload):
    return MAC_B + MAC_A + struct.pack(">H", kind) + payload


def ip4(protocol, payload, fragment=0, source=IP_A, destination=IP_B):
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0xABCD, fragment, 64, protocol, 0)
    return header + source + destination + payload


def ip6(protocol, payload, source=IP6_A, destination=IP6_B):
    return struct.pack(">IHBB", 0x60000000, len(payload), protocol, 255) + source + destination + payload


def tcp(source, destination, flags, payload=b"", options=b""):
    size = 20 + len(options)
    return (
        struct.pack(">HHIIHHHH", source, destination, 1000, 2000, size // 4 << 12 | flags, 502, 0, 0)
        + options
        + payload
    )


def udp(source, destination, payload):
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def dns_query(text, kind=1, flags=0x0100, identifier=0x1234):
    return struct.pack(">HHHHHH", identifier, flags, 1, 0, 0, 0) + name(text) + struct.pack(">HH", kind, 1)


def dns_response():
    answers = [(5, name("real.example.test")), (1, IP_A), (28, IP6_A)]
    records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", k, 1, 60, len(d)) + d for k, d in answers)
    head = struct.pack(">HHHHHH", 0x1234, 0x8180, 1, 3, 0, 0)
    return head + name("www.example.test") + struct.pack(">HH", 1, 1) + records


def arp(operation, sender=IP_A, target=IP_B):
    return struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + MAC_A + sender + bytes(6) + target


def neighbour(kind, flags=0):
    option = bytes([1 if kind == 135 else 2, 1]) + MAC_A
    message = struct.pack(">BBHI", kind, 0, 0, flags << 24) + IP6_B + option
    return ip6(58, checksummed(message, IP6_A, IP6_B))


def checksummed(message, source, destination):
    """tshark says "[Malformed]" of nothing, but writes wrong checksums into its tree; ICMPv6 must have one."""
    pseudo = source + destination + struct.pack(">II", len(message), 58) + message
    padded = pseudo + bytes(len(pseudo) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return message[:2] + struct.pack(">H", ~total & 0xFFFF) + message[4:]


def dhcp(kind):
    fixed = struct.pack(">BBBBIHH", 1, 1, 6, 0, 0x3903F326, 0, 0) + bytes(16) + MAC_A + bytes(10 + 192)
    return fixed + b"\x63\x82\x53\x63" + bytes([53, 1, kind, 255])


def client_hello(server="secret.example.test"):
    sni = struct.pack(">HBH", len(server) + 3, 0, len(server)) + server.encode()
    extensions = struct.pack(">HH", 0, len(sni)) + sni + struct.pack(">HHB", 43, 3, 2) + b"\x03\x04"
    body = b"\x03\x03" + bytes(32) + b"\0" + struct.pack(">H", 2) + b"\x13\x01" + b"\x01\0"
    body += struct.pack(">H", len(extensions)) + extensions
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake


def server_hello():
    extensions = struct.pack(">HH", 43, 2) + b"\x03\x04"
    body = b"\x03\x03" + bytes(32) + b"\0\x13\x01\0" + struct.pack(">H", len(extensions)) + extensions
    handshake = b"\x02" + len(body).to_bytes(3, "big") + body
    record = b"\x16\x03\x03" + struct.pack(">H", len(handshake)) + handshake
    return record + b"\x14\x03\x03\0\x01\x01" + b"\x17\x03\x03\0\x08" + bytes(8)


def icmp(kind, code=0, rest=b"\0\7\0\1"):
    return ip4(1, struct.pack(">BBH", kind, code, 0) + rest + bytes(24))


SYN_OPTIONS = bytes.fromhex("020405b40402080a00000001000000020103030a")[:20]

SAMPLES = {
    "arp request": ethernet(0x0806, arp(1)),
    "arp reply": ethernet(0x0806, arp(2)),
    "arp announcement": ethernet(0x0806, arp(1, IP_A, IP_A)),
    "arp probe": ethernet(0x0806, arp(1, bytes(4), IP_B)),
    "tcp syn": ethernet(0x0800, ip4(6, tcp(44332, 8081, 0x02, options=SYN_OPTIONS))),
    "tcp reset": ethernet(0x0800, ip4(6, tcp(8081, 44332, 0x14))),
    "tcp data": ethernet(0x0800, ip4(6, tcp(44332, 8081, 0x18, b"\0\1\2plain"))),
    "tcp over ipv6": ethernet(0x86DD, ip6(6, tcp(44332, 8081, 0x11))),
    "udp": ethernet(0x0800, ip4(17, udp(40000, 40001, b"plain text"))),
    "dns query": ethernet(0x0800, ip4(17, udp(40000, 53, dns_query("www.example.test")))),
    "dns response": ethernet(0x0800, ip4(17, udp(53, 40000, dns_response()))),
    "dns no such name": ethernet(0x0800, ip4(17, udp(53, 40000, dns_query("no.example.test", 28, 0x8183)))),
    "mdns": ethernet(0x0800, ip4(17, udp(5353, 5353, dns_query("_ssh._tcp.local", 12, 0, 0)))),
    "dns over tcp": ethernet(
        0x0800, ip4(6, tcp(40000, 53, 0x18, struct.pack(">H", 34) + dns_query("www.example.test")))
    ),
    "dhcp discover": ethernet(0x0800, ip4(17, udp(68, 67, dhcp(1)))),
    "dhcp ack": ethernet(0x0800, ip4(17, udp(67, 68, b"\x02" + dhcp(5)[1:]))),
    "ntp": ethernet(0x0800, ip4(17, udp(40000, 123, b"\x23" + bytes(47)))),
    "http request": ethernet(
        0x0800, ip4(6, tcp(40000, 80, 0x18, b"GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n"))
    ),
    "http response": ethernet(
        0x0800, ip4(6, tcp(80, 40000, 0x18, b"HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n"))
    ),
    "ssh banner": ethernet(0x0800, ip4(6, tcp(22, 40000, 0x18, b"SSH-2.0-OpenSSH_9.2p1\r\n"))),
    "tls client": ethernet(0x0800, ip4(6, tcp(40000, 443, 0x18, client_hello()))),
    "tls server": ethernet(0x0800, ip4(6, tcp(443, 40000, 0x18, server_hello()))),
    "ping": ethernet(0x0800, icmp(8)),
    "pong": ethernet(0x0800, icmp(0)),
    "port unreachable": ethernet(0x0800, icmp(3, 3, bytes(4))),
    "ttl exceeded": ethernet(0x0800, icmp(11, 0, bytes(4))),
    "neighbour solicitation": ethernet(0x86DD, neighbour(135)),
    "neighbour advertisement": ethernet(0x86DD, neighbour(136, 0x60)),
    "ping6": ethernet(
        0x86DD, ip6(58, checksummed(struct.pack(">BBHHH", 128, 0, 0, 7, 1) + bytes(8), IP6_A, IP6_B))
    ),
    "fragment": ethernet(0x0800, ip4(17, bytes(32), fragment=0x2000 | 185)),
    "ipv6 fragment": ethernet(0x86DD, ip6(44, struct.pack(">BBHI", 17, 0, 1481, 0x0BADF00D) + bytes(16))),
    "ipv6 hop by hop": ethernet(
        0x86DD, ip6(0, bytes([17, 0, 1, 4, 0, 0, 0, 0]) + udp(40000, 40001, b"plain text"))
    ),
    "vlan": MAC_B
    + MAC_A
    + bytes.fromhex("81000064")
    + ethernet(0x0800, ip4(17, udp(4000, 4001, b"text")))[12:],
    "ip in ip": ethernet(0x0800, ip4(4, ip4(17, udp(40000, 40001, b"plain text")))),
    "ospf": ethernet(0x0800, ip4(89, bytes.fromhex("0201002c") + bytes(40))),
    "igmp": ethernet(0x0800, ip4(2, bytes.fromhex("1600000000000000"))),
    "stp": bytes.fromhex("0180c2000000")
    + MAC_A
    + struct.pack(">H", 38)
    + bytes.fromhex("424203")
    + bytes(35)
    + bytes(8),
}
"""A whole Ethernet frame by what it is."""


INNER = ethernet(0x0800, ip4(17, udp(40000, 40001, b"plain text")))[14:].replace(IP_A + IP_B, IP_B + IP_A)
"""A datagram from B to A: whoever tells A to B stopped at the tunnel."""
PING6 = struct.pack(">BBHHH", 128, 0, 0, 7, 1) + bytes(8)
INNER6 = ip6(58, checksummed(PING6, IP6_B, IP6_A), IP6_B, IP6_A)
FRAME = MAC_A + MAC_B + b"\x08\0" + INNER


def label(number, bottom=True):
    return struct.pack(">I", number << 12 | bottom << 8 | 64)


def over_ip(protocol, payload):
    return ethernet(0x0800, ip4(protocol, payload))


def over_udp(port, payload):
    return over_ip(17, udp(50000, port, payload))


def session(payload):
    return ethernet(0x8864, struct.pack(">BBHH", 0x11, 0, 7, len(payload)) + payload)


ROUTERS = bytes.fromhex("00000c000001 00000c000002")
"""MAC addresses of a maker, by which tshark recognises a pseudo wire."""
VXLAN = b"\x08\0\0\0\0\0\5\0"
AUTHENTICATION = struct.pack(">BBHII", 17, 4, 0, 0x100, 1) + bytes(12)

TUNNELS = {
    "802.1ad": ethernet(0x88A8, bytes.fromhex("006481000065") + b"\x08\0" + INNER),
    "MPLS": ethernet(0x8847, label(16) + INNER),
    "MPLS, two labels": ethernet(0x8847, label(16, bottom=False) + label(17) + INNER6),
    "MPLS, pseudo wire": ethernet(0x8847, label(16) + bytes(4) + ROUTERS + b"\x08\0" + INNER),
    "MPLS, pseudo wire without control word": ethernet(0x8847, label(16) + ROUTERS + b"\x08\0" + INNER),
    "MPLS, unknown": ethernet(0x8847, label(16) + b"\xf0" * 40),
    "PPPoE": session(b"\0\x21" + INNER),
    "PPPoE, IPv6": session(b"\0\x57" + INNER6),
    "PPPoE, LCP": session(b"\xc0\x21\x09\1\0\x08\0\0\0\0"),
    "PPPoE, IPCP": session(b"\x80\x21\1\1\0\x0a\3\6\0\0\0\0"),
    "PPPoE discovery": ethernet(0x8863, bytes.fromhex("110900000004") + b"\1\1\0\0"),
    "GRE": over_ip(47, b"\0\0\x08\0" + INNER),
    "GRE, key, number": over_ip(47, b"\x30\0\x86\xdd" + bytes(7) + b"\1" + INNER6),
    "GRE, bridged": over_ip(47, b"\x20\0\x65\x58\0\0\5\0" + FRAME),
    "GRE, ARP": over_ip(47, b"\0\0\x65\x58" + ethernet(0x0806, arp(1))),
    "GRE, MPLS": over_ip(47, b"\0\0\x88\x47" + label(16) + INNER),
    "GRE, PPTP": over_ip(47, b"\x30\x81\x88\x0b\0\x2a\0\7\0\0\0\1\0\0\0\1" + b"\xff\x03\0\x21" + INNER),
    "GRE, ERSPAN": over_ip(47, b"\x10\0\x88\xbe\0\0\0\1" + b"\x10\0\0\0\0\0\0\0" + FRAME),
    "GRE over IPv6": ethernet(0x86DD, ip6(47, b"\0\0\x08\0" + INNER)),
    "6in4": over_ip(41, INNER6),
    "4in6": ethernet(0x86DD, ip6(4, INNER)),
    "IP in IP in IP": over_ip(4, ip4(4, INNER)),
    "EtherIP": over_ip(97, b"\x30\0" + FRAME),
    "MPLS in IP": over_ip(137, label(16) + INNER),
    "MPLS in UDP": over_udp(6635, label(16) + INNER),
    "VXLAN": over_udp(4789, VXLAN + FRAME),
    "VXLAN, VLAN": over_udp(4789, VXLAN + MAC_A + MAC_B + b"\x81\0\0\5\x86\xdd" + INNER6),
    "VXLAN, ARP": over_udp(4789, VXLAN + ethernet(0x0806, arp(2))),
    "VXLAN-GPE": over_udp(4790, b"\x0c\0\0\1\0\0\5\0" + INNER),
    "Geneve": over_udp(6081, b"\0\0\x65\x58\0\0\5\0" + FRAME),
    "Geneve, options": over_udp(6081, b"\2\0\x08\0\0\0\5\0" + b"\0\x10\0\1" + bytes(4) + INNER),
    "L2TP": over_udp(1701, b"\0\2\0\1\0\1" + b"\xff\x03\0\x21" + INNER),
    "L2TP, length": over_udp(
        1701, struct.pack(">HHHH", 0x4002, 12 + len(INNER), 1, 1) + b"\xff\x03\0\x21" + INNER
    ),
    "L2TP, LCP": over_udp(1701, b"\0\2\0\1\0\1" + b"\xff\x03\xc0\x21\1\1\0\4"),
    "ESP": over_ip(50, struct.pack(">II", 0x1234, 1) + bytes(40)),
    "ESP over UDP": over_udp(4500, struct.pack(">II", 0x1234, 1) + bytes(40)),
    "NAT keepalive": over_udp(4500, b"\xff"),
    "AH": over_ip(51, AUTHENTICATION + udp(40000, 40001, b"plain text")),
    "AH over IPv6": ethernet(
        0x86DD, ip6(51, b"\x3a" + AUTHENTICATION[1:] + checksummed(PING6, IP6_A, IP6_B))
    ),
    "VXLAN in GRE in PPPoE": session(
        b"\0\x21" + ip4(47, b"\0\0\x08\0" + ip4(17, udp(50000, 4789, VXLAN + FRAME)))
    ),
    "an error about a tunnel": over_ip(1, b"\3\4\0\0\0\0\5\0" + ip4(47, b"\0\0\x08\0" + INNER)),
    "a later fragment in a tunnel": over_ip(47, b"\0\0\x08\0" + ip4(17, bytes(16), fragment=185)),
}
"""Packets within others."""
