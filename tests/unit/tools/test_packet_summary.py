import shutil
import struct
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.packet_tree import describe
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from tests.unit.tools import packet_samples as samples

INFO = {
    "arp request": "Who has 192.0.2.2? Tell 192.0.2.1",
    "arp reply": "192.0.2.1 is at 02:00:00:00:00:01",
    "arp announcement": "ARP Announcement for 192.0.2.1",
    "arp probe": "Who has 192.0.2.2? (ARP Probe)",
    "tcp syn": "44332 → 8081 [SYN] Seq=1000 Win=502 Len=0 MSS=1460 SACK_PERM TSval=1 TSecr=2 WS=1024",
    "tcp reset": "8081 → 44332 [RST, ACK] Seq=1000 Ack=2000 Win=502 Len=0",
    "tcp data": "44332 → 8081 [PSH, ACK] Seq=1000 Ack=2000 Win=502 Len=8",
    "tcp over ipv6": "44332 → 8081 [FIN, ACK] Seq=1000 Ack=2000 Win=502 Len=0",
    "udp": "40000 → 40001 Len=10",
    "dns query": "Standard query 0x1234 A www.example.test",
    "dns response": "Standard query response 0x1234 A www.example.test"
    " CNAME real.example.test A 192.0.2.1 AAAA 2001:db8::1",
    "dns no such name": "Standard query response 0x1234 No such name AAAA no.example.test",
    "mdns": "Standard query 0x0000 PTR _ssh._tcp.local",
    "dns over tcp": "Standard query 0x1234 A www.example.test",
    "dhcp discover": "DHCP Discover - Transaction ID 0x3903f326",
    "dhcp ack": "DHCP ACK      - Transaction ID 0x3903f326",
    "ntp": "NTP Version 4, client",
    "http request": "GET /index.html HTTP/1.1",
    "http response": "HTTP/1.1 404 Not Found",
    "ssh banner": "Server: Protocol (SSH-2.0-OpenSSH_9.2p1)",
    "tls client": "Client Hello (SNI=secret.example.test)",
    "tls server": "Server Hello, Change Cipher Spec, Application Data",
    "ping": "Echo (ping) request  id=0x0007, seq=1/256, ttl=64",
    "pong": "Echo (ping) reply    id=0x0007, seq=1/256, ttl=64",
    "port unreachable": "Destination unreachable (Port unreachable)",
    "ttl exceeded": "Time-to-live exceeded (Time to live exceeded in transit)",
    "neighbour solicitation": "Neighbour Solicitation for 2001:db8::2 from 02:00:00:00:00:01",
    "neighbour advertisement": "Neighbour Advertisement 2001:db8::2 (sol, ovr) is at 02:00:00:00:00:01",
    "ping6": "Echo (ping) request id=0x0007, seq=1, hop limit=255",
    "fragment": "Fragmented IP protocol (proto=UDP 17, off=1480, ID=abcd)",
    "ipv6 fragment": "IPv6 fragment (off=1480 more=y ident=0x0badf00d nxt=17)",
    "ipv6 hop by hop": "40000 → 40001 Len=10",
    "vlan": "4000 → 4001 Len=4",
    "ip in ip": "40000 → 40001 Len=10",
    "ospf": "OSPF 89, 44 bytes",
    "igmp": "IGMP 2, 8 bytes",
    "stp": "Conf.",
}
OTHER_PROTOCOL = {"igmp", "http response"}
"""Samples whose protocol tshark knows better: it tells versions apart, and waits for the end of a page."""
OTHER_INFO = {
    "tcp syn", "tcp reset", "tcp data", "tcp over ipv6", "http request", "http response", "tls client", "mdns",
    "neighbour solicitation", "neighbour advertisement", "ipv6 hop by hop", "ospf", "igmp", "stp",
}  # fmt: skip
"""Samples whose info differs: relative sequence numbers, checksums, spelling, protocols we only name."""


FRAMES = {**samples.SAMPLES, **samples.TUNNELS}


def packet(data, length=None, number=1):
    return RawPacket(number, 1_700_000_000_500_000_000, len(data) if length is None else length, data)


def line(data, linktype=link_layers.ETHERNET):
    return summarise(packet(data), linktype)


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_the_info_column(name):
    assert line(samples.SAMPLES[name]).info == INFO[name]


