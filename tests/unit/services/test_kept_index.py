import os
import stat

import pytest

from netmon_tui.services import kept_index
from netmon_tui.services.kept_index import LEAST_PACKETS, index_path, keep_index, open_index
from netmon_tui.services.packet_list import PacketList
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record


@pytest.fixture
def path(tmp_path):
    header = make_header()
    path = tmp_path / "capture.pcap"
    record = pack_record(header, RawPacket(1, 10**18, 60, bytes(20)))
    path.write_bytes(header.data + record * (LEAST_PACKETS + 5))
    return path


def keep(path):
    with open_index(path) as index:
        index.extend()
        return keep_index(index)


def recalled(path):
    with open_index(path) as index:
        return index.recalled


def test_an_index_is_kept_privately_and_not_written_twice(path):
    assert recalled(path) == 0
    assert keep(path)
    assert stat.S_IMODE(index_path(path).stat().st_mode) == 0o600
    assert recalled(path) == LEAST_PACKETS + 5
    assert not keep(path)
    assert sorted(one.name for one in path.parent.iterdir()) == ["capture.pcap", "capture.pcap.index"]


def test_a_small_file_needs_none(path):
    path.write_bytes(path.read_bytes()[:5000])
    assert not keep(path) and not index_path(path).exists()


def test_of_a_file_that_is_gone_none_is_kept(path):
    with open_index(path, growing=True) as index:
        index.extend()
        path.unlink()
        assert not keep_index(index) and not index_path(path).exists()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_what_others_may_have_written_is_not_believed_but_replaced(path, mode):
    keep(path)
    index_path(path).chmod(mode)
    assert recalled(path) == 0
    assert keep(path) and recalled(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_owns_is_not_believed(path):
    keep(path)
    os.chown(index_path(path), 65534, -1)
    assert recalled(path) == 0


def test_what_is_no_file_or_none_of_ours_is_replaced(path):
    keep(path)
    for put in (
        lambda: index_path(path).write_bytes(b"something else"),
        lambda: index_path(path).symlink_to(path),
        lambda: os.mkfifo(index_path(path), 0o600),
    ):
        index_path(path).unlink()
        put()
        assert recalled(path) == 0
        assert keep(path) and recalled(path)


def test_where_nothing_can_be_written_the_file_is_read_all_the_same(path):
    index_path(path).mkdir()  # refuses root, too, as a read-only directory does not
    assert recalled(path) == 0 and not keep(path)
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []


def test_an_index_that_is_too_large_is_not_read(path, monkeypatch):
    keep(path)
    monkeypatch.setattr(kept_index, "_LARGEST", 100)
    assert recalled(path) == 0


async def test_whoever_opens_a_finished_file_twice_sees_its_end_at_once(path):
    packets = PacketList(path)
    assert packets.count == 0
    while await packets.extend():
        pass
    await packets.close()
    again = PacketList(path)
    assert again.complete and [one.number for one in await again.pick([LEAST_PACKETS + 5])] == [
        LEAST_PACKETS + 5
    ]
    await again.close()


async def test_the_index_of_a_growing_file_is_kept_as_far_as_it_goes_when_it_is_closed(path):
    packets = PacketList(path, growing=True)
    await packets.extend(LEAST_PACKETS)
    await packets.close()
    with path.open("ab") as file:
        file.write(path.read_bytes()[24 : 24 + 36 * 7])
    again = PacketList(path)
    assert again.count == LEAST_PACKETS and not again.complete
    assert await again.extend() == 12
    await again.close()
