import os

import pytest

from netmon_tui.tools.pcap import FILE_HEADER_SIZE, RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.pcap_kept_index import pack, recall

COUNT = 200


def records(first, last, size=lambda number: number % 50):
    header = make_header()
    return b"".join(
        pack_record(header, RawPacket(n, n * 10**9, 99, bytes(size(n)))) for n in range(first, last)
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "capture.pcap"
    path.write_bytes(make_header().data + records(1, COUNT + 1))
    return path


def kept(path, *, growing=False):
    with PacketIndex(path, growing=growing) as index:
        index.extend()
        return pack(index)


def recalled(path, data, *, growing=False):
    """How many packets an index begins with; after that it must find exactly what a new one finds."""
    with PacketIndex(path, growing=growing) as index, PacketIndex(path, growing=growing) as fresh:
        assert recall(index, data) is bool(index.recalled)
        index.extend()
        fresh.extend()
        assert index.found() == fresh.found()
        assert index.damage == fresh.damage and index.complete
        assert index.window(1, 1000) == fresh.window(1, 1000)
        return index.recalled


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, COUNT])
def test_what_was_kept_is_recalled_to_the_last_packet(path, count):
    path.write_bytes(make_header().data + records(1, count + 1))
    assert recalled(path, kept(path)) == count


def test_an_index_that_is_damaged_anywhere_is_not_believed(path):
    whole = kept(path)
    for at in range(len(whole)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            assert recalled(path, damaged) == 0, at
    assert recalled(path, whole + b"\0") == 0


def test_an_index_whose_offsets_do_not_meet_the_end_is_not_resumed(path):
    with PacketIndex(path) as index, PacketIndex(path) as other:
        index.extend()
        found = index.found()
        wrong = [found._replace(packets=found.packets - 1), found._replace(end=found.end - 1)]
        for at in range(len(found.samples)):
            samples = found.samples[:]
            samples[at] += 1 << 40
            wrong.append(found._replace(samples=samples))
        for one in wrong:
            assert not other.resume(one) and other.count == 0
        assert other.resume(found)


@pytest.mark.parametrize("growing", [False, True], ids=["finished", "growing"])
def test_an_index_is_not_of_another_file(path, growing):
    data, other = kept(path, growing=growing), path.with_name("other.pcap")
    other.write_bytes(path.read_bytes())
    assert recalled(other, data) == 0
    os.replace(other, path)
    assert recalled(path, data) == 0


def test_a_finished_file_that_changes_in_any_way_is_read_anew(path):
    data, whole, status = kept(path), path.read_bytes(), path.stat()
    for content in (whole + records(1, 2), whole[:-20], whole[:FILE_HEADER_SIZE] + records(2, 4) * 9):
        path.write_bytes(content)
        assert recalled(path, data) == 0
    path.write_bytes(make_header().data + records(1, COUNT + 1, lambda number: (number + 1) % 50))
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert path.stat().st_size == len(whole) and path.stat().st_mtime_ns == status.st_mtime_ns
    assert recalled(path, data) == 0


def test_a_file_that_grew_since_is_resumed_where_it_was(path):
    data = kept(path, growing=True)
    with path.open("ab") as file:
        file.write(records(1, 99) + b"half")
    assert recalled(path, data, growing=True) == COUNT
    assert recalled(path, data) == COUNT


def test_a_growing_file_whose_end_is_another_is_read_anew(path):
    data, whole = kept(path, growing=True), path.read_bytes()
    path.write_bytes(whole[:-30])
    assert recalled(path, data, growing=True) == 0
    path.write_bytes(whole[:-1] + b"\1" + records(1, 9))
    assert recalled(path, data, growing=True) == 0


def test_what_changes_under_an_index_is_not_kept(path):
    with PacketIndex(path) as index:
        index.extend(10)
        assert pack(index) is None, "it is not at the end"
        with path.open("ab") as file:
            file.write(records(1, 2))
        index.extend()
        assert index.complete and pack(index) is None
