"""The percentage of a whole scan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.host import Host
from netmon_tui.domain.scan import (
    HostFound,
    HostHinted,
    PhaseBegan,
    PhaseEnded,
    PhaseProgress,
    ScanEvent,
    ScanFinished,
)
from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_progress import MOST, ScanPercent, planned_phases

END = ScanFinished(1.0, 1.0, "", "success", "", 1, 0, 1)


def follow(line: str, addresses: int, events: list[ScanEvent]) -> list[float]:
    percent = ScanPercent(parse_options(line), addresses)
    return [percent.update(event) for event in events]


def group(task: str) -> list[ScanEvent]:
    return [PhaseBegan(task, 0.0), PhaseProgress(task, 50.0, 1.0), PhaseEnded(task, 1.0, "256 total hosts")]


def host(number: int, status: str = "up") -> HostFound:
    return HostFound(Host(f"192.0.2.{number}", status), number)


@pytest.mark.parametrize(
    ("line", "phases"),
    [
        ("", ("tcp",)),
        ("-sU", ("udp",)),
        ("-sS -sU -A", ("tcp", "udp", "service", "traceroute", "nse")),
        ("-sn", ()),
        ("-sn --traceroute", ("traceroute",)),
        ("-sV -sC", ("tcp", "service", "nse")),
    ],
)
def test_the_options_say_which_phases_come(line: str, phases: tuple[str, ...]) -> None:
    assert planned_phases(parse_options(line)) == phases


def test_phases_of_one_host_add_up() -> None:
    events = [*group("ARP Ping Scan"), HostHinted(Host("192.0.2.1"))]
    events += [*group("SYN Stealth Scan"), *group("Service scan"), host(1), END]
    seen = follow("-sV", 1, events)
    assert seen == sorted(seen)
    after_ping, half_ports, ports, half_service = seen[2], seen[5], seen[6], seen[8]
    assert after_ping == pytest.approx(10.0)
    assert half_ports == pytest.approx(10 + 90 * 20 / 65)
    assert ports == pytest.approx(10 + 90 * 40 / 65)
    assert half_service == pytest.approx(10 + 90 * 52.5 / 65)
    assert seen[-2:] == [MOST, 100.0]


def test_hosts_that_are_down_were_no_work() -> None:
    events: list[ScanEvent] = [*group("Ping Scan"), *[HostHinted(Host(f"192.0.2.{n}")) for n in range(6)]]
    events += [host(number, "down") for number in range(6, 256)]
    after_the_pings = len(events)
    seen = follow("", 256, [*events, *group("SYN Stealth Scan")])
    assert seen[after_the_pings - 1] == pytest.approx(10)
    assert seen[-1] == pytest.approx(99)


def test_many_hosts_are_done_in_groups() -> None:
    events: list[ScanEvent] = [*group("Ping Scan"), *[HostHinted(Host(f"192.0.2.{n}")) for n in range(256)]]
    for first in range(0, 256, 64):
        events += group("SYN Stealth Scan") + [host(number) for number in range(first, first + 64)]
    seen = follow("", 256, events)
    at_half_of_group = [seen[259 + 67 * number + 1] for number in range(4)]
    assert at_half_of_group == pytest.approx([10 + 90 * part / 8 for part in (1, 3, 5, 7)])


def test_scripts_before_all_hosts_are_not_progress() -> None:
    assert follow("-sC", 1, group("NSE")) == [0.0, 0.0, 0.0]


def test_without_a_ping_all_hosts_are_waiting() -> None:
    assert follow("-Pn", 1, group("Connect Scan"))[1] == pytest.approx(50.0)


_TASKS = st.sampled_from(
    ["Ping Scan", "SYN Stealth Scan", "UDP Scan", "NSE", "Service scan", "Traceroute", "x"]
)
_EVENTS = st.one_of(
    st.builds(PhaseBegan, _TASKS, st.just(0.0)),
    st.builds(PhaseProgress, _TASKS, st.floats(0, 100), st.none()),
    st.builds(
        PhaseEnded, _TASKS, st.just(0.0), st.sampled_from(["", "9 total hosts", "999999999 total hosts"])
    ),
    st.builds(host, st.integers(0, 255), st.sampled_from(["up", "down"])),
    st.just(HostHinted(Host("192.0.2.1"))),
)


@given(
    st.lists(_EVENTS, max_size=60),
    st.integers(0, 300),
    st.sampled_from(["", "-sn", "-Pn -A", "-sS -sU -sV", "-sL"]),
)
def test_it_never_falls_and_never_ends_early(events: list[ScanEvent], addresses: int, line: str) -> None:
    seen = follow(line, addresses, [*events, END])
    assert seen == sorted(seen)
    assert all(0.0 <= percent <= MOST for percent in seen[:-1])
    assert seen[-1] == 100.0
