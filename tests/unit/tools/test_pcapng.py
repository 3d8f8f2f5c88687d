"""pcapng: we read what Wireshark's tools write, they read ours, and damage ends the reading where it is."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcapng import PcapngReader, begin_section, pack_block
from tests.unit.tools.packet_samples import SAMPLES

FRAMES = list(SAMPLES.values())
TIME = 1_700_000_000_123_456_789


def packets(count: int = len(FRAMES)) -> list[RawPacket]:
    return [RawPacket(n + 1, TIME + n * 1_001, len(f) + n % 3, f) for n, f in enumerate(FRAMES[:count])]


def written(found: list[RawPacket], linktype: int = 1, *, nanoseconds: bool = True) -> bytes:
    header = make_header(linktype, nanoseconds=nanoseconds)
    return begin_section(header) + b"".join(pack_block(header, raw) for raw in found)


def read(data: bytes, size: int = 1 << 16) -> tuple[list[tuple[int, RawPacket]], str]:
    reader = PcapngReader(iter([data[at : at + size] for at in range(0, len(data), size)]))
    return [(interface.linktype, raw) for interface, raw in reader.packets()], reader.damage


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(linktype: int, options: bytes = b"", order: str = "<", snaplen: int = 0) -> bytes:
    return block(1, struct.pack(f"{order}HHI", linktype, 0, snaplen) + options, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def packet(number: int, time: int, data: bytes, order: str = "<", length: int | None = None) -> bytes:
    fields = (number, time >> 32, time & 0xFFFFFFFF, len(data), len(data) if length is None else length)
    return block(6, struct.pack(f"{order}IIIII", *fields) + data, order)


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_what_is_written_is_read_back_in_pieces_of_any_size(size: int) -> None:
    found, damage = read(written(packets()), size)
    assert found == [(1, raw) for raw in packets()]
    assert damage == ""


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_interfaces_say_was_dropped_is_added_up(order: str) -> None:
    def said(number: int, count: int) -> bytes:
        dropped = (option(code, struct.pack(f"{order}Q", count), order) for code in (4, 5, 7))
        return block(5, struct.pack(f"{order}III", number, 0, 0) + b"".join(dropped), order)

    begun = section(order) + interface(1, order=order) * 2
    data = begun + said(0, 1) + said(1, 20) + said(0, 3) + begun + said(0, 400)
    reader = PcapngReader(iter([data + block(5, bytes(8), order)]))
    assert list(reader.packets()) == []
    assert (reader.dropped, reader.damage) == (2 * (3 + 20 + 400), ""), "each block tells totals"


@pytest.mark.parametrize("order", ["<", ">"])
def test_interfaces_have_clocks_of_their_own(order: str) -> None:
    data = (
        section(order)
        + interface(1, option(2, b"eth0", order) + option(9, b"\x06", order), order)
        + interface(276, option(9, b"\x09", order), order)
        + interface(101, option(9, b"\x8a", order) + option(14, struct.pack(f"{order}q", 100), order), order)
        + interface(0, option(9, b"\x0c", order), order)
        + packet(0, 5_000_001, b"a", order)
        + packet(1, 5_000_000_002, b"bb", order)
        + packet(2, 5 * 1024 + 512, b"ccc", order)
        + packet(3, 5 * 10**12 + 3_000, b"d", order)
    )
    found, damage = read(data)
    assert [(kind, raw.nanoseconds, raw.data) for kind, raw in found] == [
        (1, 5_000_001_000, b"a"),
        (276, 5_000_000_002, b"bb"),
        (101, 105_500_000_000, b"ccc"),
        (0, 5_000_000_003, b"d"),
    ]
    assert damage == ""


def test_a_second_section_may_have_another_byte_order_and_other_interfaces() -> None:
    data = section() + interface(1) + packet(0, 1, b"a") + section(">") + interface(113, order=">")
    found, damage = read(data + packet(0, 2, b"b", ">"))
    assert [(kind, raw.data) for kind, raw in found] == [(1, b"a"), (113, b"b")]
    assert damage == ""


def test_old_and_simple_packets_and_unknown_blocks() -> None:
    old = block(2, struct.pack("<HHIIII", 0, 0, 0, 7_000_000, 2, 9) + b"ab")
    simple = block(3, struct.pack("<I", 300) + b"abc")
    data = section() + interface(1, snaplen=3) + old + block(0x0BAD, bytes(5_000_000)) + simple
    found, damage = read(data)
    assert [(raw.nanoseconds, raw.length, raw.data) for _, raw in found] == [
        (7_000_000_000, 9, b"ab"),
        (7_000_000_000, 300, b"abc"),
    ]
    assert damage == ""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (section() + packet(0, 1, b"a"), "at byte 28 speaks of interface 0"),
        (section() + interface(1) + struct.pack("<II", 6, 4), "at byte 48 claims a size of 4 bytes"),
        (section() + interface(1) + struct.pack("<II", 6, 0xFFFFFFF0), "more than the 1310720"),
        (section() + interface(1) + packet(0, 1, b"abcd")[:-4] + b"\0\0\0\1", "another size at its end"),
        (
            section() + interface(1) + block(6, struct.pack("<IIIII", 0, 0, 0, 999, 999) + b"ab"),
            "claims 999 captured",
        ),
        (section()[:20], "byte 0 is cut"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "has no byte order"),
        (interface(1), "no section header"),
        (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 2, 0, -1)), "of version 2"),
    ],
)
def test_damage_is_told_with_its_place(data: bytes, words: str) -> None:
    found, damage = read(data)
    assert found == []
    assert words in damage


def test_cut_at_every_byte_the_packets_before_the_cut_are_read() -> None:
    data = written(packets(4))
    ends = [len(written(packets(n))) for n in range(5)]
    for cut in range(len(data)):
        found, damage = read(data[:cut])
        assert len(found) == max(0, sum(end <= cut for end in ends) - 1)
        whole = cut in (0, 28, *ends)
        assert bool(damage) is not whole, cut


@given(st.binary(max_size=400), st.integers(0, 400))
def test_whatever_follows_a_good_beginning_ends_the_reading_and_nothing_else(rest: bytes, cut: int) -> None:
    good = section() + interface(1)
    found, _ = read(good + (rest[:cut] + packet(0, 1, b"abc") + rest[cut:]))
    assert all(len(raw.data) <= 400 + 35 for _, raw in found)


@pytest.mark.skipif(
    find_tool("editcap") is None or find_tool("tshark") is None, reason="no editcap or tshark"
)
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_wireshark_reads_what_we_write_and_we_what_it_writes(tmp_path: Path, nanoseconds: bool) -> None:
    header = make_header(nanoseconds=nanoseconds)
    classic, ng, again = tmp_path / "a.pcap", tmp_path / "a.pcapng", tmp_path / "b.pcap"
    classic.write_bytes(header.data + b"".join(pack_record(header, raw) for raw in packets()))
    subprocess.run(["editcap", "-F", "pcapng", classic, ng], check=True)
    theirs, damage = read(ng.read_bytes())
    assert damage == ""
    whole = [
        raw if nanoseconds else raw._replace(nanoseconds=raw.nanoseconds // 1000 * 1000) for raw in packets()
    ]
    assert [raw for _, raw in theirs] == whole
    ng.write_bytes(written(packets(), nanoseconds=nanoseconds))
    subprocess.run(["editcap", "-F", "nsecpcap" if nanoseconds else "pcap", ng, again], check=True)
    assert again.read_bytes()[24:] == classic.read_bytes()[24:]


def test_keys_without_end_and_blocks_without_data_are_passed_over_quickly() -> None:
    def keys(data: bytes) -> bytes:
        return block(10, struct.pack("<II", 0x544C534B, len(data)) + data)

    line = b"CLIENT_RANDOM 01 02\n"
    empty = keys(b"") * 50_000 + keys(b"\n") * 50_000
    large = keys(bytes(9 << 20))
    reader = PcapngReader(iter([section(), empty, keys(line), keys(line[:-1]), large, large]))
    assert list(reader.packets()) == [] and not reader.damage
    assert reader.key_log[:2] == [line, line]
    assert len(reader.key_log) == 3 and reader.other_secrets == 1
