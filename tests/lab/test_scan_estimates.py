"""What a dry run says of real scans, and what they then take: the truth lies within the range."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.lab.hosts import SUBNET
from tests.lab.test_cli_on_lab import Program, data_of_ada, program

__all__ = ["data_of_ada", "program"]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


def estimate(program: Program, targets: str, options: str) -> dict[str, Any]:
    found: dict[str, Any] = program.json("scan", "run", targets, f"--args={options}", "--dry-run")["estimate"]
    return found


@pytest.mark.parametrize(
    ("targets", "options", "ports"),
    [
        (SUBNET, "-n -sn", {}),
        (SUBNET, "-n -F", {"tcp": 100}),
        (SUBNET, "-n -sS", {"tcp": 1_000}),
        ("10.77.0.10-11", "-n -p-", {"tcp": 65_535}),
        (SUBNET, "-n -sU --top-ports 20", {"udp": 20}),
        ("10.77.0.10-14", "-n -T2 -p 22,80,443", {"tcp": 3}),
        (SUBNET, "-n --max-rate 200 -F", {"tcp": 100}),
        ("10.77.0.10", "-sV -p 22,80", {"tcp": 2}),
    ],
)
def test_the_truth_lies_in_the_range(
    program: Program, targets: str, options: str, ports: dict[str, int]
) -> None:
    told = estimate(program, targets, options)
    assert told["ports"] == ports
    began = time.monotonic()
    scan = program.json("scan", "run", targets, f"--args={options}")
    took = time.monotonic() - began
    assert scan["state"] == "completed"
    assert told["addresses"] == scan["hosts_up"] + scan["hosts_down"]
    nmap = scan["run"]["elapsed"]
    print(f"{options:24} {targets:16} {told['seconds']} nmap {nmap:.1f} s, in all {took:.1f} s")
    assert told["seconds"]["lowest"] <= took
    assert nmap <= told["seconds"]["highest"]


def test_the_second_time_it_is_told_by_the_first(program: Program) -> None:
    wide = estimate(program, SUBNET, "-n -F")
    program.json("scan", "run", SUBNET, "--args=-n -F")
    narrow = estimate(program, SUBNET, "-n -F")
    assert (wide["earlier_runs"], narrow["earlier_runs"]) == (0, 1)
    assert narrow["seconds"]["highest"] < wide["seconds"]["highest"]
    scan = program.json("scan", "run", SUBNET, "--args=-n -F")
    assert narrow["seconds"]["lowest"] <= scan["run"]["elapsed"] <= narrow["seconds"]["highest"]
