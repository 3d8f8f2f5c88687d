"""The neighbour table: our dump against bare loops and ``ip -j neigh``, latency of events, vendors of lladdrs.

``python tests/bench/bench_neighbours.py`` as root. Ratios of one run mean something on any machine.
"""

import asyncio
import json
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from netmon_tui.runtime.neighbour_table import Resync, TableReader
from netmon_tui.runtime.netlink import NeighbourMonitor, dump_neighbours
from netmon_tui.runtime.vendor_lines import vendor_lines
from netmon_tui.tools.oui import VendorTable
from netmon_tui.tools.rtnetlink import NeighbourSeen, neighbour_dump_request
from tests.bench.terminal import PROGRAM, USER, Terminal, make_user
from tests.unit.runtime.network_namespace import entries, in_own_network, ip, make_pair

COUNT = 10_000
ROUNDS = 9
LIMIT, GAIN = 1.5, 2.0
"""A refresh against what the kernel takes to hand the table over; and ``ip -j neigh`` against a refresh."""
LOOKUPS = 200_000
FIRST_GOAL, LOOKUP_GOAL, PREFIX_GOAL = 30, 1, 52_000
"""Milliseconds for which the event loop stands still at most; microseconds; prefixes."""

HEADER = struct.Struct("=IHHIIBxxxiHBB").unpack_from
ATTRIBUTE = struct.Struct("=HH").unpack_from
CACHE = struct.Struct("=III").unpack_from
NUMBER = struct.Struct("=I").unpack_from
END = 3


def bare_rows(datagram: bytes, rows: list[tuple[object, ...]]) -> bool:
    """Append what a dump's datagram carries as plain tuples; whether it was the last."""
    offset, size = 0, len(datagram)
    while offset < size:
        length, kind = struct.unpack_from("=IH", datagram, offset)
        if kind == END:
            return True
        _, _, _, _, _, family, ifindex, state, flags, _ = HEADER(datagram, offset)
        at, end = offset + 28, offset + length
        address = lladdr = b""
        cache, probes = None, 0
        while at < end:
            width, name = ATTRIBUTE(datagram, at)
            if name == 1:
                address = datagram[at + 4 : at + width]
            elif name == 2:
                lladdr = datagram[at + 4 : at + width]
            elif name == 3:
                cache = CACHE(datagram, at + 4)
            elif name == 4:
                probes = NUMBER(datagram, at + 4)[0]
            at += (width + 3) & ~3
        rows.append(
            (socket.inet_ntop(family, address), ifindex, lladdr.hex(":"), state, flags, cache, probes)
        )
        offset += (length + 3) & ~3
    return False


def bare_dump() -> list[tuple[object, ...]]:
    """The floor: receive and unpack, without types, checks and names."""
    rows: list[tuple[object, ...]] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as source:
        source.bind((0, 0))
        source.send(neighbour_dump_request(1))
        while not bare_rows(source.recv(65536), rows):
            pass
    return rows


