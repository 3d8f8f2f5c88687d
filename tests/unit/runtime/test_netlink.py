"""The neighbour table of a real kernel, in a network namespace of the test's own."""

import asyncio
import errno
import ipaddress
import json
import socket
import struct
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress

import pytest

from netmon_tui.domain.neighbour import Neighbour, NudState
from netmon_tui.errors import NetmonError
from netmon_tui.runtime.neighbour_table import Resync, TableChange, TableReader
from netmon_tui.runtime.netlink import NeighbourMonitor, dump_neighbours, dump_table
from netmon_tui.tools.rtnetlink import LinkGone, LinkSeen, NeighbourDeleted, NeighbourSeen
from netmon_tui.tools.rtnetlink_entries import read_ages
from tests.unit.runtime.network_namespace import (
    drop_capabilities,
    entries,
    in_own_network,
    ip,
    make_pair,
    needs_namespace,
)
from tests.unit.tools.test_rtnetlink import link, message, neighbour

Rows = dict[tuple[str, str], tuple[str, NudState]]


def said_by_ip() -> bytes:
    return subprocess.run(
        ["ip", "-j", "-s", "neigh", "show", "nud", "all"], capture_output=True, check=True
    ).stdout


def row_of(row: Neighbour) -> Rows:
    """One row; none for NOARP, which the kernel makes (for multicast) without telling anybody."""
    noarp = row.state is NudState.NOARP
    return {} if noarp else {(row.interface, row.address): (row.lladdr, row.state)}


def rows_of(neighbours: list[Neighbour]) -> Rows:
    return {key: value for row in neighbours for key, value in row_of(row).items()}


class Follower:
    """A table kept by the monitor's word alone."""

    def __init__(self, monitor: NeighbourMonitor) -> None:
        self.monitor = monitor
        self.rows: Rows = {}
        self.seen: list[TableChange] = []

    def take(self, batch: list[TableChange]) -> None:
        self.seen += batch
        for change in batch:
            match change:
                case Resync(neighbours, _, _):
                    self.rows = rows_of(neighbours)
                case NeighbourSeen(row, _):
                    self.rows |= row_of(row)
                case NeighbourDeleted(row):
                    self.rows.pop((row.interface, row.address), None)
                case LinkGone(_, name):
                    self.rows = {key: row for key, row in self.rows.items() if key[0] != name}

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), aclosing(self.monitor.batches()) as batches:
            async for batch in batches:
                self.take(batch)
                if reached():
                    return
        raise AssertionError("the monitor ended")

    def resyncs(self) -> int:
        return sum(isinstance(change, Resync) for change in self.seen)

    def has(self, address: str, state: NudState = NudState.PERMANENT) -> bool:
        return any(key[1] == address and row[1] == state for key, row in self.rows.items())


def followed(
    work: Callable[[Follower], Awaitable[None]], *lines: str, receive_buffer: int = 1 << 24
) -> Follower:
    """Do the work with a follower that has had its first dump, in a namespace with two links and more."""

    async def run() -> Follower:
        make_pair()
        ip(*lines)
        async with NeighbourMonitor(receive_buffer=receive_buffer) as monitor:
            follower = Follower(monitor)
            await follower.until(lambda: follower.resyncs() == 1)
            await work(follower)
        return follower

    return in_own_network(lambda: asyncio.run(run()))


pytestmark = needs_namespace


def test_a_dump_says_what_ip_says() -> None:
    lines = [
        "neigh add 10.0.0.9 lladdr 00:16:3e:00:00:09 dev left nud reachable",
        "neigh add 10.0.0.8 lladdr 00:16:3e:00:00:08 dev left nud stale",
        "neigh add 10.0.0.7 dev left nud noarp lladdr 00:16:3e:00:00:07",
        "neigh add fd00::2 lladdr 00:16:3e:00:00:02 dev left nud permanent router",
        "neigh add 10.0.0.6 dev left nud failed",
    ]

    def work() -> tuple[Resync, bytes]:
        make_pair()
        ip(*lines, *entries(1200))
        return dump_table(), said_by_ip()

    table, output = in_own_network(work)
    ours = {
        (row.address, row.interface, row.lladdr, str(row.state)): (row, read_ages(cacheinfo))
        for row, cacheinfo in zip(table.neighbours, table.cacheinfos, strict=True)
    }
    assert len(table.neighbours) >= 1205
    theirs = {
        (entry["dst"], entry["dev"], entry.get("lladdr", ""), entry["state"][0]): entry
        for entry in json.loads(output)
        # the kernel's own groups may come between the two looks
        if not ipaddress.ip_address(entry["dst"]).is_multicast
    }
    assert {key for key in ours if not ipaddress.ip_address(key[0]).is_multicast} == set(theirs)
    for key, entry in theirs.items():
        row, ages = ours[key]
        assert row.router == ("router" in entry)
        assert row.probes == entry.get("probes", 0)
        for figure in ("used", "confirmed", "updated"):
            assert abs(getattr(ages, figure) - entry[figure]) <= 1.5


