"""Edits in the table of a real kernel, beside what ``ip neigh`` makes of the commands that are shown."""

import errno
import json
import subprocess
from collections.abc import Callable

import pytest

from netmon_tui.domain.neighbour import NudState
from netmon_tui.domain.neighbour_edit import (
    EditKind,
    EditPlan,
    FlushEntries,
    TableEntry,
    TableWrite,
    Verb,
    table_entry,
)
from netmon_tui.runtime.neighbour_writes import _meaning, write_entries
from netmon_tui.runtime.netlink import dump_neighbours
from netmon_tui.tools.ip_neigh import plan_commands
from tests.unit.runtime.network_namespace import (
    drop_capabilities,
    in_own_network,
    ip,
    make_pair,
    needs_namespace,
)

pytestmark = needs_namespace
MAC, OTHER = "00:16:3e:00:00:01", "00:16:3e:00:00:02"
BEGINNING = (
    "neigh add 10.0.0.7 lladdr 00:16:3e:00:00:07 dev left nud permanent",
    "neigh add 10.0.0.8 lladdr 00:16:3e:00:00:08 dev left nud stale",
    "neigh add 10.0.0.9 lladdr 00:16:3e:00:00:09 dev left nud noarp",
    "neigh add fd00::7 lladdr 00:16:3e:00:00:07 dev left nud stale router",
    "neigh add fd00::8 lladdr 00:16:3e:00:00:08 dev left nud reachable",
)


def entry(
    address: str, state: NudState = NudState.PERMANENT, lladdr: str = MAC, router: bool = False
) -> TableEntry:
    return TableEntry("left", address, lladdr, state, router)


def table() -> str:
    """All that ``ip`` tells of the table, but what the kernel puts there for multicast."""
    said = subprocess.run(["ip", "-j", "neigh", "show", "nud", "all"], capture_output=True, check=True).stdout
    rows = [row for row in json.loads(said) if not row["dst"].startswith(("ff", "224."))]
    for row in rows:
        row.pop("ifindex", None)
    return json.dumps(sorted(rows, key=lambda row: row["dst"]), indent=1)


def flushed(request: FlushEntries) -> EditPlan:
    taken = [found for found in map(table_entry, dump_neighbours()) if request.takes(found)]
    writes = tuple(TableWrite(Verb.DELETE, found) for found in taken)
    return EditPlan(request, EditKind.FLUSH, "", writes)


def changed(*writes: TableWrite) -> EditPlan:
    return EditPlan(None, EditKind.REPLACE, "", writes)


SETTING = [
    changed(TableWrite(verb, entry(address, state, OTHER)))
    for verb, address in ((Verb.ADD, "10.0.0.40"), (Verb.ADD, "fd00::40"), (Verb.ADD, "fe80::40"),
                          (Verb.REPLACE, "10.0.0.7"), (Verb.REPLACE, "fd00::8"), (Verb.REPLACE, "10.0.0.41"))
    for state in (NudState.PERMANENT, NudState.REACHABLE, NudState.STALE, NudState.NOARP)
]  # fmt: skip
OTHERS = [
    changed(TableWrite(Verb.REPLACE, entry("fd00::7", NudState.STALE, OTHER, router=True))),
    changed(TableWrite(Verb.REPLACE, entry("fd00::7", NudState.STALE, OTHER))),
    changed(TableWrite(Verb.DELETE, entry("10.0.0.7")), TableWrite(Verb.DELETE, entry("fd00::8"))),
]
FLUSHES = [
    FlushEntries("left"),
    FlushEntries("left", NudState.STALE),
    FlushEntries("left", NudState.PERMANENT),
    FlushEntries("left", None, "ipv4"),
    FlushEntries("left", NudState.STALE, "ipv6"),
]


def after(work: Callable[[], None]) -> str:
    """The table of a network of its own after some work on it."""

    def inside() -> str:
        make_pair()
        ip(*BEGINNING)
        work()
        return table()

    return in_own_network(inside)


def ours(make: Callable[[], EditPlan]) -> Callable[[], None]:
    def work() -> None:
        assert not any(write_entries(make().writes))

    return work


def theirs(make: Callable[[], EditPlan]) -> Callable[[], None]:
    def work() -> None:
        for command in plan_commands(make()):
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

    return work


@pytest.mark.parametrize("plan", [*SETTING, *OTHERS], ids=lambda plan: " ".join(plan_commands(plan)[0][2:]))
def test_the_command_that_is_shown_does_the_same(plan: EditPlan) -> None:
    assert after(ours(lambda: plan)) == after(theirs(lambda: plan)) != after(lambda: None)


@pytest.mark.parametrize("request_", FLUSHES, ids=str)
def test_the_flush_that_is_shown_does_the_same(request_: FlushEntries) -> None:
    left = after(ours(lambda: flushed(request_)))
    assert left == after(theirs(lambda: flushed(request_)))
    assert ("10.0.0.7" in left) is (request_.state is not NudState.PERMANENT), "what is permanent stays"
    assert "10.0.0.9" in left, "so does NOARP"


@pytest.mark.parametrize(("address", "family"), [("192.0.2.7", "ipv4"), ("2001:db8::7", "ipv6")])
def test_a_full_table_is_told_with_its_own_limit(address: str, family: str) -> None:
    """Really full it is in tests/bench/bench_neighbour_limit.py alone: the limit is the whole machine's."""
    assert f"net.{family}.neigh.default.gc_thresh3" in _meaning(errno.ENOBUFS, address)


def test_the_kernel_says_why_and_the_rest_goes_on() -> None:
    def work() -> list[str]:
        make_pair()
        ip(*BEGINNING)
        return write_entries(
            [
                TableWrite(Verb.ADD, entry("10.0.0.7")),
                TableWrite(Verb.DELETE, entry("10.0.0.99")),
                TableWrite(Verb.ADD, TableEntry("nowhere", "10.0.0.5", MAC, NudState.STALE)),
                TableWrite(Verb.ADD, entry("10.0.0.50")),
            ]
        )

    said = in_own_network(work)
    assert said == ["there is an entry already", "", "the interface is gone", ""]


def test_without_the_capability_it_is_refused() -> None:
    def work() -> list[str]:
        make_pair()
        drop_capabilities()
        return write_entries([TableWrite(Verb.ADD, entry("10.0.0.7"))])

    assert "CAP_NET_ADMIN" in in_own_network(work)[0]


def test_an_interface_without_ipv6_says_so() -> None:
    def work() -> list[str]:
        make_pair()
        ip("link set left mtu 1000")  # IPv6 needs 1280
        return write_entries([TableWrite(Verb.ADD, entry("fd00::7"))])

    assert in_own_network(work)[0]
