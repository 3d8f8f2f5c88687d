"""``scan run --dry-run``: what it says of the cost of a scan."""

from __future__ import annotations

import pytest

from netmon_tui.runtime.tool_paths import find_tool

pytestmark = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")
RUN = (
    "scan",
    "run",
    "127.0.0.0/28",
    "host.example",
    "--dry-run",
    "--args",
    "-sT -p 22,80 -n --exclude 127.0.0.1",
)


def test_as_one_document(admin) -> None:
    document = admin(*RUN, "--json").document
    assert document["addresses"] == 17
    estimate = document["estimate"]
    assert (estimate["addresses"], estimate["names"], estimate["ports"]) == (15, 1, {"tcp": 2})
    assert 15 <= estimate["probes"]["lowest"] < estimate["probes"]["highest"] < 2_000
    assert 0 <= estimate["seconds"]["lowest"] < estimate["seconds"]["highest"]
    assert (estimate["open_ended"], estimate["earlier_runs"]) == ("", 0)
    assert "assumes" in estimate["basis"]
    assert admin("scan", "list", "--json").document == []


def test_in_words_beside_the_command(admin) -> None:
    answer = admin(*RUN)
    assert answer.out.startswith("/") and answer.out.count("\n") == 1
    assert "15 addresses, 1 host name (counts as one); 2 TCP ports each; " in answer.err
    assert "takes up to " in answer.err and "(assumes " in answer.err


def test_a_scan_without_a_port_is_refused(admin) -> None:
    assert admin("port-set", "add", "web", "22,80").code == 0
    refused = {
        "-sT -p 80 --exclude-ports 1-100": "no ports are left to scan",
        "-sT -p @web --exclude-ports @web": "no ports are left to scan",
        "-sO -p @web": "@web cannot be used with -sO",
    }
    for options, words in refused.items():
        for how in ("--dry-run", "--detach"):
            answer = admin("scan", "run", "127.0.0.1", how, "--args", options)
            assert (answer.code, words in answer.err) == (2, True), answer
    assert admin("scan", "list", "--json").document == []


def test_a_number_of_addresses_that_nobody_counts(admin) -> None:
    answer = admin("scan", "run", "::/0", "--dry-run")
    assert answer.code == 2
    assert "about 3.4e38 addresses are too many" in answer.err
