import struct

import pytest

from netmon_tui.domain.packet_columns import OWN
from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_columns import _CELLS, lines_of
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.pcap import RawPacket

MACS = bytes.fromhex("020000000002020000000001")
IP = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 63, 17, 0, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
UDP = struct.pack(">HHHH", 40000, 53, 8, 0)
IPV6 = struct.pack(">IHBB16s16s", 0x60000000, 16, 0, 7, bytes(15) + b"\1", bytes(15) + b"\2")
HOP_BY_HOP = bytes([6, 0, 1, 4, 0, 0, 0, 0])
TCP = struct.pack(">HHIIHHHH", 22, 50000, 0, 0, 0x5010, 0, 0, 0)
PLAIN = MACS + b"\x08\0" + IP + UDP
KEYS = ("source_mac", "destination_mac", "vlan", "ttl", "source_port", "destination_port")
BOTH = ("02:00:00:00:00:01", "02:00:00:00:00:02")


def cells(data, keys, linktype=link_layers.ETHERNET):
    raw = RawPacket(1, 10**18, 1500, data)
    return next(lines_of([raw], linktype, keys, before=None, first=10**18)).cells


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PLAIN, (*BOTH, "", "63", "40000", "53")),
        (MACS + b"\x81\0\xe0\x64\x08\0" + IP + UDP, (*BOTH, "100", "63", "40000", "53")),
        (MACS + b"\x88\xa8\0\x0a\x81\0\0\x14\x08\0" + IP + UDP, (*BOTH, "10,20", "63", "40000", "53")),
        (MACS + b"\x86\xdd" + IPV6 + HOP_BY_HOP + TCP, (*BOTH, "", "7", "22", "50000")),
        (MACS + b"\x08\0" + IP[:6] + b"\0\1" + IP[8:] + UDP, (*BOTH, "", "63", "", "")),
        (MACS + b"\x08\0" + IP[:9] + b"\1" + IP[10:] + UDP, (*BOTH, "", "63", "", "")),
        (MACS + b"\x08\6" + bytes(28), (*BOTH, "", "", "", "")),
        (b"", ("",) * 6),
    ],
    ids=["udp", "vlan", "two vlans", "ipv6 options", "later fragment", "icmp", "arp", "nothing"],
)
def test_what_the_headers_say(data, expected):
    assert cells(data, KEYS) == expected


def test_a_cooked_packet_has_one_hardware_address():
    data = struct.pack(">HHH8sH", 0, 1, 6, MACS[6:] + b"\0\0", 0x0800) + IP + UDP
    assert cells(data, KEYS, link_layers.LINUX_SLL) == (BOTH[0], "", "", "63", "40000", "53")


def test_a_packet_that_is_cut_anywhere_has_cells():
    for end in range(len(PLAIN)):
        whole, cut = cells(PLAIN, KEYS), cells(PLAIN[:end], KEYS)
        assert all(part in ("", full) for part, full in zip(cut, whole, strict=True))


def test_times_are_told_in_every_form():
    first = 1_700_000_000_000_000_000
    raws = [RawPacket(n, first + after, 60, PLAIN) for n, after in ((5, 1_500_000_999), (6, 500_000_000))]
    before = RawPacket(4, first + 1_500_000_000, 60, PLAIN)
    keys = ("utc", "epoch", "since", "delta", "captured", "length", "number")
    one, two = (line.cells for line in lines_of(raws, 1, keys, before=before, first=first))
    assert one == ("22:13:21.500000", "1700000001.500000", "1.500000", "0.000000", "42", "60", "5")
    assert two == ("22:13:20.500000", "1700000000.500000", "0.500000", "-1.000000", "42", "60", "6")


def test_times_of_a_file_in_nanoseconds_have_all_of_them():
    first = 1_700_000_000_123_456_789
    raws = [RawPacket(2, first - 1_000_000_001, 60, PLAIN)]
    keys = ("utc", "epoch", "since", "delta")
    (line,) = lines_of(raws, 1, keys, before=RawPacket(1, first, 60, PLAIN), first=first, nanoseconds=True)
    assert line.cells == ("22:13:19.123456788", "1699999999.123456788", "-1.000000001", "-1.000000001")


def test_what_is_not_ours_stays_empty_and_the_rest_is_the_summary():
    keys = ("source", "dns.qry.name", "destination", "protocol", "info")
    summary = summarise(RawPacket(1, 10**18, 1500, PLAIN), 1)
    assert cells(PLAIN, keys) == (summary.source, "", summary.destination, summary.protocol, summary.info)


def test_every_column_that_is_offered_can_be_filled():
    assert _CELLS.keys() == OWN.keys()
