"""How many addresses are left when some are excluded: against listing them, and against nmap."""

from __future__ import annotations

import ipaddress
import itertools
import random
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.tools.nmap_address_count import count_addresses
from netmon_tui.tools.nmap_targets import parse_target

NMAP = find_tool("nmap")


def counted(targets: str, excluded: str = "") -> tuple[int, int]:
    return count_addresses(map(parse_target, targets.split()), map(parse_target, excluded.split()))


def listed(text: str) -> list[str]:
    if "/" in text:
        return [str(address) for address in ipaddress.IPv4Network(text)]
    parts = [part.partition("-") for part in text.split(".")]
    ranges = [range(int(first), int(last or first) + 1) for first, _, last in parts]
    return [".".join(map(str, numbers)) for numbers in itertools.product(*ranges)]


@pytest.mark.parametrize(
    ("targets", "excluded", "count"),
    [
        ("10.0.0.0/24", "", (256, 0)),
        ("10.0.0.0/24 10.0.0.0/25", "", (384, 0)),
        ("10.0.0.0/24", "10.0.0.5 10.0.0.4-6 10.0.1.0/24", (253, 0)),
        ("10.0.0.0/24", "0.0.0.0/0", (0, 0)),
        ("10.0.0-3.1-254", "10.0-9.0-2.200-255", (4 * 254 - 3 * 55, 0)),
        ("a.example b.example", "a.example 10.0.0.1", (0, 1)),
        ("::/0", "", (2**128, 0)),
        ("::/0", "fe80::/10 fe80::1 10.0.0.1", (2**128 - 2**118, 0)),
        ("fe80::1%eth0 2001:db8::/120", "2001:db8::/121", (129, 0)),
    ],
)
def test_counts(targets: str, excluded: str, count: tuple[int, int]) -> None:
    assert counted(targets, excluded) == count


_PART = st.tuples(st.integers(0, 7), st.integers(0, 7)).map(lambda ends: f"{min(ends)}-{max(ends)}")
_RANGES = st.tuples(_PART, _PART).map(lambda parts: f"10.{parts[0]}.1.{parts[1]}")
_NETWORKS = st.tuples(st.integers(0, 7), st.integers(8, 32)).map(lambda n: f"10.{n[0]}.1.0/{n[1]}")


@given(st.lists(_RANGES, min_size=1, max_size=3), st.lists(_RANGES | _NETWORKS, max_size=6))
def test_as_many_as_are_left_of_a_list(targets: list[str], excluded: list[str]) -> None:
    networks = [ipaddress.IPv4Network(text, strict=False) for text in excluded if "/" in text]
    gone = {address for text in excluded if "/" not in text for address in listed(text)}
    left = [
        address
        for text in targets
        for address in listed(text)
        if address not in gone and not any(ipaddress.IPv4Address(address) in one for one in networks)
    ]
    assert counted(" ".join(targets), " ".join(excluded)) == (len(left), 0)


@pytest.mark.skipif(NMAP is None, reason="nmap is not installed")
def test_as_many_as_nmap_lists() -> None:
    targets, excluded = "10.0.0-1.0-9 10.0.0.0/28 10.0.0.5", "10.0.0.0/30 10.0-3.0-1.7-8 10.0.1.9"
    words = [str(NMAP), "-n", "-sL", "--exclude", ",".join(excluded.split()), *targets.split()]
    told = subprocess.run(words, capture_output=True, check=True, text=True, timeout=60).stdout
    assert counted(targets, excluded) == (told.count("Nmap scan report for"), 0)


def test_thousands_of_targets_and_exclusions_cost_no_time() -> None:
    numbers = random.Random(7)

    def some(count: int) -> str:
        return " ".join(f"10.{numbers.randrange(9)}.0.{numbers.randrange(256)}" for _ in range(count))

    began = time.process_time()
    addresses, _ = counted(some(2_000), some(2_000))
    assert 0 < addresses < 2_000
    assert time.process_time() - began < 2.0
