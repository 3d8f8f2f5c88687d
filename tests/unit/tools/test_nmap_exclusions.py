"""The never-scan list is in every command, and its addresses are refused as targets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import build_command, parse_options
from netmon_tui.tools.nmap_exclusions import NeverScan
from netmon_tui.tools.nmap_targets import parse_targets


def excluded(never: str, options: str = "-sS", *, ipv6: bool = False) -> str:
    return NeverScan(never).added_to(parse_options(options), ipv6=ipv6).value("--exclude")


@pytest.mark.parametrize(
    ("never", "options", "expected"),
    [
        ("", "-sS", ""),
        ("10.0.0.1", "-sS", "10.0.0.1"),
        ("10.0.0.1, 10.1.0.0/16\tsrv.example.org", "-sS", "10.0.0.1,10.1.0.0/16,srv.example.org"),
        ("10.0.0.1", "-sS --exclude 10.0.0.9", "10.0.0.9,10.0.0.1"),
        ("10.0.0.9", "-sS --exclude 10.0.0.9", "10.0.0.9"),
        ("10.0.0.1 fd00::1", "-sS", "10.0.0.1"),
    ],
)
def test_the_list_is_added_to_what_is_excluded(never: str, options: str, expected: str) -> None:
    assert excluded(never, options) == expected


def test_each_family_gets_its_own_part_and_the_names() -> None:
    assert excluded("10.0.0.1 fd00::1 srv", ipv6=True) == "fd00::1,srv"


def test_the_other_options_stay_as_they_were() -> None:
    options = parse_options("-sS -p 22 --exclude 10.0.0.9 -T4")
    changed = NeverScan("10.0.0.1").added_to(options, ipv6=False)
    assert changed.tokens == ("-sS", "-p22", "-T4", "--exclude", "10.0.0.9,10.0.0.1")


@pytest.mark.parametrize("target", ["10.0.0.1", "10.1.2.3", "10.0.0.1/32", "srv.example.org", "10.2.0.7"])
def test_single_targets_of_the_list_are_refused(target: str) -> None:
    never = NeverScan("10.0.0.1 10.1.0.0/16 srv.example.org 10.2.0.5-9")
    with pytest.raises(InvalidInput, match="never scanned"):
        never.taken_from(parse_targets(["192.0.2.1", target]), {"192.0.2.1": "@lab"})


@pytest.mark.parametrize(
    "target", ["10.0.0.2", "10.0.0.0/24", "10.2.0.0-255", "other.example.org", "fd00::1"]
)
def test_other_targets_pass(target: str) -> None:
    asked = parse_targets([target])
    never = NeverScan("10.0.0.1 10.1.0.0/16 srv.example.org 10.2.0.5-9")
    assert never.taken_from(asked, {target: "@lab"}) == (asked, ())


def test_without_a_list_nothing_is_refused() -> None:
    asked = parse_targets(["10.0.0.1"])
    assert NeverScan(" ").taken_from(asked, {}) == (asked, ())


def test_single_targets_of_a_set_are_left_out_and_told() -> None:
    never = NeverScan("10.0.0.0/24 srv.example.org")
    texts = ["192.0.2.1", *(f"10.0.0.{n}" for n in range(10)), "srv.example.org", "10.0.0.0/23"]
    of_sets = {text: "@lab" if text.startswith("10.") else "@names" for text in texts[1:-1]}
    kept, told = never.taken_from(parse_targets(texts), of_sets)
    assert (kept.texts, kept.count, kept.ipv6) == (("192.0.2.1", "10.0.0.0/23"), 513, False)
    first = ", ".join(f"10.0.0.{n}" for n in range(8))
    assert told == (
        f"{first} and 2 more of @lab are left out: on the never-scan list",
        "srv.example.org of @names is left out: on the never-scan list",
    )


def test_sets_that_bring_nothing_else_are_named() -> None:
    with pytest.raises(InvalidInput, match="nothing is left to scan: all that is in @lab and @web"):
        NeverScan("10.0.0.1 10.0.0.2").taken_from(
            parse_targets(["10.0.0.1", "10.0.0.2"]), {"10.0.0.1": "@lab", "10.0.0.2": "@web"}
        )


@pytest.mark.parametrize("text", ["-oN", "10.0.0.300", "10.0.0.1/33", "a b@c", "10.0.0.1;reboot"])
def test_a_list_that_is_wrong_stops_everything(text: str) -> None:
    with pytest.raises(InvalidInput, match="the never-scan list is wrong") as caught:
        NeverScan(f"10.0.0.1 {text}")
    assert "scans.never_scan" in str(caught.value.fix)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=5), st.lists(st.integers(0, 255), max_size=5))
def test_no_command_is_without_the_list(never: list[int], own: list[int]) -> None:
    options = "-sS" + (f" --exclude {','.join(f'10.0.0.{n}' for n in own)}" if own else "")
    added = NeverScan(" ".join(f"10.0.0.{n}" for n in never)).added_to(parse_options(options), ipv6=False)
    command = build_command(
        "/usr/bin/nmap",
        added,
        ["10.0.0.0/24"],
        xml_path="/x.xml",
        version=(7, 93),
        privileged=False,
        ipv6=False,
    ).argv
    assert command.count("--exclude") == 1
    found = command[command.index("--exclude") + 1].split(",")
    assert {f"10.0.0.{n}" for n in never + own} == set(found)
