"""What is told of a real kernel's neighbour table: on the scanner, while hosts come, change, share and go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.device import MarksChange
from netmon_tui.domain.neighbour_event import EventFilter, NeighbourEvent
from netmon_tui.domain.noticing import NoticingLimits
from netmon_tui.domain.user import Actor, Role
from netmon_tui.runtime.only_one import OnlyOne
from netmon_tui.services import neighbour_memory, neighbours
from netmon_tui.services.neighbour_memory import NeighbourMemory
from netmon_tui.services.neighbours import NeighbourService
from netmon_tui.storage.database import Database
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.neighbour_event_repository import NeighbourEventRepository
from netmon_tui.storage.neighbour_repository import NeighbourRepository
from netmon_tui.storage.schema_version import open_database
from netmon_tui.tools.oui import VendorTable
from tests.lab.network import Lab

pytestmark = [pytest.mark.lab, pytest.mark.inside_lab, pytest.mark.timeout(120)]

ADA = Actor(1, "ada", Role.ADMIN)
SOON = NoticingLimits(gone=1.0, down=0.5)
NEVER = 40.0
"""Seconds after which a fact that should have come is missing."""
ARP = """
import socket, struct, sys
address, lladdr = sys.argv[1:]
mac = bytes.fromhex(lladdr.replace(":", ""))
ip = socket.inet_aton(address)
arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + mac + ip + mac + ip
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0x0806))
link.send(b"\\xff" * 6 + mac + struct.pack("!H", 0x0806) + arp)
"""
"""Announces an address, as arping -A does."""


class Program:
    """One program that follows the table."""

    def __init__(self, database: Database, claim: Path, limits: NoticingLimits) -> None:
        repository = NeighbourRepository(database)
        self.devices = DeviceRepository(database)
        self.told: list[NeighbourEvent] = []
        self.memory = NeighbourMemory(repository, self.devices, OnlyOne(claim), self._tell, limits)
        self.service = NeighbourService(repository, self.memory, VendorTable(), {})

    async def _tell(self, events: Any) -> None:
        self.told += events


class Segment:
    """The lab's network, and a program that follows it."""

    def __init__(self, lab: Lab, database: Database, directory: Path) -> None:
        self.lab = lab
        self.events = NeighbourEventRepository(database)
        self._start = lambda limits: Program(database, directory / "claim", limits)
        self.programs: list[Program] = []
        self._added: list[str] = []
        self._sentinels = iter(range(230, 255))

    async def follow(self, limits: NoticingLimits = SOON) -> Program:
        program = self._start(limits)
        self.programs.append(program)
        await program.service.start()
        assert not program.service.error
        return program

    def host(self, number: int, lladdr: str = "") -> str:
        """Plug in 10.77.0.number; return its name."""
        made = self.lab.add_host(f"10.77.0.{number}", lladdr or f"b8:27:eb:00:01:{number:02x}")
        self._added.append(made.name)
        return made.name

    def announce(self, host: str, address: str, lladdr: str) -> None:
        """Have a host say that an address is at a lladdr."""
        self.lab.run([sys.executable, "-c", ARP, address, lladdr], host=host, check=True)

    def ip(self, *words: str, host: str = "scan") -> None:
        self.lab.run(["ip", *words], host=host, check=True)

    def stored(self, address: str) -> list[NeighbourEvent]:
        """What is stored of an address, the first first."""
        wanted = EventFilter(address=address, muted=True)
        return sorted(self.events.events(wanted), key=lambda event: event.id)

    def kinds(self, address: str) -> list[str]:
        return [event.kind.value for event in self.stored(address)]

    async def until(self, fact: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + NEVER
        while not (answer := fact()):
            listed = [
                (e.kind.value, e.address, e.lladdr) for e in self.events.events(EventFilter(muted=True))
            ]
            assert time.monotonic() < deadline, f"not in {NEVER:g} s; stored is {listed}"
            await asyncio.sleep(0.02)
        return answer

    async def becomes(self, address: str, *kinds: str) -> list[NeighbourEvent]:
        await self.until(lambda: self.kinds(address) == list(kinds))
        return self.stored(address)

    async def at(self, address: str, lladdr: str) -> None:
        """Wait until the program knows where an address is."""
        for program in self.programs:
            await self.until(lambda program=program: program.memory.known(("eth0", address)))
            await self.until(lambda p=program: p.memory.known(("eth0", address)).lladdr == lladdr)

    async def fail(self, address: str) -> None:
        """Have the kernel ask for an address, and wait until it has given up."""
        self.ip("neigh", "change", address, "dev", "eth0", "nud", "probe")
        await self.until(lambda: "FAILED" in self.state(address))

    async def goes(self, address: str) -> None:
        """Have the kernel ask for an address until it is told to be gone.

        Where there are many entries the kernel collects one that failed at any time, which looks like an edit.
        """
        await self.fail(address)

        def told() -> bool:
            if not any(("eth0", address) in p.memory.noticing._failing for p in self.programs):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.sendto(b"", (address, 9))
            return self.kinds(address)[-1] == "gone"

        await self.until(told)

    def state(self, address: str) -> str:
        return self.lab.run(["ip", "neigh", "show", address, "dev", "eth0"]).stdout

    async def all_told(self) -> None:
        """Wait until everything that happened before is told: something that goes now is gone later."""
        number = next(self._sentinels)
        address = f"10.77.0.{number}"
        host = self.host(number)
        meet(address)
        await self.becomes(address, "new")
        self.lab.link(host, False)
        await self.goes(address)

    def alarms(self, *addresses: str) -> list[tuple[str, str]]:
        """(kind, address) of what is more than information."""
        found = (event for address in addresses for event in self.stored(address))
        return [(e.kind.value, e.address) for e in found if e.severity is not Severity.INFO]

    async def close(self) -> None:
        for program in self.programs:
            await program.service.close()
        for name in self._added:
            if name in self.lab.hosts:
                self.lab.remove_host(name)


def meet(*addresses: str) -> None:
    """Speak to hosts, so that the kernel has to ask who they are."""
    for address in addresses:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((address, 9), timeout=10).close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/n.db", backups=tmp_path)
    yield opened
    opened.close()


@pytest.fixture
async def segment(
    lab: Lab, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Segment]:
    monkeypatch.setattr(neighbours, "STORE_SECONDS", 0.05)
    monkeypatch.setattr(neighbour_memory, "LOOK_SECONDS", 0.2)
    lab.run(["ip", "neigh", "flush", "dev", "eth0"])
    made = Segment(lab, database, tmp_path)
    yield made
    await made.close()


async def test_a_host_appears_and_changes_its_lladdr(segment: Segment) -> None:
    await segment.follow()
    name = segment.host(40)
    meet("10.77.0.40")
    (new,) = await segment.becomes("10.77.0.40", "new")
    assert (new.lladdr, new.interface, new.severity) == ("b8:27:eb:00:01:28", "eth0", Severity.LOW)
    segment.lab.set_lladdr(name, "b8:27:eb:00:99:40")
    _, changed = await segment.becomes("10.77.0.40", "new", "changed")
    assert (changed.lladdr, changed.previous_lladdr) == ("b8:27:eb:00:99:40", "b8:27:eb:00:01:28")
    assert (changed.severity, changed.count) == (Severity.MEDIUM, 1)

    def told() -> list[int]:  # others of the network may be met meanwhile
        return [event.id for event in segment.programs[0].told if event.address == "10.77.0.40"]

    await segment.until(lambda: len(told()) == 2)
    assert told() == [new.id, changed.id]


async def test_two_hosts_with_one_address_are_a_duplicate(segment: Segment) -> None:
    await segment.follow()
    one, two = segment.host(41), segment.host(42)
    segment.ip("addr", "add", "10.77.0.41/24", "dev", "eth0", host=two)
    lladdrs = {one: "b8:27:eb:00:01:29", two: "b8:27:eb:00:01:2a"}
    meet("10.77.0.42")
    for host in (one, two, one, two):
        segment.announce(host, "10.77.0.41", lladdrs[host])
        if not segment.kinds("10.77.0.41"):
            meet("10.77.0.41")  # an address that nobody asked for is not learnt from an announcement
            segment.announce(host, "10.77.0.41", lladdrs[host])
        await segment.at("10.77.0.41", lladdrs[host])
    await segment.until(lambda: "duplicate" in segment.kinds("10.77.0.41"))
    duplicate = next(e for e in segment.stored("10.77.0.41") if e.kind.value == "duplicate")
    assert {duplicate.lladdr, duplicate.previous_lladdr} == set(lladdrs.values())
    assert duplicate.severity is Severity.HIGH


async def test_another_lladdr_of_the_default_gateway(segment: Segment) -> None:
    name = segment.host(43)
    segment.ip("route", "add", "default", "via", "10.77.0.43")
    try:
        await segment.follow()
        meet("10.77.0.43")
        await segment.becomes("10.77.0.43", "new")
        segment.lab.set_lladdr(name, "b8:27:eb:00:99:43")
        _, event = await segment.becomes("10.77.0.43", "new", "gateway_changed")
        assert event.severity is Severity.HIGH
    finally:
        segment.ip("route", "del", "default")


async def test_a_gateway_that_became_one_while_the_table_was_followed(
    segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbour_memory, "ROUTES_SECONDS", 0.1)
    program = await segment.follow()
    name = segment.host(44)
    meet("10.77.0.44")
    await segment.becomes("10.77.0.44", "new")
    segment.ip("route", "add", "default", "via", "10.77.0.44")
    try:
        await segment.until(lambda: ("eth0", "10.77.0.44") in program.memory.noticing.gateways)
        segment.lab.set_lladdr(name, "b8:27:eb:00:99:44")
        await segment.becomes("10.77.0.44", "new", "gateway_changed")
    finally:
        segment.ip("route", "del", "default")


async def test_a_host_that_does_not_answer_is_gone_and_comes_back(segment: Segment) -> None:
    await segment.follow()
    name = segment.host(45)
    meet("10.77.0.45")
    await segment.becomes("10.77.0.45", "new")
    segment.lab.link(name, False)
    await segment.goes("10.77.0.45")
    segment.lab.link(name, True)
    meet("10.77.0.45")
    _, gone, back = await segment.becomes("10.77.0.45", "new", "gone", "back")
    assert gone.lladdr == back.lladdr == "b8:27:eb:00:01:2d"


@pytest.fixture
def doubting_kernel(lab: Lab) -> Iterator[None]:
    """A kernel that believes for a second what it believes for 15 to 45 otherwise, and asks again at once.

    What it believes for less than the delay it asks anew for ever, without anybody speaking to the host.
    """
    wanted = {"base_reachable_time_ms": "1000", "delay_first_probe_time": "0", "retrans_time_ms": "300"}
    files = [f"/proc/sys/net/ipv4/neigh/eth0/{name}" for name in wanted]
    before = [lab.run(["cat", file], check=True).stdout.strip() for file in files]
    for file, value in zip(files, wanted.values(), strict=True):
        lab.run(["sh", "-c", f"echo {value} > {file}"], check=True)
    yield
    for file, value in zip(files, before, strict=True):
        lab.run(["sh", "-c", f"echo {value} > {file}"], check=True)


async def test_a_host_that_must_be_up_is_watched_without_anybody_speaking_to_it(
    segment: Segment, doubting_kernel: None
) -> None:
    program = await segment.follow(replace(SOON, gone=300.0, down=1.0))
    name = segment.host(46)
    marks = {"b8:27:eb:00:01:2e": MarksChange(must_be_up=True)}
    await asyncio.to_thread(program.devices.mark, ADA, marks)
    meet("10.77.0.46")
    await segment.becomes("10.77.0.46", "new")
    await segment.until(lambda: program.memory.marks)
    segment.lab.link(name, False)
    *_, down = await segment.becomes("10.77.0.46", "new", "down")
    assert down.severity is Severity.HIGH
    segment.lab.link(name, True)
    *_, back = await segment.becomes("10.77.0.46", "new", "down", "back")
    assert back.detail == "the device was down"


# --- no false alarms ---------------------------------------------------------------------------------


async def test_a_router_that_answers_for_others(segment: Segment) -> None:
    await segment.follow()
    name = segment.host(47)
    segment.ip("link", "add", "behind", "type", "veth", "peer", "name", "far", host=name)
    segment.ip("link", "set", "behind", "up", host=name)
    segment.ip("link", "set", "far", "up", host=name)
    segment.ip("route", "add", "10.77.0.192/27", "dev", "behind", host=name)
    for key, value in (("conf/all/proxy_arp", 1), ("ip_forward", 1), ("neigh/eth0/proxy_delay", 0)):
        segment.lab.run(["sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{key}"], host=name, check=True)
    meet("10.77.0.47")
    await segment.becomes("10.77.0.47", "new")
    behind = [f"10.77.0.{number}" for number in range(193, 223)]
    for address in behind:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", (address, 9))
    for address in behind:
        await segment.at(address, "b8:27:eb:00:01:2f")
    await segment.all_told()
    assert segment.alarms(*behind) == []
    told = [kind for address in behind for kind in segment.kinds(address)]
    assert len(told) < 10, "and soon not even as information"


async def test_a_virtual_router_that_moves_between_two(segment: Segment) -> None:
    await segment.follow()
    virtual, address = "00:00:5e:00:01:07", "10.77.0.50"
    one, two = segment.host(48), segment.host(49)
    segment.ip("addr", "add", f"{address}/24", "dev", "eth0", host=one)
    meet(address, "10.77.0.48", "10.77.0.49")
    await segment.at(address, "b8:27:eb:00:01:30")
    for host, lladdr in ((one, virtual), (two, virtual), (two, "b8:27:eb:00:01:31"), (one, virtual)) * 2:
        segment.announce(host, address, lladdr)
        await segment.at(address, lladdr)
    await segment.all_told()
    told = [kind for kind in segment.alarms(address) if kind[0] != "new"]
    assert told == [("changed", address)] * 2, "each lladdr once, when it is new to the address"
    assert "moved" in segment.kinds(address)


async def test_devices_of_a_cluster_that_pass_an_address_on(segment: Segment) -> None:
    program = await segment.follow()
    one, two = segment.host(51), segment.host(52)
    lladdrs = ("b8:27:eb:00:01:33", "b8:27:eb:00:01:34")
    marks = {lladdr: MarksChange(shares_addresses=True) for lladdr in lladdrs}
    await asyncio.to_thread(program.devices.mark, ADA, marks, "a cluster")
    await segment.until(lambda: len(program.memory.marks) == 2)
    address = "10.77.0.53"
    segment.ip("addr", "add", f"{address}/24", "dev", "eth0", host=one)
    meet("10.77.0.51", "10.77.0.52", address)
    for host, lladdr in ((two, lladdrs[1]), (one, lladdrs[0])) * 3:
        segment.announce(host, address, lladdr)
        await segment.at(address, lladdr)
    await segment.all_told()
    assert segment.alarms(address) == []
    assert {"moved"} <= set(segment.kinds(address)) <= {"moved", "new_address"}


async def test_an_address_that_passes_on_after_a_silence(segment: Segment) -> None:
    program = await segment.follow(replace(SOON, silent=1.5, gone=300.0))
    one, two = segment.host(54), segment.host(55)
    meet("10.77.0.54", "10.77.0.55")
    await segment.becomes("10.77.0.54", "new")
    segment.lab.link(one, False)
    left = program.memory.known(("eth0", "10.77.0.54")).last_seen
    await segment.until(lambda: time.time() - left > 2)
    segment.ip("addr", "add", "10.77.0.54/24", "dev", "eth0", host=two)
    segment.announce(two, "10.77.0.54", "b8:27:eb:00:01:37")
    *_, moved = await segment.becomes("10.77.0.54", "new", "moved")
    assert "silent" in moved.detail


async def test_hosts_that_swap_their_addresses_and_one_that_takes_another_ones(
    segment: Segment, doubting_kernel: None
) -> None:
    """One of those who swapped says nothing at all: the kernel has to ask who is at the address that was left."""
    program = await segment.follow(replace(SOON, settled=5.0, gone=300.0))
    lladdrs = {number: f"b8:27:eb:00:01:{number:02x}" for number in (64, 65, 66, 67)}
    hosts = {number: segment.host(number) for number in lladdrs}
    addresses = {number: f"10.77.0.{number}" for number in lladdrs}
    meet(*addresses.values())
    for address in addresses.values():
        await segment.becomes(address, "new")
    known = [program.memory.known(("eth0", address)) for address in addresses.values()]
    await segment.until(lambda: all(time.time() - one.last_seen > 5.5 for one in known))
    for old, new in ((64, 65), (65, 64)):
        segment.ip("addr", "del", f"{addresses[old]}/24", "dev", "eth0", host=hosts[old])
        segment.ip("addr", "add", f"{addresses[new]}/24", "dev", "eth0", host=hosts[old])
    segment.ip("addr", "add", f"{addresses[66]}/24", "dev", "eth0", host=hosts[67])
    segment.announce(hosts[65], addresses[64], lladdrs[65])
    segment.announce(hosts[67], addresses[66], lladdrs[67])
    _, changed = await segment.becomes(addresses[66], "new", "changed")
    assert changed.detail.endswith(f"it has {addresses[67]} too")
    _, moved = await segment.becomes(addresses[64], "new", "moved")
    assert moved.detail == f"swapped: its holder has {addresses[65]} now"
    await segment.becomes(addresses[65], "new", "moved")
    assert program.memory.known(("eth0", addresses[65])).lladdr == lladdrs[64]


async def test_entries_that_are_deleted_and_flushed(segment: Segment) -> None:
    await segment.follow()
    for number in (56, 57):
        segment.host(number)
    meet("10.77.0.56", "10.77.0.57")
    await segment.becomes("10.77.0.57", "new")
    segment.ip("neigh", "del", "10.77.0.56", "dev", "eth0")
    segment.ip("neigh", "flush", "dev", "eth0")
    await segment.all_told()
    meet("10.77.0.56", "10.77.0.57")
    segment.ip("neigh", "flush", "all")
    await segment.all_told()
    assert segment.kinds("10.77.0.56") == segment.kinds("10.77.0.57") == ["new"]


async def test_a_host_that_only_announces_itself_is_there(segment: Segment) -> None:
    program = await segment.follow(replace(SOON, gone=3.0))
    name = segment.host(63)
    meet("10.77.0.63")
    await segment.becomes("10.77.0.63", "new")
    segment.lab.link(name, False)
    await segment.fail("10.77.0.63")
    segment.lab.link(name, True)
    key = ("eth0", "10.77.0.63")
    await segment.until(lambda: key in program.memory.noticing._failing)
    segment.announce(name, "10.77.0.63", "b8:27:eb:00:01:3f")
    await segment.until(lambda: "STALE" in segment.state("10.77.0.63"))
    await segment.all_told()
    assert segment.kinds("10.77.0.63") == ["new"]


async def test_our_own_link_that_goes_down_and_up(segment: Segment) -> None:
    await segment.follow()
    segment.host(58)
    meet("10.77.0.58")
    await segment.becomes("10.77.0.58", "new")
    segment.ip("neigh", "change", "10.77.0.58", "dev", "eth0", "nud", "probe")
    segment.ip("link", "set", "eth0", "down")
    segment.ip("link", "set", "eth0", "up")
    await segment.until(lambda: "state UP" in segment.lab.run(["ip", "link", "show", "eth0"]).stdout)
    await segment.all_told()
    meet("10.77.0.58")
    await segment.all_told()
    assert segment.kinds("10.77.0.58") == ["new"]


async def test_what_did_not_answer_before_our_own_link_went_down(segment: Segment) -> None:
    await segment.follow(replace(SOON, gone=3.0))
    name = segment.host(59)
    meet("10.77.0.59")
    await segment.becomes("10.77.0.59", "new")
    segment.lab.link(name, False)
    await segment.fail("10.77.0.59")
    failed = time.time()
    await segment.until(lambda: time.time() > failed + 1.2)  # sooner, it would count as deleted by hand
    segment.ip("link", "set", "eth0", "down")
    segment.ip("link", "set", "eth0", "up")
    await segment.until(lambda: "state UP" in segment.lab.run(["ip", "link", "show", "eth0"]).stdout)
    await segment.all_told()
    assert segment.kinds("10.77.0.59") == ["new"]


async def test_an_interface_that_is_removed(segment: Segment) -> None:
    await segment.follow()
    segment.ip("link", "add", "own0", "type", "veth", "peer", "name", "own1")
    for name in ("own0", "own1"):
        segment.ip("link", "set", name, "up")
    segment.ip("addr", "add", "10.78.0.1/24", "dev", "own0")
    for number in range(2, 12):
        lladdr = f"b8:27:eb:00:02:{number:02x}"
        segment.ip("neigh", "add", f"10.78.0.{number}", "lladdr", lladdr, "dev", "own0", "nud", "stale")
    await segment.becomes("10.78.0.11", "new")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"", ("10.78.0.2", 9))
    segment.ip("link", "del", "own0")
    await segment.all_told()
    assert {tuple(segment.kinds(f"10.78.0.{number}")) for number in range(2, 12)} == {("new",)}


