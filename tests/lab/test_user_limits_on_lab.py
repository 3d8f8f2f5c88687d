"""A host on a user's never-scan list gets no packet of that user's scans, in stages or of one nmap."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.hosts import SCANNER
from tests.lab.network import Lab
from tests.lab.test_cli_on_lab import Program, data_of_ada

__all__ = ["data_of_ada"]
pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

SPARED, ASKED = "10.77.0.11", "10.77.0.10"
TARGETS = ("10.77.0.10-14", "10.77.0.20-31")
"""Enough for stages, and without the host that has endless ports."""


@contextlib.contextmanager
def frames(lab: Lab, address: str, file: Path) -> Iterator[None]:
    """Write down in the host's own namespace what the scanner sends it or asks of it; answers do not count."""
    lab.run(["ip", "neighbour", "flush", "all"], check=True)  # the kernel itself asks after whom it knows
    words = ["tcpdump", "-n", "-i", "eth0", "--immediate-mode", "-U", "-Z", "root", "-w", str(file)]
    match = f"ether src {SCANNER.lladdr} and host {address} and not arp[6:2] == 2"
    listening = lab.popen([*words, match], f"h{address.rsplit('.', 1)[1]}", stderr=subprocess.PIPE)
    try:
        assert listening.stderr is not None
        assert b"listening on" in listening.stderr.readline()
        yield
    finally:
        listening.terminate()
        listening.wait(10)


def count(file: Path) -> int:
    read = subprocess.run(
        ["tcpdump", "-n", "-r", file], capture_output=True, text=True, check=True, timeout=60
    )
    return len(read.stdout.splitlines())


@pytest.mark.parametrize("stages", [True, False], ids=["in stages", "one nmap"])
def test_a_host_on_the_list_of_a_user_gets_no_packet(
    lab: Lab, data_of_ada: Path, tmp_path: Path, stages: bool
) -> None:
    shutil.copytree(data_of_ada, tmp_path / "data")
    program = Program(lab, tmp_path / "data")
    program("user", "limits", "ada", "--never-scan", SPARED)
    program("target-set", "add", "room", *TARGETS)
    options = ["--args", "-T4 -n -sV --version-light -p 21,22,25,80", *([] if stages else ["--one-nmap"])]
    assert bool(program.json("scan", "run", "@room", *options, "--dry-run")["stages"]) is stages
    spared, asked = tmp_path / "spared.pcap", tmp_path / "asked.pcap"
    with frames(lab, SPARED, spared), frames(lab, ASKED, asked):
        found = program.json("scan", "run", "@room", *options)
    addresses = {host["address"] for host in found["hosts"]}
    assert ASKED in addresses
    assert SPARED not in addresses
    assert count(asked) > 4
    assert count(spared) == 0
    program("user", "limits", "ada", "--never-scan", "")
    with frames(lab, SPARED, spared):
        program("scan", "run", SPARED, *options)
    assert count(spared) > 4
