"""The service on a real kernel's table, in a network namespace of the test's own."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netmon_tui.cli.neighbour_show import shown_lladdr
from netmon_tui.domain.address import Family
from netmon_tui.domain.device import DeviceMarks
from netmon_tui.domain.neighbour import NOT_MISSED, Neighbour, NeighbourRecord, NudState
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.neighbour_facts import LladdrSpan, NeighbourFacts
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import StorageError
from netmon_tui.runtime import proc_net
from netmon_tui.runtime.neighbour_table import Resync
from netmon_tui.runtime.only_one import OnlyOne
from netmon_tui.services import neighbour_watch, neighbours
from netmon_tui.services.devices import DeviceService
from netmon_tui.services.neighbour_memory import NeighbourMemory
from netmon_tui.services.neighbour_watch import EventQueue
from netmon_tui.services.neighbours import NeighbourService
from netmon_tui.storage.device_queries import DeviceQueries
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.neighbour_repository import NeighbourRepository, Sighting
from netmon_tui.storage.schema_version import open_database
from netmon_tui.tools.oui import VendorTable
from netmon_tui.tools.rtnetlink import NeighbourSeen
from netmon_tui.ui.widgets.neighbour_words import neighbour_lines
from tests.unit.runtime.network_namespace import entries, in_own_network, ip, make_pair, needs_namespace

pytestmark = needs_namespace
BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)
EVE = Actor(4, "eve", Role.VIEWER)
Work = Callable[[NeighbourService], Awaitable[None]]


def followed(folder: Path, work: Work) -> None:
    """Do the work with a service that follows two links of its own."""

    async def run() -> None:
        make_pair()
        database = open_database(f"sqlite:///{folder}/netmon.db", backups=folder)
        vendors, repository = VendorTable(wireshark_files=(), nmap_files=()), NeighbourRepository(database)
        memory = NeighbourMemory(repository, DeviceRepository(database), OnlyOne(folder / "claim"))
        service = NeighbourService(repository, memory, vendors, {})
        await service.start()
        try:
            async with asyncio.timeout(30):
                await work(service)
        finally:
            await service.close()
            database.close()

    in_own_network(lambda: asyncio.run(run()))


def shown(service: NeighbourService) -> dict[tuple[str, str], NeighbourRecord]:
    return {(record.interface, record.address): record for record in service.snapshot(EVE)}


def of_kernel() -> set[tuple[str, str, str, str]]:
    said = subprocess.run(["ip", "-j", "neigh", "show", "nud", "all"], capture_output=True, check=True).stdout
    return {
        (row["dev"], row["dst"], row.get("lladdr", ""), row["state"][0])
        for row in json.loads(said)
        if row["state"] != ["NOARP"]
    }


async def until(service: NeighbourService, fact: Callable[[], bool]) -> None:
    while not fact():
        service.changed.clear()
        await service.changed.wait()


def entry(address: str, device: str, state: str = "permanent") -> str:
    return f"neigh replace {address} lladdr 00:16:3e:00:00:05 dev {device} nud {state}"


def test_links_that_come_and_go_and_change_their_names(tmp_path: Path) -> None:
    async def work(service: NeighbourService) -> None:
        ip(
            "link add late type veth peer name other",
            "link set other up",
            "link set late up",
            entry("10.3.0.1", "late"),
            entry("10.3.0.2", "left"),
        )
        await until(service, lambda: {("late", "10.3.0.1"), ("left", "10.3.0.2")} <= shown(service).keys())
        ip("link set late down", "link set late name early", "link set early up", entry("10.3.0.3", "early"))
        await until(service, lambda: ("early", "10.3.0.3") in shown(service))
        assert not [key for key in shown(service) if key[0] == "late"]
        ip("link del early")
        await until(service, lambda: not [key for key in shown(service) if key[0] == "early"])
        ip("link set left down")
        await until(service, lambda: ("left", "10.3.0.2") not in shown(service))
        ip("link del left")
        await until(service, lambda: not shown(service))

    followed(tmp_path, work)


def test_a_link_that_moves_to_another_namespace_takes_its_entries_along(tmp_path: Path) -> None:
    async def work(service: NeighbourService) -> None:
        ip(entry("10.3.0.2", "left"))
        await until(service, lambda: ("left", "10.3.0.2") in shown(service))
        elsewhere = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        ours = Path("/proc/thread-self/ns/net").readlink()
        while Path(f"/proc/{elsewhere.pid}/ns/net").readlink() == ours:
            await asyncio.sleep(0.01)
        ip(f"link set left netns {elsewhere.pid}")
        await until(service, lambda: ("left", "10.3.0.2") not in shown(service))
        elsewhere.communicate()

    followed(tmp_path, work)


def test_ages_and_probes_are_the_kernels(tmp_path: Path) -> None:
    async def work(service: NeighbourService) -> None:
        ip(entry("10.3.0.2", "left", "stale"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.sendto(b"?", ("10.3.0.9", 9))
        await until(service, lambda: {("left", "10.3.0.2"), ("left", "10.3.0.9")} <= shown(service).keys())
        await until(service, lambda: shown(service)["left", "10.3.0.9"].state == "FAILED")
        earlier = shown(service)
        said = subprocess.run(["ip", "-j", "-s", "neigh"], capture_output=True, check=True).stdout
        rows, later = {row["dst"]: row for row in json.loads(said)}, shown(service)
        for address in ("10.3.0.2", "10.3.0.9"):
            record, before = later["left", address], earlier["left", address]
            for name in ("used", "confirmed", "updated"):
                age = rows[address][name]
                assert getattr(before, name) - 2 <= age <= getattr(record, name) + 2, (address, name)
            assert record.probes == rows[address].get("probes", 0)
            assert min(record.confirmed, record.updated) == record.age
        assert shown(service)["left", "10.3.0.9"].probes > 0

    followed(tmp_path, work)


def test_what_fails_once_does_not_end_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(service: NeighbourService) -> None:
        failed, went_on = asyncio.Event(), asyncio.Event()

        async def look_around(now: float) -> list[NeighbourEvent]:
            if failed.is_set():
                went_on.set()
                return []
            failed.set()
            raise ValueError("a line of /proc that nobody has seen before")

        monkeypatch.setattr(service._memory, "look_around", look_around)
        await went_on.wait()

    monkeypatch.setattr(neighbours, "STORE_SECONDS", 0.01)
    followed(tmp_path, work)


def test_what_proc_says_in_vain_does_not_keep_the_table_from_being_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "net"
    odd.mkdir()
    for name in ("route", "ipv6_route", "tcp", "tcp6"):
        (odd / name).write_text("one\ntwo\n")

    def unheard(session: object) -> object:
        raise ValueError("an answer that nobody has seen before")

    async def work(service: NeighbourService) -> None:
        assert not service.error
        ip(entry("10.3.0.7", "left"))
        await until(service, lambda: ("left", "10.3.0.7") in shown(service))

    monkeypatch.setattr(proc_net, "_PROC_NET", odd)
    followed(tmp_path, work)
    monkeypatch.setattr(neighbours, "session_carriers", unheard)
    followed(tmp_path, work)


def test_the_history_of_a_live_entry_ends_now(tmp_path: Path) -> None:
    async def work(service: NeighbourService) -> None:
        ip(entry("10.3.0.2", "left", "reachable"), entry("10.3.0.3", "left"))
        lladdr, store = "00:16:3e:00:00:05", service._repository
        await until(service, lambda: {("left", "10.3.0.2"), ("left", "10.3.0.3")} <= shown(service).keys())
        await service._store(all_of_it=True)
        long_ago = datetime.now(UTC) - timedelta(hours=2)
        store.remember([Sighting("left", "10.3.0.2", "ipv4", lladdr, False, long_ago)])
        for address in ("10.3.0.2", "10.3.0.3"):
            service._memory.noticing._addresses["left", address].held[lladdr] = long_ago.timestamp()
        queries = DeviceQueries(store._database, str)
        devices = DeviceService(
            DeviceRepository(store._database), queries, store, service.entries_of, str, marked
        )
        ((_, first, stored),) = store.history("left", "10.3.0.2")
        asked = datetime.now(UTC)
        ((_, began, seen),) = await devices.history(EVE, "left", "10.3.0.2")
        assert began == first
        assert asked - timedelta(seconds=5) < seen <= datetime.now(UTC)
        assert seen > stored
        page = await devices.page(EVE, lladdr)
        assert {one.address: one.ended >= seen for one in page.presences} == {
            "10.3.0.2": True,
            "10.3.0.3": False,
        }, "nobody was heard at an entry that is set by hand"
        assert page.device.last_seen is not None
        assert page.device.last_seen >= seen
        assert shown(service)["left", "10.3.0.3"].last_seen == long_ago

    followed(tmp_path, work)


def test_a_watch_outlives_a_store_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(service: NeighbourService) -> None:
        def refused(events: object) -> None:
            raise StorageError("the disk is full")

        monkeypatch.setattr(service._repository, "with_editors", refused)
        watching = service.watch(EVE)
        first = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(0)  # it listens now
        ip(entry("10.3.0.7", "left"))
        assert [event.address for event in (await first).events] == ["10.3.0.7"]
        await watching.aclose()

    followed(tmp_path, work)


async def marked() -> None:
    """Nobody shows marks here."""


def test_an_entry_without_a_lladdr_shows_the_one_it_had(tmp_path: Path) -> None:
    async def work(service: NeighbourService) -> None:
        ip(entry("10.3.0.9", "left", "reachable"))
        await until(service, lambda: ("left", "10.3.0.9") in shown(service))
        ip("neigh change 10.3.0.9 dev left nud probe")
        await until(service, lambda: shown(service)["left", "10.3.0.9"].state == "FAILED")
        (record,) = service.entries_of(EVE, lladdr="00:16:3e:00:00:05")
        assert (record.lladdr, record.lladdr_remembered) == ("00:16:3e:00:00:05", True)
        assert shown_lladdr(record) == "(00:16:3e:00:00:05)"
        span = LladdrSpan("left", "10.3.0.9", record.lladdr, BEGAN, BEGAN)
        (now, before) = neighbour_lines(NeighbourFacts(live=(record,), spans=(span,)))
        assert now == "FAILED on left"
        assert before.startswith("had 00:16:3e:00:00:05 on left")
        ip(entry("10.3.0.9", "left"))
        await until(service, lambda: shown(service)["left", "10.3.0.9"].state == "PERMANENT")
        (record,) = service.entries_of(EVE, lladdr="00:16:3e:00:00:05")
        assert not record.lladdr_remembered
        store, queries = service._repository, DeviceQueries(service._repository._database, str)
        devices = DeviceService(
            DeviceRepository(store._database), queries, store, service.entries_of, str, marked
        )
        marks = DeviceMarks("00:16:3e:00:00:05", must_be_up=True)
        assert await devices.not_missed(EVE, marks) == f"10.3.0.9 on left: {NOT_MISSED}"
        assert await devices.not_missed(EVE, replace(marks, must_be_up=False)) == ""

    followed(tmp_path, work)


def test_every_change_of_an_entry_is_watched_and_its_age_is_none(tmp_path: Path) -> None:
    async def work(service: NeighbourService) -> None:
        ip(entry("10.3.0.1", "left"), entry("10.3.0.2", "left"))
        await until(service, lambda: {("left", "10.3.0.1"), ("left", "10.3.0.2")} <= shown(service).keys())
        watching = service.watch_table(EVE)
        first = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(0)
        revision = service.revision
        service.refresh()
        await until(service, lambda: service.revision > revision)
        ip(entry("10.3.0.1", "left", "stale"))
        seen, removed = await first
        assert [(one.address, one.state) for one in seen] == [("10.3.0.1", "STALE")]
        assert removed == []
        ip("neigh del 10.3.0.2 dev left")
        while not removed:
            _, removed = await anext(watching)
        assert removed == [("left", "10.3.0.2")]

    followed(tmp_path, work)


async def test_who_reads_too_slowly_is_told_how_much_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbour_watch, "MOST_WAITING", 2)
    made = [
        NeighbourEvent(datetime.now(UTC), NeighbourEventKind.NEW, f"192.0.2.{n}", "eth0", "")
        for n in range(5)
    ]
    queue = EventQueue()
    queue.put(made[:1])
    queue.put(made[1:])
    assert await queue.take() == (made[:2], 3)
    queue.put(made[:1])
    assert await queue.take() == (made[:1], 0)


def test_what_changed_since_is_all_that_changed(tmp_path: Path) -> None:
    async def work(service: NeighbourService) -> None:
        ip(*entries(50))
        await until(service, lambda: len(shown(service)) >= 50)
        revision = service.revision
        ip(entry("10.1.0.7", "left"), entry("10.3.0.1", "left"), entry("10.1.0.7", "left", "stale"))
        await until(service, lambda: ("left", "10.3.0.1") in shown(service))
        await until(service, lambda: shown(service)["left", "10.1.0.7"].state == "STALE")
        changed = [record.address for record in service.changed_since(EVE, revision)]
        assert sorted(changed) == ["10.1.0.7", "10.3.0.1"]
        assert len(service.changed_since(EVE, -1)) == len(shown(service)) >= 51
        revision = service.revision
        ip("neigh del 10.1.0.7 dev left", "neigh del 10.1.0.9 dev left", entry("10.1.0.9", "left"))
        await until(service, lambda: ("left", "10.1.0.7") not in shown(service))
        await until(service, lambda: ("left", "10.1.0.9") in shown(service))
        assert service.removed_since(EVE, revision) == [("left", "10.1.0.7")]
        assert service.removed_since(EVE, service.revision) == []

    followed(tmp_path, work)


def test_what_a_new_table_does_not_have_leaves_even_if_it_came_just_before(tmp_path: Path) -> None:
    async def work(service: NeighbourService) -> None:
        row = Neighbour("10.0.0.9", Family.IPV4, 2, "old", "00:16:3e:00:00:09", NudState.STALE)
        stays, cacheinfo = row._replace(interface="new"), bytes(16)
        service._fold([NeighbourSeen(row, cacheinfo), Resync([stays], [cacheinfo], [])])
        assert list(shown(service)) == [("new", "10.0.0.9")]
        before = service.revision
        service._fold([Resync([stays], [cacheinfo], [])])
        assert [one.interface for one in service.changed_since(EVE, before)] == ["new"], "with its new age"
        assert service.removed_since(EVE, before) == []

    followed(tmp_path, work)


def test_a_flood_of_changes_ends_in_the_kernels_table(tmp_path: Path) -> None:
    async def work(service: NeighbourService) -> None:
        lines = [*entries(2000), *entries(700, "del"), *entries(300), *entries(2000, second=4)]
        await asyncio.to_thread(ip, *lines, entry("10.9.0.1", "left"))
        await until(service, lambda: ("left", "10.9.0.1") in shown(service))
        ours = {(key[0], key[1], record.lladdr, record.state) for key, record in shown(service).items()}
        assert ours == of_kernel()
        await service._store(all_of_it=True)
        assert len(service._repository.remembered()) >= 4001

    followed(tmp_path, work)