def test_the_other_columns():
    summary = summarise(packet(samples.SAMPLES["udp"], length=900, number=17), 1)
    assert (summary.number, summary.time, summary.length) == (17, 1_700_000_000.5, 900)
    assert (summary.source, summary.destination, summary.protocol) == ("192.0.2.1", "192.0.2.2", "UDP")


@pytest.mark.parametrize(
    ("linktype", "head"),
    [
        (link_layers.RAW, b""),
        (link_layers.IPV4, b""),
        (link_layers.NULL, struct.pack("<I", 2)),
        (link_layers.NULL, struct.pack(">I", 2)),
        (link_layers.LOOP, struct.pack(">I", 2)),
        (link_layers.PPP, b"\xff\x03\x00\x21"),
        (link_layers.LINUX_SLL, struct.pack(">HHH8sH", 0, 1, 6, samples.MAC_A, 0x0800)),
        (link_layers.LINUX_SLL2, struct.pack(">HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, samples.MAC_A)),
    ],
)
def test_other_link_layers_carry_the_same(linktype, head):
    inner = samples.ip4(17, samples.udp(40000, 40001, b"plain text"))
    summary = line(head + inner, linktype)
    assert summary[2:5] == ("192.0.2.1", "192.0.2.2", "UDP")
    assert summary.info == INFO["udp"]


def test_a_cooked_packet_without_ip_has_its_sender():
    head = struct.pack(">HHIHBB8s", 0x0806, 0, 1, 1, 0, 6, samples.MAC_A)
    assert line(head + samples.arp(1), link_layers.LINUX_SLL2).source == "02:00:00:00:00:01"


def test_what_nobody_knows_has_a_number():
    assert line(samples.ethernet(0x1234, b"x" * 50))[4:] == ("0x1234", 64, "Ethertype 0x1234, 50 bytes")
    assert line(samples.ethernet(0x0800, samples.ip4(200, b"x"))).protocol == "IP protocol 200"
    assert line(b"anything", 4000)[4:] == ("LINKTYPE_4000", 8, "8 bytes")


def test_a_short_capture_and_a_malformed_packet_are_told_apart():
    data = samples.SAMPLES["tcp syn"]
    short = summarise(packet(data[:40], length=len(data)), 1)
    assert short[2:5] == ("192.0.2.1", "192.0.2.2", "TCP")
    assert short.info == "[Packet size limited during capture: TCP truncated]"
    assert line(data[:40]).info == "[Malformed Packet: TCP]"


def test_padding_and_lengths_of_zero_do_not_confuse():
    padded = samples.SAMPLES["tcp reset"] + bytes(30)
    assert line(padded).info == INFO["tcp reset"]
    offloaded = bytearray(samples.SAMPLES["tcp data"])
    offloaded[16:18] = b"\0\0"
    assert line(bytes(offloaded)).info == INFO["tcp data"]


def test_hostile_text_is_passed_on_but_cut():
    request = samples.tcp(40000, 80, 0x18, b"GET /\x1b[31m[bold]" + b"A" * 400 + b" HTTP/1.1\r\n")
    info = line(samples.ethernet(0x0800, samples.ip4(6, request))).info
    assert info.startswith("GET /\x1b[31m[bold]AAA") and len(info) == 200


@pytest.mark.parametrize(
    "message",
    [
        samples.dns_query("a.test")[:12] + b"\xc0\x0c" + bytes(4),  # a name that points at itself
        samples.dns_query("a.test")[:12] + b"\xc0\x0e\xc0\x0c" + bytes(4),
        samples.dns_query("a.test")[:12] + (b"\x3f" + b"a" * 63) * 20 + bytes(5),
        struct.pack(">HHHHHH", 1, 0x8000, 65535, 65535, 0, 0),
    ],
)
def test_names_without_end(message):
    summary = line(samples.ethernet(0x0800, samples.ip4(17, samples.udp(53, 53, message))))
    assert summary.protocol in ("DNS", "UDP") and len(summary.info) <= 200


LINK_TYPES = st.sampled_from([*link_layers._NAMES, 4000])


@settings(max_examples=400, deadline=None)
@given(data=st.binary(max_size=120), linktype=LINK_TYPES, extra=st.integers(0, 9))
@example(data=b"", linktype=1, extra=0)
def test_any_bytes_have_a_line_and_a_tree(data, linktype, extra):
    check(data, linktype, extra)


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(sorted(FRAMES)),
    changes=st.lists(st.tuples(st.integers(12, 120), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, 200),
)
def test_damaged_packets_have_a_line_and_a_tree(name, changes, cut):
    data = bytearray(FRAMES[name])
    for position, value in changes:
        data[position % len(data)] = value
    check(bytes(data[: max(cut, 1)]), 1, 0)


def check(data, linktype, extra):
    raw = packet(data, length=len(data) + extra)
    summary = summarise(raw, linktype)
    assert summary.protocol and len(summary.info) <= 200
    for layer in describe(raw, linktype):
        for field in layer.fields:
            assert 0 <= field.offset <= field.offset + field.size <= len(data)


@pytest.mark.parametrize("name", FRAMES)
def test_every_cut_of_every_sample_has_a_line(name):
    data = FRAMES[name]
    for length in range(len(data)):
        check(data[:length], 1, len(data) - length)


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("802.1ad", "eth ieee8021ad vlan ip udp data"),
        ("MPLS, two labels", "eth mpls mpls ipv6 icmpv6 data"),
        ("MPLS, pseudo wire", "eth mpls eth ip udp data"),
        ("PPPoE, IPv6", "eth pppoes ppp ipv6 icmpv6 data"),
        ("GRE, PPTP", "eth ip gre ppp ip udp data"),
        ("GRE, ERSPAN", "eth ip gre erspan eth ip udp data"),
        ("VXLAN, VLAN", "eth ip udp vxlan eth vlan ipv6 icmpv6 data"),
        ("Geneve, options", "eth ip udp geneve ip udp data"),
        ("L2TP, length", "eth ip udp l2tp ppp ip udp data"),
        ("AH over IPv6", "eth ipv6 ah icmpv6 data"),
        ("VXLAN in GRE in PPPoE", "eth pppoes ppp ip gre ip udp vxlan eth ip udp data"),
    ],
)
def test_the_tree_of_what_is_within(name, layers):
    assert [layer.name for layer in describe(packet(FRAMES[name]), 1)[1:]] == layers.split()


