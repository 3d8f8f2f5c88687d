"""Who talks in captures, for those who may see them."""

from __future__ import annotations

import pytest

from netmon_tui.domain.capture_files import CAPTURE_NAME
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.services import traffic
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.pcap import make_header
from netmon_tui.tools.traffic_reader import CHUNK
from tests.unit.services.made_scans import Store
from tests.unit.services.tsharks import begin, keep, make_ring
from tests.unit.tools.exchanges import CLIENT, SERVER, exchanges


async def test_a_whole_capture_is_counted(store: Store) -> None:
    number = keep(store.services, store.ada, exchanges().data())
    opened = await store.services.traffic.open(store.ada, number)
    while not opened.complete:
        found = await opened.look(growing=False, most=2)
    await opened.close()
    assert (found.packets, found.notes, found.read) == (20, (), 1.0)
    assert [one.address for one in found.talkers] == [SERVER, CLIENT]
    (web, _) = found.conversations
    assert (web.client, web.server, web.service.label, web.packets) == (CLIENT, SERVER, "TCP 80", 18)
    assert web.filter == f"ip.addr == {CLIENT} && ip.addr == {SERVER} && tcp.port == 80"


async def test_a_link_type_whose_addresses_are_not_read_is_named(store: Store) -> None:
    number = keep(store.services, store.ada, make_header(127).data + exchanges().data()[24:])
    opened = await store.services.traffic.open(store.ada, number)
    found = await opened.look(growing=False)
    await opened.close()
    assert (found.packets, found.talkers) == (20, ())
    assert found.notes == ("addresses of IEEE802_11_RADIO are not read",)


@pytest.mark.parametrize("empty", [{0}, {1}, {2}, {0, 1}, {1, 2}], ids=str)
async def test_a_file_without_a_header_hides_no_other(store: Store, empty: set[int]) -> None:
    data = exchanges().data()
    number = keep(store.services, store.ada, data)
    directory = CaptureRepository(store.services.database).directory(number)
    make_ring(directory, *(b"" if place in empty else data for place in range(3)))
    opened = await store.services.traffic.open(store.ada, number)
    while not opened.complete:
        found = await opened.look(growing=False)
    assert (await opened.look(growing=False)).packets == found.packets
    await opened.close()
    assert (found.packets, found.read) == (20 * (3 - len(empty)), 1.0)
    assert found.notes == (f"capture-{min(empty) + 1:06}.pcap: it is empty",)


async def test_a_capture_that_is_opened_late_is_kept_up_with_once_its_file_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = exchanges().data()
    for name, value in (("_FIRST_SECONDS", 2e-5), ("SHARE", 1.0), ("_LONGEST_GAP", 2e-5)):
        monkeypatch.setattr(traffic, name, value)  # time for one piece a look, and none to sample
    number, directory = begin(store.services, store.ada)
    path = directory / CAPTURE_NAME
    path.write_bytes(data + data[24:] * (4 * CHUNK // len(data)))
    opened = await store.services.traffic.open(store.ada, number)
    told = [await opened.look(growing=True) for _ in range(6)]
    assert [one.keeps_up for one in told] == [False, False, True, True, True, True]
    assert told[0].packets < told[1].packets < told[2].packets < told[3].packets == told[5].packets
    with path.open("ab") as file:
        file.write(data[24:])
    assert (await opened.look(growing=True)).keeps_up
    await opened.close()


async def test_a_capture_that_runs_is_followed(store: Store) -> None:
    data = exchanges().data()
    number, directory = begin(store.services, store.ada)
    (directory / CAPTURE_NAME).write_bytes(data)
    opened = await store.services.traffic.open(store.ada, number)
    assert (await opened.look(growing=True)).packets == 20 and not opened.complete
    records = data[24:]
    with (directory / CAPTURE_NAME).open("ab", buffering=0) as file:
        file.write(records + records[:9])
        assert (await opened.look(growing=True)).packets == 40
        file.write(records[9:])
        found = await opened.look(growing=True)
    await opened.close()
    assert (found.packets, found.read, found.notes) == (60, 1.0, ())


async def test_what_is_too_much_is_sampled_while_the_capture_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = exchanges().data()
    number = keep(store.services, store.ada, data + data[24:] * 2999, JobState.RUNNING)
    monkeypatch.setattr(traffic, "_FIRST_SECONDS", 0.01)
    opened = await store.services.traffic.open(store.ada, number)
    found = await opened.look(growing=True)
    await opened.close()
    assert found.sampled > 1.5 and "estimates" in found.notes[0]
    assert found.packets == pytest.approx(60_000, rel=0.05)


async def test_others_and_captures_without_packets_are_refused(store: Store) -> None:
    number, directory = begin(store.services, store.ada)
    with pytest.raises(NotFound):
        await store.services.traffic.open(Actor(99, "eve", Role.OPERATOR), number)
    for content in (None, b"", b"\xd4\xc3\xb2"):
        if content is not None:
            (directory / CAPTURE_NAME).write_bytes(content)
        with pytest.raises(InvalidInput, match="nothing was written yet"):
            await store.services.traffic.open(store.ada, number)