def receive_only() -> list[object]:
    """What the kernel takes to hand the table over: nothing is looked at but the end."""
    buffer, parts = bytearray(65536), []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as source:
        source.bind((0, 0))
        source.send(neighbour_dump_request(1))
        while not parts or struct.unpack_from("=IH", buffer, parts[-1] - 20) != (20, END):
            parts.append(source.recv_into(buffer))
    return [None] * (sum(parts) // 76)


def ip_json() -> list[object]:
    output = subprocess.run(
        ["ip", "-j", "neigh", "show", "nud", "all"], capture_output=True, check=True
    ).stdout
    return list(json.loads(output))


class Refresher:
    """A table that is followed, and asked for again and again as :meth:`NeighbourMonitor.refresh` does."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._reader = TableReader(self._socket.send)
        self._buffer = bytearray(65536)

    def __call__(self) -> list[object]:
        self._reader.start()
        while True:
            size = self._socket.recv_into(self._buffer)
            for change in self._reader.receive(bytes(memoryview(self._buffer)[:size]), event=False):
                assert isinstance(change, Resync)
                return list(change.neighbours)


def milliseconds(work: Callable[[], list[object]]) -> float:
    started = time.perf_counter()
    assert len(work()) >= COUNT
    return (time.perf_counter() - started) * 1e3


async def latencies(count: int) -> list[float]:
    """Milliseconds from writing a line to a running ``ip -batch`` until its change is in a batch."""
    feeder = await asyncio.create_subprocess_exec("ip", "-batch", "-", stdin=asyncio.subprocess.PIPE)
    assert feeder.stdin is not None
    measured = []
    async with NeighbourMonitor() as monitor, aclosing(monitor.batches()) as batches:
        while not any(isinstance(change, Resync) for change in await anext(batches)):
            pass
        for line in entries(count, second=9):
            address = line.split()[2]
            started = time.perf_counter()
            feeder.stdin.write(line.encode() + b"\n")
            while not any(
                isinstance(change, NeighbourSeen) and change.neighbour.address == address
                for change in await anext(batches)
            ):
                pass
            measured.append((time.perf_counter() - started) * 1e3)
    feeder.stdin.close()
    assert await feeder.wait() == 0
    return measured


async def flood(count: int) -> tuple[float, int]:
    """Microseconds of CPU for each of a flood of events, and how many of them arrived."""
    async with NeighbourMonitor() as monitor, aclosing(monitor.batches()) as batches:
        while not any(isinstance(change, Resync) for change in await anext(batches)):
            pass
        ip(*entries(count, second=8))
        started, arrived = time.process_time(), 0
        while arrived < count and monitor.losses == 0:
            arrived += sum(isinstance(change, NeighbourSeen) for change in await anext(batches))
        return (time.process_time() - started) / count * 1e6, arrived


async def longest_halt(work: Callable[[], object]) -> float:
    """Milliseconds for which the loop stands still at most while work is done in a thread."""
    done, worst, before = asyncio.create_task(asyncio.to_thread(work)), 0.0, time.perf_counter()
    while not done.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        worst, before = max(worst, now - before), now
    return worst * 1e3


def vendors() -> None:
    """Print what the vendors of lladdrs cost."""
    table = VendorTable(extra_lines=vendor_lines())
    began = time.perf_counter()
    halt = asyncio.run(longest_halt(table.load))
    took = (time.perf_counter() - began) * 1e3
    wanted = [f"{n & 0xFC:02x}:{n >> 8 & 255:02x}:{n >> 3 & 255:02x}:00:00:01" for n in range(LOOKUPS)]
    began = time.perf_counter()
    for lladdr in wanted:
        table.lookup(lladdr)
    each = (time.perf_counter() - began) / LOOKUPS * 1e6
    counts = table.counts
    print(f"Vendors: {sum(counts.values()):,} prefixes (goal {PREFIX_GOAL:,}) {counts}")
    print(f"  loaded in a thread in {took:.0f} ms; the loop stood still for {halt:.1f} (goal {FIRST_GOAL})")
    print(f"  then {each:.2f} us a look-up (goal {LOOKUP_GOAL})")


def files_at_start() -> None:
    """Print which vendor files the program opens to show its login, by strace: there should be none."""
    with tempfile.TemporaryDirectory(prefix="netmon-bench-") as name:
        log = Path(name) / "opened"
        trace = ["strace", "-f", "-e", "trace=openat,execve", "-o", str(log)]
        make_user(Path(name) / "data")
        with Terminal([*trace, PROGRAM, "--data-dir", f"{name}/data", "--user", USER]) as terminal:
            terminal.until("Log in")
            terminal.quiet(1.0)
        opened = log.read_text().count("O_RDONLY")
        ours = [line for line in log.read_text().splitlines() if "manuf" in line or "mac-prefixes" in line]
    print(f"Start to the login: {opened:,} files opened, {len(ours)} of them with vendors (goal 0)")


def measure() -> int:
    make_pair()
    ip(*entries(COUNT))
    ways: dict[str, Callable[[], list[object]]] = {
        "only received": receive_only,
        "bare struct loop": bare_dump,  # type: ignore[dict-item]
        "dump_neighbours": dump_neighbours,  # type: ignore[dict-item]
        "refresh": Refresher(),
        "ip -j neigh": ip_json,
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            times[name].append(milliseconds(work))
    floor = min(times["only received"])
    print(f"Dump of {COUNT:,} entries, best of {ROUNDS}")
    for name, figures in times.items():
        print(f"  {name:20} {min(figures):8.1f} ms {min(figures) / floor:6.2f}x")
    delays = asyncio.run(latencies(200))
    cost, arrived = asyncio.run(flood(5000))
    print(f"Event latency: median {statistics.median(delays):.2f} ms, worst {max(delays):.2f} ms")
    print(f"Flood: {arrived:,} of 5,000 adds arrived, {cost:.1f} us CPU each")
    vendors()
    if shutil.which("strace"):
        files_at_start()
    ratio, gain = min(times["refresh"]) / floor, min(times["ip -j neigh"]) / min(times["refresh"])
    print(
        f"{'ok' if ratio <= LIMIT else 'TOO SLOW'}: a refresh takes {ratio:.2f}x of receiving (limit {LIMIT}x)"
    )
    print(f"{'ok' if gain >= GAIN else 'TOO SLOW'}: it is {gain:.1f}x as fast as ip -j neigh (limit {GAIN}x)")
    return int(arrived != 5000)  # time is printed, never a failure


if __name__ == "__main__":
    sys.exit(in_own_network(measure))
