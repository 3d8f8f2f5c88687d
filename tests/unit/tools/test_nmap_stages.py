"""Which options each stage of a scan gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.tools.nmap_arguments import NmapOptions, parse_options
from netmon_tui.tools.nmap_profiles import PROFILES
from netmon_tui.tools.nmap_stages import FAST_RATE, Stages, one_stage, stages_of
from netmon_tui.tools.nmap_targets import parse_targets

LARGE = parse_targets(["192.0.2.0/24"])
IN_STAGES = [
    "-T4 -A -v",
    "-sS -sV --defeat-rst-ratelimit",
    "-p 1-65535 -T4 -A -v",
    "-T4 -A -v -Pn",
    "-T4 -F",
    "-sV -T4 -O -F --version-light",
    "-n -sV --exclude 192.0.2.7 -p 22,80",
    "-sT -sC --max-rate 100 -e eth0 --dns-servers 192.0.2.53",
]
BY_ONE = [
    "-sn",
    "-sL",
    "-sn --traceroute",
    "-sO",
    "-sA",
    "-T2 -sV",
    "-T0",
    "-sV --scan-delay 1s",
    "-sV --open",
    "",
    "-F",
    "-T4 -F -Pn",
    "-T4 -F --min-rate 500",
]


def stages(line: str) -> Stages:
    found = stages_of(parse_options(line), LARGE)
    assert found is not None
    return found


def names(options: NmapOptions | None) -> set[str]:
    return {setting.name for setting in options.settings} if options else set()


@pytest.mark.parametrize("line", BY_ONE)
def test_one_nmap_does_what_it_does_best(line: str) -> None:
    assert stages_of(parse_options(line), LARGE) is None


@pytest.mark.parametrize("targets", [["192.0.2.0/29"], ["192.0.2.0/24", "example.test"], ["fe80::%eth0/120"]])
def test_few_hosts_and_names_are_left_to_one_nmap(targets: list[str]) -> None:
    assert stages_of(parse_options("-T4 -A"), parse_targets(targets, limit=2**65)) is None


@pytest.mark.parametrize("line", IN_STAGES)
def test_nothing_that_was_asked_is_lost(line: str) -> None:
    asked, found = parse_options(line), stages(line)
    given_to = names(found.discovery) | names(found.ports) | names(found.detection)
    left = {setting.name for setting in asked.settings} - given_to
    assert left <= {"--exclude"}  # goes into a file
    for setting in asked.settings:
        kept = [o for o in (found.discovery, found.ports) if o and o.has(setting.name)]
        assert all(options.value(setting.name) == setting.value for options in kept)


@pytest.mark.parametrize("line", IN_STAGES)
def test_each_stage_does_its_part_alone(line: str) -> None:
    found = stages(line)
    if found.discovery:
        assert found.discovery.has("-sn")
        assert not found.discovery.has("-p", "-F", "-sV", "-A", "-sC", "-O", "-sS", "-sU", "-Pn")
    assert found.ports.has("-Pn")
    assert not found.ports.has("-sV", "-A", "-sC", "-O", "--script", "-sn")
    if found.detection:
        assert found.detection.has("-Pn")
        assert not found.detection.has("-p", "-F", "-sn", "--defeat-rst-ratelimit")


def test_without_ping_there_is_no_discovery() -> None:
    assert stages("-T4 -A -Pn").discovery is None
    assert stages("-T4 -A").discovery is not None


def test_names_are_asked_for_once_and_again_only_by_scripts() -> None:
    found = stages("-sV --dns-servers 192.0.2.53")
    assert found.discovery is not None
    assert found.discovery.has("--dns-servers")
    assert found.ports.has("-n")
    assert found.names == ("-n",)
    assert stages("-sC --dns-servers 192.0.2.53").names == ("--dns-servers", "192.0.2.53")


@pytest.mark.parametrize(
    ("line", "fast"),
    [
        ("-T4 -F", str(FAST_RATE)),
        ("-F -sV", None),
        ("-T4 -F --max-rate 300", "300"),
        ("-T4 -F -sV --min-rate 10", None),
    ],
)
def test_no_rate_is_over_what_was_allowed(line: str, fast: str | None) -> None:
    assert stages(line).fast == (("--min-rate", fast) if fast else ())


@given(st.integers(1, 100_000))
def test_the_nmaps_of_the_detection_share_the_rate(rate: int) -> None:
    detection = stages(f"-sV --max-rate {rate}").detection
    assert detection is not None
    assert int(detection.value("--max-rate")) * stages(f"-sV --max-rate {rate}").parallel <= rate


def test_a_scan_that_goes_on_as_one_keeps_every_option() -> None:
    alone = one_stage(parse_options("-sV -Pn -p 22 --exclude 192.0.2.7"))
    assert alone.ports == parse_options("-sV -Pn -p 22")
    assert alone.discovery is None
    assert alone.detection is None


def test_zenmaps_profiles_are_done_in_stages_where_that_is_faster() -> None:
    done = {p.name for p in PROFILES if stages_of(parse_options(p.arguments), LARGE) is not None}
    assert {p.name for p in PROFILES} - done == {
        "Regular scan",
        "Ping scan",
        "Quick traceroute",
        "Intense scan plus UDP",
        "Slow comprehensive scan",
    }
