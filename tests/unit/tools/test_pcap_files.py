import hashlib

import pytest

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_files import end_of_records, sha256_of, trim

HEADER = make_header(nanoseconds=True, byte_order=">")
PACKETS = [RawPacket(n, n * 1_000_000_007, 100, bytes([n]) * n) for n in range(1, 81)]
WHOLE = HEADER.data + b"".join(pack_record(HEADER, packet) for packet in PACKETS)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "a.pcap"
    file.write_bytes(WHOLE)
    return file


def test_a_whole_file_is_counted_and_left_as_it_is(path):
    assert trim(path) == (80, len(WHOLE), "EN10MB", (1.000000007, 80.00000056))
    assert path.read_bytes() == WHOLE
    assert sha256_of(path) == hashlib.sha256(WHOLE).hexdigest()


def test_a_file_without_packets_has_no_times(path):
    path.write_bytes(HEADER.data)
    assert trim(path) == (0, 24, "EN10MB", None)


def test_trimming_leaves_whole_records_only_wherever_the_file_was_cut(path):
    last = len(WHOLE) - 16 - 80
    for length in range(last, len(WHOLE)):
        path.write_bytes(WHOLE[:length])
        assert end_of_records(path) == last
        assert path.stat().st_size == length
        assert trim(path) == (79, last, "EN10MB", (1.000000007, 79.000000553))
        assert path.read_bytes() == WHOLE[:last]


def test_what_is_no_capture_is_not_trimmed(path):
    path.write_bytes(b"precious text, not a capture")
    with pytest.raises(InvalidInput):
        trim(path)
    assert path.read_bytes() == b"precious text, not a capture"
