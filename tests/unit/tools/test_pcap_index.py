import itertools
import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.tools.pcap import FILE_HEADER_SIZE, RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_index import PacketIndex

SECOND = 1_000_000_000


def packets(count, size=lambda number: number % 90):
    return [
        RawPacket(n, (1_700_000_000 + n) * SECOND + n * 1000, size(n) + 7, bytes([n % 256]) * size(n))
        for n in range(1, count + 1)
    ]


def write(path, content, header=None):
    header = header or make_header()
    path.write_bytes(header.data + b"".join(pack_record(header, packet) for packet in content))
    return path


@pytest.mark.parametrize(("order", "nanoseconds"), itertools.product("<>", (False, True)))
def test_every_packet_is_read_back_as_it_was_written(tmp_path, order, nanoseconds):
    content = packets(200)
    with PacketIndex(
        write(tmp_path / "a", content, make_header(byte_order=order, nanoseconds=nanoseconds))
    ) as index:
        assert index.extend() == index.count == 200
        assert index.complete and index.damage == "" and index.end == index.file_size
        assert index.window(1, 201) == content
        assert [index.read(n) for n in (1, 64, 65, 128, 129, 200)] == [
            content[n - 1] for n in (1, 64, 65, 128, 129, 200)
        ]
        assert index.first_and_last_time() == (content[0].time, content[-1].time)


def test_offsets_are_where_the_records_are(tmp_path):
    content = packets(300)
    expected = list(itertools.accumulate((16 + len(p.data) for p in content), initial=FILE_HEADER_SIZE))
    with PacketIndex(write(tmp_path / "a", content)) as index:
        index.extend()
        assert [index.offset(n) for n in range(1, 301)] == expected[:-1]


def test_windows_are_clipped_to_what_is_there(tmp_path):
    content = packets(70)
    with PacketIndex(write(tmp_path / "a", content)) as index:
        index.extend()
        assert index.window(69, 500) == content[68:]
        assert index.window(-5, 3) == content[:2]
        assert index.window(71, 80) == index.window(5, 5) == index.window(9, 2) == []


@pytest.mark.parametrize("number", [0, -1, 4])
def test_a_packet_that_is_not_there_is_not_found(tmp_path, number):
    with PacketIndex(write(tmp_path / "a", packets(3))) as index:
        index.extend()
        with pytest.raises(NotFound):
            index.read(number)
        with pytest.raises(NotFound):
            index.offset(number)


def test_a_file_is_indexed_in_slices(tmp_path):
    with PacketIndex(write(tmp_path / "a", packets(250))) as index:
        assert [index.extend(100), index.complete, index.damage] == [100, False, ""]
        assert [index.extend(100), index.complete] == [100, False]
        assert [index.extend(100), index.complete, index.count] == [50, True, 250]
        assert index.extend() == 0


def test_packets_larger_than_what_is_read_at_once(tmp_path):
    sizes = {1: 10, 2: 262_144, 3: 200_000, 4: 0, 5: 262_144, 6: 262_144, 7: 262_144, 8: 262_144, 9: 3}
    content = packets(9, sizes.__getitem__)
    with PacketIndex(write(tmp_path / "a", content)) as index:
        assert index.extend() == 9
        assert index.window(1, 10) == content
        assert index.read(9) == content[8]


def test_a_growing_file_is_followed_and_its_half_packet_is_no_damage(tmp_path):
    path, content = tmp_path / "a", packets(130)
    whole = write(path, content).read_bytes()
    path.write_bytes(whole[:FILE_HEADER_SIZE])
    seen = []
    with PacketIndex(path, growing=True) as index, path.open("ab") as file:
        for start in range(FILE_HEADER_SIZE, len(whole), 97):
            file.write(whole[start : start + 97])
            file.flush()
            index.extend()
            assert index.complete and index.damage == ""
            seen += index.window(len(seen) + 1, index.count + 1)
            assert seen == content[: index.count]
    assert seen == content


def test_a_file_cut_anywhere_gives_its_whole_packets_and_says_what_is_cut(tmp_path):
    content = packets(4, lambda n: n * 3)
    whole = write(tmp_path / "whole", content).read_bytes()
    ends = list(itertools.accumulate((16 + len(p.data) for p in content), initial=FILE_HEADER_SIZE))
    for length in range(len(whole) + 1):
        path = tmp_path / "cut"
        path.write_bytes(whole[:length])
        if length < FILE_HEADER_SIZE:
            with pytest.raises(InvalidInput):
                PacketIndex(path)
            continue
        with PacketIndex(path) as index:
            index.extend()
            records = sum(end <= length for end in ends) - 1
            assert index.window(1, 10) == content[:records]
            assert (index.count, index.end) == (records, ends[records])
            cut = f"packet {records + 1} at byte {ends[records]} is cut: only {length - ends[records]} of its bytes"
            assert index.damage.startswith(cut) if length not in ends else index.damage == ""


def test_an_impossible_length_ends_the_file_there(tmp_path):
    path = write(tmp_path / "a", packets(3))
    header = make_header()
    with path.open("ab") as file:
        file.write(header.record.pack(1, 2, 262_145, 9) + bytes(400_000))
    with PacketIndex(path) as index:
        assert index.extend() == 3 and index.complete
        assert (
            index.damage
            == f"packet 4 at byte {index.end} claims 262145 captured bytes, more than the 262144 that are possible"
        )
        assert index.extend() == 0


def test_a_file_that_becomes_shorter_is_noticed(tmp_path):
    path = write(tmp_path / "a", packets(100, lambda n: 50))
    with PacketIndex(path) as index:
        index.extend()
        with path.open("ab") as file:
            file.truncate(1000)
        with pytest.raises(InvalidInput, match="shorter"):
            index.read(80)
        with pytest.raises(InvalidInput, match="shorter"):
            index.window(1, 101)
        index.extend()
        assert "shorter" in index.damage


def test_no_damage_is_told_beyond_the_end_that_a_file_has_now(tmp_path):
    path = write(tmp_path / "a", packets(100, lambda n: 50))
    os.truncate(path, 5000)
    with PacketIndex(path) as index:
        index.extend()
        assert (
            index.damage
            == f"packet {index.count + 1} at byte {index.end} is cut: only 26 of its bytes are in the file"
        )
        os.truncate(path, index.end + 7)
        assert "only 7 of its bytes" in index.damage
        os.truncate(path, 1000)
        assert index.damage == f"the file became shorter than the {index.end} bytes that were read of it"


def test_descriptors_are_closed(tmp_path):
    index = PacketIndex(write(tmp_path / "a", packets(1)))
    index.close()
    index.close()
    with pytest.raises(OSError):
        index.extend()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400), order=st.sampled_from("<>"))
def test_any_bytes_after_the_header_are_indexed_without_an_error(tmp_path, body, order):
    path = tmp_path / "a"
    path.write_bytes(make_header(byte_order=order).data + body)
    with PacketIndex(path) as index:
        index.extend()
        assert index.complete and index.end <= index.file_size
        assert len(index.window(1, 1000)) == index.count
        assert bool(index.damage) == (index.end < index.file_size)


@pytest.mark.lab
@pytest.mark.skipif(not shutil.which("capinfos"), reason="capinfos is not installed")
def test_capinfos_counts_the_same(tmp_path):
    path = write(tmp_path / "a.pcap", packets(5000))
    with PacketIndex(path) as index:
        index.extend()
    out = subprocess.run(
        ["capinfos", "-M", "-c", "-T", "-r", path], capture_output=True, text=True, check=True
    )
    assert out.stdout.split()[-1] == str(index.count)