def test_an_empty_table_is_an_empty_list() -> None:
    assert in_own_network(dump_neighbours) == []


def test_changes_arrive_one_by_one() -> None:
    async def work(follower: Follower) -> None:
        ip("neigh add 10.0.0.2 lladdr 00:16:3e:00:00:02 dev left nud stale")
        await follower.until(lambda: follower.has("10.0.0.2", NudState.STALE))
        ip("neigh replace 10.0.0.2 lladdr 00:16:3e:00:00:33 dev left nud permanent")
        await follower.until(lambda: follower.rows["left", "10.0.0.2"][0] == "00:16:3e:00:00:33")
        ip("neigh add fd00::7 lladdr 00:16:3e:00:00:07 dev left nud permanent")
        await follower.until(lambda: follower.has("fd00::7"))
        ip("neigh del 10.0.0.2 dev left")
        await follower.until(lambda: ("left", "10.0.0.2") not in follower.rows)
        assert follower.rows == rows_of(dump_neighbours())

    assert followed(work).resyncs() == 1


def test_no_capability_is_needed() -> None:
    async def first_batch() -> list[TableChange]:
        async with NeighbourMonitor() as monitor, asyncio.timeout(20), aclosing(monitor.batches()) as batches:
            return await anext(batches)

    def work() -> tuple[list[Neighbour], list[TableChange]]:
        make_pair()
        ip("neigh add 10.0.0.3 lladdr 00:16:3e:00:00:03 dev left nud permanent")
        drop_capabilities()
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as source, pytest.raises(PermissionError):
            source.setsockopt(socket.SOL_SOCKET, 33, 1 << 20)
        return dump_neighbours(), asyncio.run(first_batch())

    neighbours, batch = in_own_network(work)
    assert isinstance(batch[0], Resync)
    assert rows_of(batch[0].neighbours) == rows_of(neighbours)
    assert ("left", "10.0.0.3") in rows_of(neighbours)


def test_the_first_batch_knows_entries_and_links() -> None:
    async def work(follower: Follower) -> None:
        first = follower.seen[0]
        assert isinstance(first, Resync)
        assert {link.name: (link.lladdr, link.up) for link in first.links}["left"] == (
            "02:00:00:00:00:01",
            True,
        )
        assert follower.has("10.0.0.3")
        assert follower.rows == rows_of(dump_neighbours())

    followed(work, "neigh add 10.0.0.3 lladdr 00:16:3e:00:00:03 dev left nud permanent")


def test_a_removed_link_takes_its_entries_along() -> None:
    async def work(follower: Follower) -> None:
        ip("link del left")
        await follower.until(lambda: any(isinstance(change, LinkGone) for change in follower.seen))
        assert not follower.has("10.0.0.3")
        deleted = [change for change in follower.seen if isinstance(change, NeighbourDeleted)]
        assert any(change.neighbour.interface == "left" for change in deleted)

    followed(work, "neigh add 10.0.0.3 lladdr 00:16:3e:00:00:03 dev left nud permanent")


def test_a_new_link_is_known_before_its_entries() -> None:
    async def work(follower: Follower) -> None:
        ip(
            "link add third type veth peer name fourth",
            "link set third up",
            "link set fourth up",
            "neigh add 10.0.0.4 lladdr 00:16:3e:00:00:04 dev third nud permanent",
        )
        await follower.until(lambda: follower.rows.get(("third", "10.0.0.4")) is not None)
        assert any(isinstance(change, LinkSeen) and change.name == "third" for change in follower.seen)

    followed(work)


def test_a_renamed_link_brings_all_rows_under_its_new_name() -> None:
    async def work(follower: Follower) -> None:
        ip("link set left down", "link set left name front")
        ip("link set front up", "neigh add 10.0.0.4 lladdr 00:16:3e:00:00:04 dev front nud permanent")
        await follower.until(lambda: follower.resyncs() == 2)
        if not follower.has("10.0.0.4"):
            await follower.until(lambda: follower.has("10.0.0.4"))
        assert ("front", "10.0.0.4") in follower.rows
        assert not [key for key in follower.rows if key[0] == "left"]

    followed(work, "neigh add 10.0.0.3 lladdr 00:16:3e:00:00:03 dev left nud permanent")


