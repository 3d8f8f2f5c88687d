"""Packets for others: no address is left, checksums stay right, the mapping keeps prefixes and nothing else."""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.tools.address_mapping import AddressMapping
from netmon_tui.tools.link_layers import ETHERNET, LINUX_SLL, LINUX_SLL2, NULL, PPP, RAW
from netmon_tui.tools.packet_masking import PacketMask, check_maskable
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from tests.unit.tools.packet_samples import SAMPLES

KEY = bytes(range(32))
MAC_A, MAC_B = bytes.fromhex("02005e100001"), bytes.fromhex("525400aabbcc")
A4, B4, C4 = (socket.inet_aton(text) for text in ("10.1.2.3", "10.1.9.77", "192.168.7.254"))
A6, B6 = (socket.inet_pton(socket.AF_INET6, t) for t in ("2001:db8:77::a1b2:c3d4", "fe80::5054:ff:feaa:bbcc"))
ADDRESSES = (MAC_A, MAC_B, A4, B4, C4, A6, B6)


def checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(protocol: int, body: bytes, source: bytes = A4, target: bytes = B4, options: bytes = b"") -> bytes:
    size = 20 + len(options)
    head = (
        struct.pack(">BBHHHBBH", 0x40 | size // 4, 0, size + len(body), 1, 0, 64, protocol, 0)
        + source
        + target
    )
    return head[:10] + struct.pack(">H", checksum(head + options)) + head[12:] + options + body


def ip6(protocol: int, body: bytes, source: bytes = A6, target: bytes = B6) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(body), protocol, 255) + source + target + body


def pseudo(source: bytes, target: bytes, protocol: int, size: int) -> bytes:
    return (
        source
        + target
        + (struct.pack(">BBH", 0, protocol, size) if len(source) == 4 else struct.pack(">II", size, protocol))
    )


def with_checksum(body: bytes, at: int, before: bytes = b"") -> bytes:
    body = body[:at] + b"\0\0" + body[at + 2 :]
    return body[:at] + struct.pack(">H", checksum(before + body) or 0xFFFF) + body[at + 2 :]


def udp(payload: bytes, source: bytes = A4, target: bytes = B4) -> bytes:
    body = struct.pack(">HHHH", 5353, 53, 8 + len(payload), 0) + payload
    return with_checksum(body, 6, pseudo(source, target, 17, len(body)))


def tcp(payload: bytes, options: bytes = b"") -> bytes:
    size = 20 + len(options)
    body = struct.pack(">HHIIBBHHH", 40000, 443, 7, 9, size // 4 << 4, 0x18, 1000, 0, 0) + options + payload
    return with_checksum(body, 16, pseudo(A4, B4, 6, len(body)))


def icmp6(body: bytes, source: bytes = A6, target: bytes = B6) -> bytes:
    return ip6(58, with_checksum(body, 2, pseudo(source, target, 58, len(body))), source, target)


def ether(kind: int, body: bytes, source: bytes = MAC_A, target: bytes = MAC_B) -> bytes:
    return target + source + struct.pack(">H", kind) + body


ARP = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 2) + MAC_A + A4 + MAC_B + C4
ERROR = with_checksum(b"\3\1\0\0" + bytes(4) + ip4(17, udp(b"")), 2)
REDIRECT = with_checksum(b"\5\1\0\0" + C4 + ip4(6, tcp(b"")[:8]), 2)
SOLICITATION = b"\x87\0\0\0" + bytes(4) + A6 + b"\1\1" + MAC_A
PREFIX = b"\3\4\x40\xc0" + bytes(12) + A6[:8] + bytes(8)
ADVERTISEMENT = b"\x86\0\0\0" + bytes(12) + b"\1\1" + MAC_A + PREFIX + b"\x19\3\0\0\0\0\0\1" + A6
ND_REDIRECT = b"\x89\0\0\0" + bytes(4) + A6 + B6 + b"\2\1" + MAC_B
FRAMES = {
    "arp": ether(0x0806, ARP),
    "udp": ether(0x0800, ip4(17, udp(b"payload of A"))),
    "tcp": ether(0x0800, ip4(6, tcp(b"GET / HTTP/1.1\r\n", b"\2\4\5\xb4\1\1\1\1"))),
    "mptcp": ether(0x0800, ip4(6, tcp(b"", b"\x1e\x08\x30\1" + A4))),
    "record route": ether(0x0800, ip4(17, udp(b""), options=b"\7\7\4" + C4 + b"\0")),
    "vlan": ether(0x8100, b"\0\x05\x08\0" + ip4(17, udp(b"abc"))),
    "icmp error": ether(0x0800, ip4(1, ERROR)),
    "icmp redirect": ether(0x0800, ip4(1, REDIRECT)),
    "udp over ipv6": ether(0x86DD, ip6(17, udp(b"abc", A6, B6))),
    "icmpv6 error": ether(0x86DD, icmp6(b"\1\4\0\0" + bytes(4) + ip6(17, udp(b"q", A6, B6)))),
    "solicitation": ether(0x86DD, icmp6(SOLICITATION)),
    "advertisement": ether(0x86DD, icmp6(ADVERTISEMENT)),
    "nd redirect": ether(0x86DD, icmp6(ND_REDIRECT)),
    "ip in ip": ether(0x0800, ip4(4, ip4(17, udp(b"in")), C4, B4)),
    "ip6 in ip": ether(0x0800, ip4(41, ip6(17, udp(b"in", A6, B6)))),
    "destination options": ether(
        0x86DD, ip6(60, b"\x11\2" + b"\xc9\x10" + A6 + b"\1\2\0\0" + udp(b"x", A6, B6))
    ),
    "lldp": ether(0x88CC, b"\2\7\4" + MAC_A),
    "unknown protocol": ether(0x0800, ip4(89, b"\2\1\0\x2c" + A4)),
}


