"""Files of pcapng as dumpcap writes them are read as classic ones: indexed, searched, counted, cut and merged."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

import pytest

from netmon_tui.domain.packet_find import FindIn, FindKind, Wanted
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.runner.record_walk import RecordWalk, trim_to_whole_records
from netmon_tui.services.kept_index import open_index
from netmon_tui.tools import pcap_files, pcap_kept_index
from netmon_tui.tools.file_set import FileSetReader
from netmon_tui.tools.packet_pattern import PacketPattern
from netmon_tui.tools.packet_search import PacketSearch
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_cut import Cut, merged, packets_of, pieces
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.pcap_layout import layout_for
from netmon_tui.tools.traffic_reader import TrafficReader
from tests.unit.tools.packet_samples import SAMPLES
from tests.unit.tools.test_pcapng import block, interface, option, packet, section

FRAMES = list(SAMPLES.values())
TIME = 1_700_000_000_123_456_789
NANOSECONDS = b"\x09"


def described(name: str, order: str = "<", linktype: int = 1) -> bytes:
    return interface(linktype, option(2, name.encode(), order) + option(9, NANOSECONDS, order), order, 65_535)


def statistics(number: int, order: str = "<") -> bytes:
    return block(
        5, struct.pack(f"{order}III", number, 0, 0) + option(7, struct.pack(f"{order}Q", 3), order), order
    )


def packets(count: int = 200) -> list[RawPacket]:
    frames = [FRAMES[n % len(FRAMES)] for n in range(count)]
    return [RawPacket(n + 1, TIME + n * 1_001, len(frame), frame, n % 2) for n, frame in enumerate(frames)]


def file_of(found: list[RawPacket], order: str = "<", names: tuple[str, ...] = ("eth0", "wg0")) -> bytes:
    blocks = (packet(raw.interface, raw.nanoseconds, raw.data, order) for raw in found)
    return section(order) + b"".join(described(name, order) for name in names) + b"".join(blocks)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "capture.pcapng"
    written.write_bytes(file_of(packets()) + statistics(0) + statistics(1))
    return written


@pytest.mark.parametrize("order", "<>")
def test_packets_are_indexed_with_times_and_interfaces(tmp_path: Path, order: str) -> None:
    path = tmp_path / "capture.pcapng"
    path.write_bytes(file_of(packets(), order) + statistics(0, order) + statistics(1, order))
    with PacketIndex(path) as index:
        assert index.extend() == 200
        assert (index.complete, index.damage, index.whole_end) == (True, "", path.stat().st_size)
        assert list(index.packets()) == packets()
        assert index.read(130) == packets()[129]
        assert index.layout.interfaces == ("eth0", "wg0")
        assert (index.header.linktype_name, index.header.nanoseconds) == ("EN10MB", True)
        assert index.first_since(TIME + 50 * 1_001) == 51
    assert pcap_files.trim(path).bytes == path.stat().st_size


def test_a_growing_file_shows_every_whole_packet_and_interfaces_that_come_late(tmp_path: Path) -> None:
    path, whole = tmp_path / "capture.pcapng", file_of(packets(3))
    first = len(section()) + len(described("eth0"))
    path.write_bytes(whole[: first + 5])
    with PacketIndex(path, growing=True) as index:
        index.extend()
        assert (index.count, index.layout.interfaces) == (0, ("eth0",))
        for cut in range(first + 5, len(whole) + 1):
            path.write_bytes(whole[:cut])
            index.extend()
            assert index.count == sum(end <= cut for end in _ends(packets(3)))
            assert index.damage == ""
        assert list(index.packets()) == packets(3)


def _ends(found: list[RawPacket]) -> list[int]:
    return [len(file_of(found[:count])) for count in range(1, len(found) + 1)]


@pytest.mark.parametrize("order", "<>")
def test_the_runner_cuts_it_anywhere_to_whole_blocks(tmp_path: Path, order: str) -> None:
    path, found = tmp_path / "capture.pcapng", packets(3)
    whole = file_of(found, order)
    ends = _ends(found)
    for cut in range(len(file_of([], order)), len(whole) + 1):
        path.write_bytes(whole[:cut])
        records = sum(end <= cut for end in ends)
        assert trim_to_whole_records(str(path)) == (records, len(file_of(found[:records], order)))
    walk = RecordWalk(str(path))
    walk.extend(len(whole))
    assert whole[: walk.beginning] == file_of([], order)
    walk.close()


def test_damage_is_told_where_it_is(path: Path) -> None:
    data = file_of(packets(2))
    path.write_bytes(data + block(77, bytes(40)))
    with PacketIndex(path) as index:
        index.extend()
        assert (
            index.damage == f"packet 3 at byte {len(data)} is no packet but a block of kind 77 and 52 bytes"
        )
    path.write_bytes(data[:-3])
    with PacketIndex(path) as index:
        index.extend()
        assert index.damage.startswith("packet 2 at byte ")
    path.write_bytes(section() + described("eth0") + described("tun0", linktype=101))
    with pytest.raises(InvalidInput, match="different link types"):
        PacketIndex(path)
    path.write_bytes(section())
    with pytest.raises(InvalidInput, match="describes no interface"):
        PacketIndex(path)


def test_a_kept_index_is_believed(path: Path) -> None:
    with PacketIndex(path) as index:
        index.extend()
        kept = pcap_kept_index.pack(index)
    assert kept
    with open_index(path) as index:
        assert pcap_kept_index.recall(index, kept)
        assert list(index.packets()) == packets()


def test_parts_keep_their_interfaces_and_become_classic_ones(path: Path, tmp_path: Path) -> None:
    with PacketIndex(path) as index:
        index.extend()
        wanted = [raw for raw in packets() if raw.interface and raw.nanoseconds <= TIME + 100 * 1_001]
        cut = Cut(until=TIME + 100 * 1_001, numbers=range(2, 201, 2), wanted=lambda data: bool(data))
        part = index.layout.beginning + b"".join(piece.records for piece in pieces(index, cut))
        classic = list(packets_of(index.layout, pieces(index, cut)))
    assert [raw[1:] for raw in classic] == [raw[1:] for raw in wanted]
    (tmp_path / "part.pcapng").write_bytes(part)
    with PacketIndex(tmp_path / "part.pcapng") as index:
        index.extend()
        assert index.damage == ""
        assert [raw[1:] for raw in index.packets()] == [raw[1:] for raw in wanted]


def test_merged_files_have_all_interfaces_once(path: Path, tmp_path: Path) -> None:
    other, plain = tmp_path / "other.pcapng", tmp_path / "plain.pcap"
    other.write_bytes(file_of(packets(4), names=("wg0", "eth1")))
    header = make_header()
    plain.write_bytes(header.data + pack_record(header, packets(1)[0]))
    layout = layout_for(make_header(nanoseconds=True), ("unknown", "eth0", "wg0", "eth1"))
    with PacketIndex(path) as one, PacketIndex(other) as two, PacketIndex(plain) as three:
        for index in (one, two, three):
            index.extend()
        found = list(packets_of(layout, merged([one, two, three], layout)))
    names = [layout.interfaces[raw.interface] for raw in found]
    assert (len(found), names.count("unknown"), names.count("eth1"), names.count("wg0")) == (205, 1, 2, 102)
    assert [raw.nanoseconds for raw in found] == sorted(raw.nanoseconds for raw in found)


def test_bytes_are_found_in_packets_and_not_in_blocks_around_them(path: Path) -> None:
    frame = packets()[7].data
    for wanted in (Wanted(frame[-6:].hex(), FindKind.HEX), Wanted("06000000", FindKind.HEX)):
        with PacketIndex(path) as index:
            index.extend()
            search = PacketSearch(index, PacketPattern(wanted), FindIn.BYTES, None)
            found = {match.number for block in search.blocks(1) for match in search.look(block).matches}
        sought = bytes.fromhex(wanted.text)
        assert found == {raw.number for raw in packets() if re.search(re.escape(sought), raw.data)}


def test_talkers_are_those_of_the_classic_file(path: Path, tmp_path: Path) -> None:
    header = make_header()
    classic = tmp_path / "classic.pcap"
    classic.write_bytes(header.data + b"".join(pack_record(header, raw) for raw in packets()))
    said = []
    for one in (path, classic):
        with TrafficReader(one) as reader:
            while reader.advance(1.0):
                pass
            said.append(reader.snapshot(100))
    assert said[0] == said[1]
    assert said[0].read == 1.0


@pytest.mark.parametrize(
    ("strange", "why"),
    [
        (block(77, b"x" * 20), "what follows is no packet but a block of kind 77 and 32 bytes"),
        (block(77, b""), "what follows is no packet but a block of kind 77 and 12 bytes"),
        (block(6, b"x" * 12), "what follows is no packet but a block of kind 6 and 24 bytes"),
        (block(6, struct.pack("<IIIII", 0, 0, 0, 10**6, 60)), "a packet of 1000000 bytes is not possible"),
        (
            block(6, struct.pack("<IIIII", 0, 0, 0, 90, 60) + bytes(60)),
            "a packet of 90 bytes is not possible",
        ),
    ],
    ids=["strange", "strange and empty", "no packet", "absurd packet", "packet beyond its block"],
)
def test_talkers_of_a_damaged_file_are_told_to_be_those_before_the_damage(
    tmp_path: Path, strange: bytes, why: str
) -> None:
    path, whole = tmp_path / "capture.pcapng", file_of(packets())
    path.write_bytes(whole + strange + whole)
    with TrafficReader(path) as reader:
        while reader.advance(1.0):
            pass
        found = reader.snapshot(100)
    assert (found.packets, found.damage) == (200, f"{why}: at byte {len(whole)}")


def test_talkers_of_a_file_that_grows_faster_than_it_is_read_say_so(tmp_path: Path) -> None:
    path, found = tmp_path / "capture.pcapng", packets(20_000)
    path.write_bytes(file_of(found))
    with TrafficReader(path, growing=True) as reader:
        reader.advance(0)
        assert reader.snapshot(9).lag == f"behind: {reader.snapshot(9).read:.0%} of the file is read"
        reader.advance(30.0)
        assert (reader.snapshot(9).packets, reader.snapshot(9).lag) == (20_000, "")


def test_half_a_block_at_the_end_is_no_damage(tmp_path: Path) -> None:
    path, whole = tmp_path / "capture.pcapng", file_of(packets(2))
    last = packet(0, TIME, FRAMES[0])
    for end in (last, statistics(0)):
        for size in range(len(end)):
            path.write_bytes(whole + end[:size])
            with TrafficReader(path, growing=True) as reader:
                reader.advance(1.0)
                assert (reader.snapshot(9).packets, reader.snapshot(9).damage) == (2, "")


def test_a_file_that_is_cut_to_nothing_is_told_as_shorter(path: Path) -> None:
    with TrafficReader(path) as reader:
        os.truncate(path, 0)
        assert not reader.advance(1.0)
        assert "became shorter" in reader.snapshot(9).damage


def test_a_set_is_one_file(tmp_path: Path) -> None:
    found = packets(9)
    for number in range(3):
        name = f"capture-{number + 1:06d}.pcapng"
        (tmp_path / name).write_bytes(file_of(found[number * 3 : number * 3 + 3]))
    with FileSetReader(tmp_path) as reader:
        assert b"".join(reader.pieces()) == file_of(found)


def test_opening_closes_what_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(section())
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(InvalidInput):
        PacketIndex(tmp_path / "x")
    assert set(os.listdir("/proc/self/fd")) == before