def test_a_port_that_leaves_a_bridge_is_not_a_link_that_is_gone() -> None:
    async def work(follower: Follower) -> None:
        ip("link add bridge type bridge", "link set right master bridge", "link set right nomaster")
        ip("neigh add 10.0.0.5 lladdr 00:16:3e:00:00:05 dev left nud permanent")
        await follower.until(lambda: follower.has("10.0.0.5"))
        assert not any(isinstance(change, LinkGone) for change in follower.seen)

    followed(work)


def test_a_flood_loses_nothing() -> None:
    async def work(follower: Follower) -> None:
        ip(*entries(5000))
        await follower.until(lambda: len(follower.rows) >= 5000 and follower.has("10.1.19.250"))
        added = [
            change.neighbour.address
            for change in follower.seen
            if isinstance(change, NeighbourSeen) and change.neighbour.address.startswith("10.1.")
        ]
        assert len(added) == len(set(added)) == 5000
        assert follower.rows == rows_of(dump_neighbours())

    follower = followed(work)
    assert follower.monitor.losses == 0
    assert follower.resyncs() == 1


def test_lost_events_are_made_good_by_a_dump() -> None:
    async def work(follower: Follower) -> None:
        ip(*entries(500), *entries(250, "del"))
        await follower.until(lambda: follower.resyncs() >= 2)
        assert follower.monitor.losses > 0
        assert follower.rows == rows_of(dump_neighbours())
        assert ("left", "10.1.0.1") not in follower.rows
        ip("neigh add 10.9.0.1 lladdr 00:16:3e:00:00:05 dev left nud permanent")
        await follower.until(lambda: follower.has("10.9.0.1"))

    followed(work, receive_buffer=4096)


def test_a_dump_under_fire_ends_in_the_kernels_state() -> None:
    async def work(follower: Follower) -> None:
        lines = [*entries(3000), *entries(3000, "del"), *entries(3000, "add", second=2)]
        lines.append("neigh add 10.9.0.1 lladdr 00:16:3e:00:00:05 dev left nud permanent")
        fire = await asyncio.create_subprocess_exec("ip", "-batch", "-", stdin=asyncio.subprocess.PIPE)
        assert fire.stdin is not None
        fire.stdin.write("\n".join(lines).encode())
        fire.stdin.write_eof()
        while not follower.has("10.9.0.1"):
            follower.monitor.refresh()
            goal = follower.resyncs() + 1
            await follower.until(lambda goal=goal: follower.resyncs() >= goal)
        assert await fire.wait() == 0
        assert follower.rows == rows_of(dump_neighbours())
        assert len(follower.rows) >= 3001

    followed(work, *entries(3000, second=3))


def test_refresh_brings_the_whole_table_again() -> None:
    async def work(follower: Follower) -> None:
        follower.monitor.refresh()
        follower.monitor.refresh()
        await follower.until(lambda: follower.resyncs() == 2)
        ip("neigh add 10.0.0.2 lladdr 00:16:3e:00:00:02 dev left nud permanent")
        await follower.until(lambda: follower.has("10.0.0.2"))

    assert followed(work).resyncs() == 2


def test_another_link_with_the_number_of_one_that_is_gone_has_entries_of_its_own_name() -> None:
    async def work(follower: Follower) -> None:
        ip("link add third index 77 type bridge", "link set third up")
        ip("neigh add 10.0.0.4 lladdr 00:16:3e:00:00:04 dev third nud permanent")
        follower.monitor.refresh()
        await follower.until(lambda: follower.resyncs() == 2)
        ip("link del third", "link add fourth index 77 type bridge", "link set fourth up")
        ip("neigh add 10.0.0.4 lladdr 00:16:3e:00:00:04 dev fourth nud permanent")
        await follower.until(lambda: ("fourth", "10.0.0.4") in follower.rows)
        follower.monitor.refresh()
        await follower.until(lambda: follower.resyncs() >= 3)
        assert ("fourth", "10.0.0.4") in follower.rows
        assert follower.rows == rows_of(dump_neighbours())

    followed(work)