def mask(data: bytes, linktype: int = ETHERNET, *, keep_payload: bool = False) -> bytes:
    masker = PacketMask(linktype, AddressMapping(KEY), keep_payload=keep_payload)
    (masked,) = masker.mask(iter([RawPacket(1, 0, len(data), data)]))
    assert masked.length == len(data)
    return masked.data


@pytest.mark.parametrize("name", FRAMES)
def test_no_address_is_left_in_any_header(name: str) -> None:
    data = FRAMES[name]
    assert any(address in data for address in ADDRESSES)
    for end in range(len(data) + 1):
        masked = mask(data[:end])
        assert [a for a in ADDRESSES if a in masked] == [], end
        assert not any(
            a[:size] == masked[-size:] for a in (A4, A6, C4) for size in (3, 4) if len(masked) >= size
        )


def test_the_payload_is_cut_and_only_on_demand_kept() -> None:
    assert b"payload" not in mask(FRAMES["udp"])
    assert len(mask(FRAMES["udp"])) == 14 + 20 + 8
    assert len(mask(FRAMES["tcp"])) == 14 + 20 + 28
    assert mask(FRAMES["udp"], keep_payload=True).endswith(b"payload of A")
    assert mask(FRAMES["lldp"], keep_payload=True).endswith(MAC_A), "it says that it does not hide this"


def test_the_same_address_is_the_same_in_every_header() -> None:
    mapping = AddressMapping(KEY)
    arp = mask(FRAMES["arp"])
    assert arp[6:12] == arp[22:28] == mapping.replace(MAC_A)
    assert arp[28:32] == mask(FRAMES["udp"])[26:30] == mapping.replace(A4)
    error = mask(FRAMES["icmp error"])
    assert error[14 + 12 : 14 + 20] == error[14 + 28 + 12 : 14 + 28 + 20]
    neighbour = mask(FRAMES["solicitation"])
    assert neighbour[14 + 48 : 14 + 64] == neighbour[14 + 8 : 14 + 24] == mapping.replace(A6)


@pytest.mark.parametrize(
    ("linktype", "head"),
    [
        (LINUX_SLL, b"\0\0\0\1\0\6" + MAC_A + b"\1\2\x08\0"),
        (LINUX_SLL2, b"\x08\0\0\0\0\0\0\2\0\1\0\6" + MAC_A + b"\1\2"),
        (LINUX_SLL, b"\0\0\0\1\0\x08" + MAC_A + b"\1\2\x08\0"),
        (RAW, b""),
        (NULL, b"\2\0\0\0"),
        (PPP, b"\xff\x03\0\x21"),
    ],
)
def test_other_link_types(linktype: int, head: bytes) -> None:
    masked = mask(head + ip4(17, udp(b"abc")), linktype)
    assert len(masked) == len(head) + 28
    assert not any(address in masked for address in ADDRESSES)
    assert checksum(masked[len(head) : len(head) + 20]) == 0


def test_a_link_type_whose_addresses_are_not_known_is_refused() -> None:
    with pytest.raises(InvalidInput, match="IEEE802_11_RADIO cannot be anonymised"):
        check_maskable(127)


@given(
    st.sampled_from([*FRAMES.values(), *SAMPLES.values()]),
    st.binary(max_size=8),
    st.integers(0, 200),
    st.booleans(),
)
def test_whatever_the_bytes_are_there_is_a_packet(data: bytes, change: bytes, at: int, keep: bool) -> None:
    for linktype in (ETHERNET, LINUX_SLL, LINUX_SLL2, RAW, NULL, PPP):
        masked = mask(data[:at] + change + data[at + len(change) :], linktype, keep_payload=keep)
        assert len(masked) <= max(len(data), at + len(change))


# --- the mapping ---


def shared_bits(one: bytes, other: bytes) -> int:
    differ = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return len(one) * 8 - differ.bit_length()


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4))
def test_addresses_share_as_many_bits_as_before(one: bytes, other: bytes) -> None:
    mapping = AddressMapping(KEY)
    near = one[:2] + other[2:]
    if one[0] < 0xE0 and bytes(4) not in (one, near):
        assert shared_bits(mapping.replace(one), mapping.replace(near)) == shared_bits(one, near)