def test_a_tunnel_is_told_by_what_is_innermost():
    found = {name: line(data) for name, data in samples.TUNNELS.items() if samples.INNER in data}
    found.pop("an error about a tunnel")
    assert len(found) > 20
    assert {one[2:5] for one in found.values()} == {("192.0.2.2", "192.0.2.1", "UDP")}


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        (0x8847, bytes(4)),
        (0x8864, bytes.fromhex("1100 0007 0000 880b")),
        (0x0800, samples.ip4(47, b"\0\0\x08\0")),
        (0x0800, samples.ip4(51, b"\x33\0" + bytes(6))),
        (0x0800, samples.ip4(4, b"")),
        (0x6558, bytes(12) + b"\x65\x58"),
        (0x0100, bytes.fromhex("aaaa03 000000 8100 0007 0100")),
    ],
)
def test_what_is_nested_without_end_is_followed_some_steps(kind, step):
    check(samples.ethernet(kind, step * 4_000), 1, 0)
    assert len(describe(packet(samples.ethernet(kind, step * 3_000)), 1)) < 30


@pytest.fixture(scope="module")
def by_tshark(tmp_path_factory):
    """The default columns of tshark for every sample, by name."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    path = tmp_path_factory.mktemp("samples") / "a.pcap"
    header = make_header()
    records = [pack_record(header, packet(data)) for data in FRAMES.values()]
    path.write_bytes(header.data + b"".join(records))
    found = subprocess.run(
        [tshark, "-n", "-T", "tabs", "-r", path], capture_output=True, text=True, check=True
    )
    rows = [[cell.strip() for cell in row.split("\t")] for row in found.stdout.splitlines()]
    return dict(zip(FRAMES, rows, strict=True))


@pytest.mark.lab
@pytest.mark.parametrize("name", FRAMES)
def test_the_columns_are_those_of_tshark(by_tshark, name):
    source, _arrow, destination, protocol, length, info = by_tshark[name][2:8]
    summary = line(FRAMES[name])
    assert (summary.source, summary.destination, str(summary.length)) == (source, destination, length)
    assert summary.protocol == protocol or name in OTHER_PROTOCOL
    assert summary.info == info or name in OTHER_INFO
