"""File sets: which files are of one, in which order, and reading them as one while they change."""

from pathlib import Path

import pytest

from netmon_tui.domain.capture_files import NUMBERED_NAME, check_rotation, in_order
from netmon_tui.domain.job import Rotation
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.tools.file_set import FileSetReader, one_file, packet_files, whole_packets
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_cut import Cut, pieces
from netmon_tui.tools.pcap_index import PacketIndex

HEADER = make_header()
RECORDS = [pack_record(HEADER, RawPacket(n, n * 10**9, 60, bytes([n]) * 60)) for n in range(1, 10)]


def put(directory: Path, number: int, *records: bytes) -> Path:
    path = directory / (NUMBERED_NAME % number)
    path.write_bytes(HEADER.data + b"".join(records))
    return path


def test_files_with_packets_are_in_the_order_of_their_numbers() -> None:
    names = ["capture-1000000.pcap", "capture-999999.pcap", "original.pcap", "capture-12.pcap", "next.part"]
    assert in_order(names) == ["capture-999999.pcap", "capture-1000000.pcap"]
    assert in_order(["original.pcap.gz", "capture.pcap", "spec.json"]) == ["capture.pcap"]


def test_one_is_found_by_place_and_by_name(tmp_path: Path) -> None:
    paths = [put(tmp_path, number, RECORDS[0]) for number in (7, 8, 9)]
    assert [one_file(tmp_path, which) for which in ("1", "3", "", paths[1].name)] == [
        *paths[::2],
        paths[2],
        paths[1],
    ]
    with pytest.raises(
        NotFound, match=r"is gone: the ring, .* deleted it .*the oldest is capture-000007.pcap now"
    ):
        one_file(tmp_path, "capture-000001.pcap")
    for which in ("0", "4", "capture-000010.pcap", "../capture-000007.pcap", "\x1b"):
        with pytest.raises(NotFound, match="it has 3 now"):
            one_file(tmp_path, which)
    with pytest.raises(InvalidInput, match="has no file"):
        one_file(tmp_path / "gone", "")


def test_they_are_one_pcap_file(tmp_path: Path) -> None:
    put(tmp_path, 3, *RECORDS[:2])
    put(tmp_path, 4)
    put(tmp_path, 5, *RECORDS[2:5])
    (tmp_path / "original.pcap").write_bytes(b"not of it")
    with FileSetReader(tmp_path) as reader:
        assert b"".join(reader.pieces()) == HEADER.data + b"".join(RECORDS[:5])
        assert reader.missed == 0


def test_half_a_record_that_was_read_is_not_read_again_from_the_next_file(tmp_path: Path) -> None:
    """The writer cuts a file after it was read further, and the next one begins with what was cut."""
    first = put(tmp_path, 1, RECORDS[0], RECORDS[1][:30])
    with FileSetReader(tmp_path) as reader:
        read = b"".join(reader.pieces())
        first.write_bytes(HEADER.data + RECORDS[0])
        put(tmp_path, 2, RECORDS[1], RECORDS[2])
        read += b"".join(reader.pieces())
    assert read == HEADER.data + b"".join(RECORDS[:3])


def test_files_that_the_ring_deleted_unread_are_counted(tmp_path: Path) -> None:
    first = put(tmp_path, 1, RECORDS[0])
    with FileSetReader(tmp_path) as reader:
        read = b"".join(reader.pieces())
        first.unlink()
        put(tmp_path, 4, RECORDS[3])
        assert read + b"".join(reader.pieces()) == HEADER.data + RECORDS[0] + RECORDS[3]
        assert reader.missed == 2


def test_a_packet_of_which_the_ring_deleted_the_rest_is_no_packet(tmp_path: Path) -> None:
    first = put(tmp_path, 1, RECORDS[0], RECORDS[1][:30])
    with FileSetReader(tmp_path) as reader:
        b"".join(reader.pieces())
        first.write_bytes(HEADER.data + RECORDS[0])
        put(tmp_path, 3, RECORDS[3])
        with pytest.raises(InvalidInput, match="deleted packets while they were read"):
            reader.read()


def test_files_end_where_it_is_told_and_those_that_end_at_once_are_passed_over(tmp_path: Path) -> None:
    whole = len(HEADER.data + RECORDS[0])
    for number in (1, 3, 5):
        (tmp_path / (NUMBERED_NAME % number)).touch()
    put(tmp_path, 2, RECORDS[0], RECORDS[1][:30])
    put(tmp_path, 4, RECORDS[2], RECORDS[3])
    put(tmp_path, 6, RECORDS[4])
    with FileSetReader(tmp_path, {1: 0, 2: whole, 3: 0, 4: whole, 5: 0}) as reader:
        assert b"".join(reader.pieces()) == HEADER.data + RECORDS[0] + RECORDS[2]
        assert reader.missed == 0


def test_a_deleted_file_is_missed_also_behind_one_that_is_passed_over(tmp_path: Path) -> None:
    paths = [put(tmp_path, number, RECORDS[number]) for number in range(1, 5)]
    sizes = {number: path.stat().st_size for number, path in enumerate(paths, 1)}
    with FileSetReader(tmp_path, sizes | {2: 0}) as reader:
        paths[2].unlink()
        assert b"".join(reader.pieces()) == HEADER.data + RECORDS[1] + RECORDS[4]
        assert reader.missed == 1


def test_a_set_that_grows_is_taken_up_to_a_whole_packet(tmp_path: Path) -> None:
    put(tmp_path, 1, *RECORDS[:2])
    put(tmp_path, 2, RECORDS[2], RECORDS[3][:50])
    chunks = whole_packets(tmp_path)
    taken = next(chunks)
    put(tmp_path, 3, RECORDS[4])
    assert taken + b"".join(chunks) == HEADER.data + b"".join(RECORDS[:3])
    assert [path.name for path in packet_files(tmp_path)] == [NUMBERED_NAME % n for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("cut", "wanted"),
    [
        (Cut(), [4, 5, 6]),
        (Cut(first=2, last=5), [4, 5]),
        (Cut(last=3), []),
        (Cut(first=6), [6]),
        (Cut(numbers=[1, 3, 4, 6, 9]), [4, 6]),
        (Cut(first=5, numbers=[4, 5]), [5]),
    ],
    ids=str,
)
def test_numbers_go_through_all_files(tmp_path: Path, cut: Cut, wanted: list[int]) -> None:
    """Packets 4 to 6, in a file that comes after three packets."""
    with PacketIndex(put(tmp_path, 2, *RECORDS[3:6])) as index:
        index.extend()
        found = b"".join(piece.records for piece in pieces(index, cut.after(3)))
    assert found == b"".join(RECORDS[number - 1] for number in wanted)


@pytest.mark.parametrize(
    ("rotation", "why"),
    [
        (Rotation(files=3), "need a size or a time"),
        (Rotation(file_bytes=400_000, files=1), "a ring of 1 files is none"),
        (Rotation(file_seconds=5, files=10_001), "a ring of 10,001 files"),
        (Rotation(file_bytes=299_999), "too small"),
        (Rotation(file_seconds=0.5), "too short"),
        (Rotation(file_bytes=400_000, files=3), "more than a capture may have"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rotation_that_cannot_be_is_refused(rotation: Rotation, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        check_rotation(rotation, largest=1_000_000)


def test_other_rotations_are_taken() -> None:
    for rotation in (
        Rotation(),
        Rotation(file_bytes=400_000, files=2),
        Rotation(5_000_000),
        Rotation(0, 1.0, 10_000),
    ):
        check_rotation(rotation, largest=1_000_000)
