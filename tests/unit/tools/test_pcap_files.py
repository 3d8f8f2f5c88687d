import hashlib
import os

import pytest

from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_files import count_records, first_and_last_time, sha256_of, trim, write_slice
from netmon_tui.tools.pcap_index import PacketIndex

HEADER = make_header(nanoseconds=True, byte_order=">")
PACKETS = [RawPacket(n, n * 1_000_000_007, 100, bytes([n]) * n) for n in range(1, 81)]
WHOLE = HEADER.data + b"".join(pack_record(HEADER, packet) for packet in PACKETS)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "a.pcap"
    file.write_bytes(WHOLE)
    return file


def test_a_whole_file_is_counted_and_left_as_it_is(path):
    assert count_records(path) == 80
    assert first_and_last_time(path) == (1.000000007, 80.00000056)
    assert trim(path) == (80, len(WHOLE))
    assert path.read_bytes() == WHOLE
    assert sha256_of(path) == hashlib.sha256(WHOLE).hexdigest()


def test_a_file_without_packets_has_no_times(path):
    path.write_bytes(HEADER.data)
    assert (count_records(path), first_and_last_time(path), trim(path)) == (0, None, (0, 24))


def test_trimming_leaves_whole_records_only_wherever_the_file_was_cut(path):
    last = len(WHOLE) - 16 - 80
    for length in range(last, len(WHOLE)):
        path.write_bytes(WHOLE[:length])
        assert trim(path) == (79, last)
        assert path.read_bytes() == WHOLE[:last]


def test_what_is_no_capture_is_not_trimmed(path):
    path.write_bytes(b"precious text, not a capture")
    with pytest.raises(InvalidInput):
        trim(path)
    assert path.read_bytes() == b"precious text, not a capture"


def test_a_slice_is_a_file_with_the_records_unchanged(path, tmp_path):
    target = tmp_path / "slice"
    with PacketIndex(path) as index, target.open("wb") as file:
        index.extend()
        assert write_slice(index, [70, 3, 3], file.fileno()) == 3
        os.fstat(file.fileno())
    assert target.read_bytes() == HEADER.data + b"".join(
        pack_record(HEADER, PACKETS[n - 1]) for n in (70, 3, 3)
    )


def test_a_slice_of_what_is_not_there_is_not_found(path, tmp_path):
    with PacketIndex(path) as index, (tmp_path / "slice").open("wb") as file:
        index.extend()
        with pytest.raises(NotFound):
            write_slice(index, [81], file.fileno())
