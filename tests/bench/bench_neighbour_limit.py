"""A neighbour table that is full: what the kernel refuses, and what is said and shown of it then.

``python tests/bench/bench_neighbour_limit.py`` as root, and never beside other tests: the limit is the machine's.
For a tenth of a second no namespace gets new entries, and some lose old ones; the kernel's count of refusals stays
until the machine starts again.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import NeighbourLimits, NudState
from netmon_tui.domain.neighbour_edit import TableEntry, TableWrite, Verb
from netmon_tui.runtime.neighbour_writes import write_entries
from netmon_tui.runtime.netlink import dump_limits
from netmon_tui.services.neighbour_limits import NEAR, NeighbourRoom, limit_checks
from netmon_tui.services.neighbours import NeighbourService
from tests.unit.runtime.network_namespace import ip
from tests.unit.services.test_live_neighbours import EVE, followed, of_kernel, shown

MORE = 200
"""Entries beyond the limit."""
PATIENCE = 10.0


def limits(family: Family) -> NeighbourLimits:
    return next(found for found in dump_limits() if found.family is family)


def add(family: Family, first: int, count: int, state: NudState = NudState.REACHABLE) -> list[str]:
    """Add entries; return why each was refused."""
    numbers = range(first, first + count)
    six = family is Family.IPV6
    addresses = [f"fd00::1:{n:x}" if six else f"10.5.{n // 250}.{n % 250 + 1}" for n in numbers]
    return write_entries(
        [TableWrite(Verb.ADD, TableEntry("left", one, "00:16:3e:00:00:05", state)) for one in addresses]
    )


async def as_the_kernel(service: NeighbourService) -> int:
    """Wait until what is shown is the kernel's table; return its rows."""
    deadline = time.monotonic() + PATIENCE
    while True:
        ours = {(*key, record.lladdr, record.state) for key, record in shown(service).items()}
        if ours == of_kernel():
            return len(ours)
        assert time.monotonic() < deadline, "what is shown is not what the kernel has"
        await asyncio.sleep(0.01)


def filled(family: Family) -> None:
    async def work(service: NeighbourService) -> None:
        room, before = NeighbourRoom(), limits(family)
        near = int(before.hard * NEAR) + 20 - before.entries
        assert not any(add(family, 0, near))
        began = time.monotonic()
        nearly = await room.notice(EVE)
        refused = Counter(add(family, near, before.hard + MORE - near - before.entries))
        permanent = add(family, 5000, 1, NudState.PERMANENT)
        full, words = limits(family), await room.notice(EVE)
        rows = await as_the_kernel(service)
        ip("link set left down")
        took = time.monotonic() - began
        left = await as_the_kernel(service)
        (check,) = [one for one in limit_checks() if one.name == f"neighbours {family}"]
        print(f"{family}: full for {took:.2f} s at {full.entries:,} entries; refused {dict(refused)}")
        print(f"  before: {nearly}\n  then:   {words}\n  doctor: {check.status} {check.detail}")
        print(f"  rows as the kernel's: {rows:,}, and {left} after the link went down")
        assert "nearly full" in nearly
        assert full.refused - before.refused == sum(refused.values()) - refused[""] > 0
        assert "was full" in words
        assert permanent == [""], "permanent entries do not count"

    with tempfile.TemporaryDirectory(prefix="netmon-bench-") as folder:
        followed(Path(folder), work)


if __name__ == "__main__":
    for one in Family:
        filled(one)