INNER = [
    ipaddress.ip_network(one)
    for one in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "100.64.0.0/10",
        "0.0.0.0/8",
    )
]
INNER6 = [ipaddress.ip_network(one) for one in ("fc00::/8", "fd00::/8", "fe80::/10")]


@pytest.mark.parametrize("network", [*INNER, *INNER6], ids=str)
@given(places=st.tuples(st.floats(0, 1), st.floats(0, 1)), key=st.binary(min_size=16, max_size=16))
def test_what_is_private_stays_so_with_the_prefixes_in_it(network, places, key) -> None:
    mapping, last = AddressMapping(key), network.num_addresses - 1
    one, other = (network[min(last, int(place * last))].packed for place in places)
    theirs = mapping.replace(one), mapping.replace(other)
    assert all(ipaddress.ip_address(address) in network for address in theirs)
    if bytes(4) in (one, other):
        return  # nobody stays nobody
    assert shared_bits(*theirs) == shared_bits(one, other)


@given(key=st.binary(min_size=16, max_size=16))
def test_what_is_public_stays_so_and_no_two_become_one(key: bytes) -> None:
    mapping = AddressMapping(key)
    firsts = [bytes((first, second, 7, 9)) for first in range(224) for second in (16, 100, 168, 254)]
    found = [mapping.replace(address) for address in firsts]
    assert len(set(found)) == len(firsts)
    for before, after in zip(firsts, found, strict=True):
        inside = [[ipaddress.ip_address(one) in network for network in INNER] for one in (before, after)]
        assert inside[0] == inside[1]


@given(st.binary(min_size=16, max_size=16), st.integers(0, 127))
def test_ipv6_addresses_share_as_many_bits_as_before(one: bytes, place: int) -> None:
    other = (int.from_bytes(one, "big") ^ 1 << place).to_bytes(16, "big")
    mapping = AddressMapping(KEY)
    if 0xFF not in (one[0], other[0]) and not any(pair.startswith(bytes(10)) for pair in (one, other)):
        assert shared_bits(mapping.replace(one), mapping.replace(other)) == 127 - place


STAYING = ("224.0.0.251", "239.1.2.3", "255.255.255.255", "0.0.0.0", "127.0.0.1", "127.0.0.53")


@pytest.mark.parametrize("text", [*STAYING, "ff02::1", "::", "::1", "::ffff:127.0.0.1", "::ffff:224.0.0.251"])
def test_groups_loopback_and_nobody_stay(text: str) -> None:
    packed = ipaddress.ip_address(text).packed
    assert AddressMapping(KEY).replace(packed) == packed


@pytest.mark.parametrize("text", ["10.1.2.3", "100.64.1.1", "203.0.113.9"])
def test_an_ipv4_address_within_an_ipv6_one_is_the_same_as_alone(text: str) -> None:
    mapping, address = AddressMapping(KEY), socket.inet_aton(text)
    within = bytes(10) + b"\xff\xff"
    assert mapping.replace(within + address) == within + mapping.replace(address) != within + address


def test_kinds_of_addresses_stay_what_they_are() -> None:
    mapping = AddressMapping(KEY)
    assert ipaddress.ip_address(mapping.replace(B6)).is_link_local
    for mac in (MAC_A, MAC_B):
        assert mapping.replace(mac)[0] & 3 == mac[0] & 3
    group = ipaddress.ip_address("ff02::1:ffaa:bbcc").packed
    assert mapping.replace(group)[:13] == group[:13] and mapping.replace(group)[13:] != group[13:]
    assert mapping.replace(b"\x33\x33" + group[12:])[3:] == mapping.replace(group)[13:]


def test_another_export_has_another_key() -> None:
    assert len({AddressMapping().replace(A4) for _ in range(8)}) > 1


# --- what others say of the result ---


@pytest.mark.skipif(find_tool("tshark") is None, reason="tshark is not installed")
def test_tshark_finds_every_checksum_right_that_was_right(tmp_path: Path) -> None:
    header = make_header()
    masker = PacketMask(ETHERNET, AddressMapping(KEY), keep_payload=True)
    raws = [
        RawPacket(n, n, len(data), data) for n, data in enumerate([*FRAMES.values(), *SAMPLES.values()], 1)
    ]
    statuses = []
    for name, found in (("before", raws), ("after", list(masker.mask(iter(raws))))):
        path = tmp_path / name
        path.write_bytes(header.data + b"".join(pack_record(header, raw) for raw in found))
        fields = [f"{p}.checksum.status" for p in ("ip", "tcp", "udp", "icmp", "icmpv6")]
        argv = [
            "tshark",
            "-r",
            path,
            "-T",
            "fields",
            *(f"-o{p}.check_checksum:TRUE" for p in ("ip", "tcp", "udp")),
        ]
        argv += [word for field in fields for word in ("-e", field)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        statuses.append(re.split(r"[\t\n]", done.stdout))
    right = [place for place, status in enumerate(statuses[0]) if status and set(status) <= {"1", ","}]
    assert len(right) >= 30
    assert [statuses[1][place] for place in right] == [statuses[0][place] for place in right]