def test_closing_ends_a_waiting_consumer() -> None:
    async def work(follower: Follower) -> None:
        waiting = asyncio.create_task(follower.until(lambda: False))
        while follower.monitor._waiter is None:
            await asyncio.sleep(0)
        await follower.monitor.__aexit__()
        with pytest.raises(AssertionError, match="ended"):
            await waiting

    followed(work)


def test_a_cancelled_consumer_leaves_the_monitor_usable() -> None:
    async def work(follower: Follower) -> None:
        waiting = asyncio.create_task(follower.until(lambda: False))
        while follower.monitor._waiter is None:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        ip("neigh add 10.0.0.2 lladdr 00:16:3e:00:00:02 dev left nud permanent")
        await follower.until(lambda: follower.has("10.0.0.2"))

    followed(work)


def answers(request: bytes) -> list[bytes]:
    """What this kernel answers to a request, datagram by datagram."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as source:
        source.bind((0, 0))
        source.settimeout(5)
        source.send(request)
        found = []
        while not found or b"\x03\x00\x02" not in found[-1][-20:]:
            found.append(source.recv(65536))
        return found


def interrupted(datagram: bytes) -> bytes:
    """Set NLM_F_DUMP_INTR in the first message."""
    flags = struct.unpack_from("=H", datagram, 6)[0] | 0x10
    return datagram[:6] + struct.pack("=H", flags) + datagram[8:]


def test_an_interrupted_dump_is_asked_for_again() -> None:
    def work() -> tuple[list[bytes], list[TableChange]]:
        make_pair()
        ip("neigh add 10.0.0.3 lladdr 00:16:3e:00:00:03 dev left nud permanent")
        asked: list[bytes] = []
        changes: list[TableChange] = []
        reader = TableReader(asked.append)
        reader.start()
        for turn in range(4):
            for datagram in answers(asked[-1]):
                spoilt = interrupted(datagram) if turn in (0, 2) else datagram
                assert not changes
                changes = reader.receive(spoilt, event=False)
        return asked, changes

    asked, changes = in_own_network(work)
    kinds = [struct.unpack_from("=H", request, 4)[0] for request in asked]
    assert kinds == [18, 18, 30, 30]
    assert isinstance(changes[0], Resync)
    assert [row.address for row in changes[0].neighbours if row.state is NudState.PERMANENT] == ["10.0.0.3"]


def events(*lines: str) -> list[bytes]:
    """The datagrams with which the kernel tells of changes, all there when the command has ended."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as source:
        source.bind((0, 4))
        source.setblocking(False)
        ip(*lines)
        found = []
        with suppress(BlockingIOError):
            while True:
                found.append(source.recv(65536))
        return found


def test_an_event_during_a_dump_overrules_it() -> None:
    def work() -> tuple[list[Neighbour], Rows]:
        make_pair()
        ip(*entries(3))
        asked: list[bytes] = []
        reader = TableReader(asked.append)
        reader.start()
        for datagram in answers(asked[-1]):
            reader.receive(datagram, event=False)
        dumped = answers(asked[-1])
        told = events(
            "neigh del 10.1.0.1 dev left",
            "neigh replace 10.1.0.2 lladdr 00:16:3e:ff:ff:ff dev left nud permanent",
            "neigh add 10.1.0.9 lladdr 00:16:3e:ff:ff:09 dev left nud permanent",
        )
        assert len(told) >= 4
        assert not [change for datagram in told for change in reader.receive(datagram, event=True)]
        changes = [change for datagram in dumped for change in reader.receive(datagram, event=False)]
        assert isinstance(changes[0], Resync)
        return changes[0].neighbours, rows_of(dump_neighbours())

    neighbours, kernel = in_own_network(work)
    assert rows_of(neighbours) == kernel
    assert kernel["left", "10.1.0.2"][0] == "00:16:3e:ff:ff:ff"


def test_an_entry_of_an_interface_that_the_kernel_does_not_list_is_left_out_every_time() -> None:
    reader, end = TableReader(lambda request: None), message(3, bytes(4))
    for _ in range(2):
        reader.start()
        assert reader.receive(link() + end, event=False) == []
        (table,) = reader.receive(neighbour() + end, event=False)
        assert isinstance(table, Resync)
        assert (table.neighbours, [one.name for one in table.links]) == ([], ["eth7"])


def test_a_refused_dump_is_an_error_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr("netmon_tui.runtime.netlink.socket.socket", refuse)
    with pytest.raises(NetmonError) as caught:
        dump_neighbours()
    assert "neighbour table" in str(caught.value)
    assert "not supported" in caught.value.why
