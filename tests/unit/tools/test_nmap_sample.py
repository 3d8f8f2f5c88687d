"""Which hosts are pinged before a scan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.tools.nmap_address_count import address_at
from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_coverage import TargetCoverage
from netmon_tui.tools.nmap_sample import FEWEST, MOST, sample_of
from netmon_tui.tools.nmap_stages import SLOW_MICROS, is_near
from netmon_tui.tools.nmap_targets import parse_target, parse_targets

NETWORKS = st.sampled_from(
    ["192.0.2.0/24", "198.51.100.0/22", "203.0.113.7", "10.0-3.1-254.5-60", "10.1.0.0/16"]
)
EXCLUDED = st.sampled_from(["192.0.2.0/25", "198.51.100.3", "10.0-3.1-254.20-60", "203.0.113.0/24"])


@given(st.sets(NETWORKS, min_size=1), st.sets(EXCLUDED))
def test_only_hosts_of_the_scan_are_pinged_and_none_that_is_left_out(
    targets: set[str], out: set[str]
) -> None:
    options = parse_options("-T4 -F" + (f" --exclude {','.join(sorted(out))}" if out else ""))
    asked = TargetCoverage(sorted(targets), sorted(out))
    found = sample_of(options, parse_targets(sorted(targets), limit=10**6))
    assert all(asked.covers(address) for address in found)
    assert len(found) <= MOST
    assert not 0 < len(found) < FEWEST


def test_the_pings_go_all_over_the_network() -> None:
    found = sample_of(parse_options("-T4 -F"), parse_targets(["192.0.2.0/24", "198.51.100.0/24"]))
    assert len(found) == MOST
    assert {address.rpartition(".")[0] for address in found} == {"192.0.2", "198.51.100"}
    assert not {address for address in found if address.endswith((".0", ".255"))}


def test_an_ipv6_network_too() -> None:
    found = sample_of(parse_options("-T4 -F"), parse_targets(["2001:db8::/120"]))
    assert found[0] == "2001:db8::4"
    assert len(found) == MOST


@pytest.mark.parametrize(
    "line",
    ["-PS22", "-e eth0", "-sX", "--disable-arp-ping", "--exclude example.test", "--max-rate 30"],
)
def test_who_says_how_hosts_are_asked_has_none_pinged(line: str) -> None:
    assert sample_of(parse_options(f"-T4 -F {line}"), parse_targets(["192.0.2.0/24"])) == ()


def test_a_ceiling_holds_the_pings_too() -> None:
    assert len(sample_of(parse_options("-T4 -F --max-rate 100"), parse_targets(["192.0.2.0/24"]))) == 10


@given(st.sampled_from(["192.0.2.64/29", "10.0-1.5-7.0-3", "2001:db8::8/125", "203.0.113.9"]))
def test_every_address_of_a_target_has_its_place(text: str) -> None:
    target, coverage = parse_target(text), TargetCoverage([text])
    found = [address_at(target, place) for place in range(target.count)]
    assert len(set(found)) == target.count
    assert all(coverage.covers(address) for address in found)


@pytest.mark.parametrize(
    ("millis", "near"),
    [
        ((), False),
        ((1, 1, 1), False),
        ((1, 1, 1, 1), True),
        ((1, 1, 20, 20, 20), False),
        ((1, 1, 1, 20), True),
    ],
)
def test_near_is_what_most_answers_say(millis: tuple[int, ...], near: bool) -> None:
    assert is_near([millisecond * SLOW_MICROS / 5e6 for millisecond in millis]) is near