async def test_nobody_is_told_of_addresses_that_a_scan_asked_for_in_vain(segment: Segment) -> None:
    await segment.follow()
    for number in range(100, 120):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", (f"10.77.0.{number}", 9))
    await segment.until(lambda: "FAILED" in segment.state("10.77.0.119"))
    await segment.all_told()
    assert [kind for number in range(100, 120) for kind in segment.kinds(f"10.77.0.{number}")] == []


# --- several programs --------------------------------------------------------------------------------


async def test_two_programs_store_each_event_once_and_one_tells(segment: Segment) -> None:
    one, two = await segment.follow(), await segment.follow()
    name = segment.host(60)
    meet("10.77.0.60")
    await segment.becomes("10.77.0.60", "new")
    for number in range(5):
        segment.lab.set_lladdr(name, f"b8:27:eb:00:99:{number:02x}")
        await segment.at("10.77.0.60", f"b8:27:eb:00:99:{number:02x}")
    await segment.until(lambda: len(segment.stored("10.77.0.60")) == 6)
    await segment.all_told()
    stored = segment.stored("10.77.0.60")
    assert [event.kind.value for event in stored] == ["new", *["changed"] * 5]
    assert {event.count for event in stored} == {1}
    assert sorted(e.id for e in (*one.told, *two.told) if e.address == "10.77.0.60") == [e.id for e in stored]


async def test_when_the_one_that_stores_ends_the_other_goes_on(segment: Segment) -> None:
    one, two = await segment.follow(), await segment.follow()
    name = segment.host(61)
    meet("10.77.0.61")
    await segment.until(lambda: one.told or two.told)  # it is stored before it is told
    storing, other = (one, two) if one.told else (two, one)
    segment.programs.remove(storing)
    await storing.service.close()
    segment.lab.set_lladdr(name, "b8:27:eb:00:99:61")
    await segment.becomes("10.77.0.61", "new", "changed")
    await segment.until(lambda: other.told)
    assert [event.kind.value for event in other.told] == ["changed"]
