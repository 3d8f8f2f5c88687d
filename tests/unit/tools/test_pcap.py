import itertools
import struct

import pytest

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record, read_header


@pytest.mark.parametrize(("order", "nanoseconds"), itertools.product("<>", (False, True)))
def test_headers_of_both_byte_orders_and_both_clocks_are_read_back(order, nanoseconds):
    header = make_header(276, snaplen=96, byte_order=order, nanoseconds=nanoseconds)
    assert read_header(header.data + b"more") == header
    assert (header.byte_order, header.nanoseconds, header.snaplen) == (order, nanoseconds, 96)
    assert (header.linktype, header.linktype_name) == (276, "LINUX_SLL2")


@pytest.mark.parametrize(("order", "nanoseconds"), itertools.product("<>", (False, True)))
def test_a_record_is_laid_out_as_the_format_says(order, nanoseconds):
    header = make_header(byte_order=order, nanoseconds=nanoseconds)
    record = pack_record(header, RawPacket(1, 1_700_000_000_123_456_789, 60, b"abc"))
    fraction = 123_456_789 if nanoseconds else 123_456
    assert record == struct.pack(f"{order}IIII", 1_700_000_000, fraction, 3, 60) + b"abc"


def test_the_bits_about_the_check_sequence_do_not_change_the_link_type():
    data = make_header(1).data
    assert read_header(data[:20] + struct.pack("<I", 0x5400_0001)).linktype == 1


def test_an_unknown_link_type_keeps_its_number():
    header = make_header(4000)
    assert (header.linktype, header.linktype_name) == (4000, "LINKTYPE_4000")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a pcap file"),
        (b"<?xml version='1.0'?>\n<nmaprun>", "not a pcap file"),
        (b"\xd4\xc3\xb2\xa1\x02\x00", "6 of 24 bytes"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "pcapng file .convert it with: editcap -F pcap"),
        (b"\x34\xcd\xb2\xa1" + bytes(40), "Kuznetzov"),
        (b"\x1f\x8b\x08\x00" + bytes(40), "compressed"),
        (b"\xd4\xc3\xb2\xa1\x02\x00\x02\x00" + bytes(40), "version 2.2"),
        (b"\xd4\xc3\xb2\xa1\x03\x00\x00\x00" + bytes(40), "version 3.0"),
    ],
)
def test_other_files_are_refused_with_the_reason(data, words):
    with pytest.raises(InvalidInput, match=words):
        read_header(data)
