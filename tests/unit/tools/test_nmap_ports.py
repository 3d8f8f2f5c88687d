"""How many ports nmap scans, counted as the nmap that is installed counts."""

from __future__ import annotations

import re
import subprocess

import pytest

from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.nmap_services import port_frequencies
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_ports import ports_per_host, read_services, refuse_no_ports

NMAP = find_tool("nmap")
ASKED = re.compile(rb'protocol="([a-z]+)" numservices="([0-9]+)"')
LINES = [
    "# a comment",
    "ssh\t22/tcp\t0.2\t# x",
    "http\t80/tcp\t0.5",
    "dns\t53/udp\t0.4",
    "x 9/tcp often",
    "",
    "z",
]


def test_the_file_of_services_is_read_and_what_is_none_passed_over() -> None:
    assert read_services(LINES) == {"tcp": {22: 0.2, 80: 0.5}, "udp": {53: 0.4}}


@pytest.mark.parametrize(
    ("line", "ports"),
    [
        ("-sn", {}), ("-sL", {}), ("", {"tcp": 2}), ("--top-ports 1", {"tcp": 1}), ("-p 1-9", {"tcp": 9}),
        ("--top-ports 1 -p 23-90", {"tcp": 1}), ("-sU", {"udp": 1}), ("-sU -sY", {"udp": 1, "sctp": 1000}),
        ("--port-ratio 0.3 -sS -sU", {"tcp": 1, "udp": 1}),
    ],
)  # fmt: skip
def test_without_nmap(line: str, ports: dict[str, int]) -> None:
    assert ports_per_host(parse_options(line), read_services(LINES)) == ports


def test_without_the_file_the_most_common_are_as_many_as_asked_for() -> None:
    for line, count in (("", 1_000), ("-F", 100), ("--top-ports 77", 77)):
        assert ports_per_host(parse_options(line), {}) == {"tcp": count}


@pytest.mark.skipif(NMAP is None, reason="nmap is not installed")
@pytest.mark.parametrize("technique", ["-sT", "-sT -sU", "-sY"])
@pytest.mark.parametrize(
    "line",
    [
        "", "-F", "--top-ports 20", "--top-ports 9000", "--top-ports 65535", "-p-", "-p 0-65535", "-p 80,80,79-81",
        "-p 1-100,U:53", "-p 22,T:80,U:53,54,S:9", "--port-ratio 0.01", "--port-ratio 0.0002",
        "-F --exclude-ports 80",
        "--exclude-ports 1-1024", "-p 1-100 --exclude-ports 50-200", "-p 1-100 --top-ports 10",
        "-p 1-100 --port-ratio 0.01", "-p 1-10 --exclude-ports U:5,T:6,7", "--top-ports 5 --exclude-ports 80,443",
    ],
)  # fmt: skip
def test_as_nmap_counts(technique: str, line: str) -> None:
    _compare(f"{technique} {line}")


@pytest.mark.skipif(NMAP is None, reason="nmap is not installed")
@pytest.mark.parametrize(
    "line", ["", "-F", "-p 1-20", "-p 1-20,P:30", "--exclude-ports 1,6", "--top-ports 20"]
)
def test_protocols_as_nmap_counts(line: str) -> None:
    _compare(f"-sO {line}")


COMMON = {"tcp": {22: 0.2, 80: 0.5}, "udp": {53: 0.1}}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-sS -p 80 --exclude-ports 1-100", "--exclude-ports leaves none"),
        ("-F --exclude-ports 22,80", "--exclude-ports leaves none"),
        ("-sO -F --exclude-ports 0-255", "--exclude-ports leaves none"),
        ("-sU -p T:80", "a scan of UDP ports"),
        ("-sS -sU -p S:80", "a scan of TCP ports and UDP ports"),
        ("-sO -p T:22", "a scan of IP protocols"),
        ("--port-ratio 0.9", "a scan of TCP ports"),
    ],
)
def test_a_port_scan_without_a_port_is_refused(line: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        refuse_no_ports(parse_options(line), COMMON)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "-sS -p 80",
        "-sn",
        "-sL",
        "-sS -sU -p T:80",
        "-p 80,81 --exclude-ports 80",
        "-sO --exclude-ports 1",
        "--top-ports 1 --exclude-ports 80",
    ],
)
def test_a_port_scan_with_a_port_or_a_scan_without_ports_is_not(line: str) -> None:
    refuse_no_ports(parse_options(line), COMMON)
    refuse_no_ports(parse_options(line), {})


def _compare(line: str) -> None:
    """Let nmap give up at once, and compare what it says it asks for."""
    options = parse_options(line)
    words = [str(NMAP), "-n", "-oX", "-", "--host-timeout", "1ms", *options.tokens, "127.0.0.1"]
    told = subprocess.run(words, capture_output=True, check=False, timeout=60).stdout
    asked = {protocol.decode(): int(count) for protocol, count in ASKED.findall(told)}
    if not asked:
        pytest.skip("this nmap needs rights for it that we have not")
    assert ports_per_host(options, port_frequencies()) == asked
