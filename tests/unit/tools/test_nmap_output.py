"""Scans as CSV, and the look of nmap's XML."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netmon_tui.domain.host import Host, HostAddress, Port, Service
from netmon_tui.security.hostile_text import csv_cell
from netmon_tui.tools.nmap_output import CSV_COLUMNS, hosts_to_csv, is_nmap_xml

DATA = Path(__file__).parents[2] / "data" / "nmap"


FIRST = ["192.0.2.1", "02:00:00:00:00:0a", "a.example b.example", "up"]


def rows(*hosts: Host) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(hosts_to_csv(hosts, csv_cell)), newline="")))


def test_a_line_for_every_port() -> None:
    host = Host(
        "192.0.2.1",
        "up",
        addresses=(HostAddress("192.0.2.1", "ipv4"), HostAddress("02:00:00:00:00:0a", "mac", "v")),
        hostnames=(("a.example", "user"), ("b.example", "PTR")),
        ports=(
            Port(22, "tcp", "open", "syn-ack", 64, Service("ssh", 'Open"SSH"', "9,2")),
            Port(53, "udp", "open|filtered"),
        ),
    )
    assert rows(host, Host("192.0.2.2", "down")) == [
        list(CSV_COLUMNS),
        [*FIRST, "22", "tcp", "open", "syn-ack", "ssh", 'Open"SSH"', "9,2"],
        [*FIRST, "53", "udp", "open|filtered", "", "", "", ""],
        ["192.0.2.2", "", "", "down", "", "", "", "", "", "", ""],
    ]


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_guarded(text: str) -> None:
    host = Host("192.0.2.1", ports=(Port(1, "tcp", "open", "", 0, Service("a", text, "v=1")),))
    product, version = rows(host)[1][9:]
    assert product.startswith("'" + text[0].strip()) and version == "v=1"


def test_every_text_passes_the_gate() -> None:
    host = Host("192.0.2.1", hostnames=(("\x1b]0;x", "PTR"),))
    assert "\x1b" not in "".join(hosts_to_csv([host], csv_cell))


def test_hosts_are_taken_one_at_a_time() -> None:
    taken = []

    def hosts() -> Iterator[Host]:
        for number in range(3):
            taken.append(number)
            yield Host(f"192.0.2.{number}")

    lines = hosts_to_csv(hosts(), csv_cell)
    assert next(lines).startswith("address,") and taken == []
    assert next(lines).startswith("192.0.2.0,") and taken == [0]


@pytest.mark.parametrize("path", sorted(DATA.glob("*.xml")), ids=lambda path: path.stem)
def test_nmaps_own_files_are_known(path: Path) -> None:
    assert is_nmap_xml(path.read_bytes()[:1_024])


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"<html>",
        b"<nmaprunner>",
        b"nmaprun",
        b"<!-- <nmaprun --><a>",
        b"<a><nmaprun>",
        b"\x1f\x8b",
        b"\xff\xfe<",
    ],
)
def test_other_files_are_not(head: bytes) -> None:
    assert not is_nmap_xml(head)


def test_a_hostile_beginning_takes_no_time() -> None:
    began = time.thread_time()
    for head in (b"<? ?>" * 100_000, b"<!--" * 100_000, b"<!-- -->" * 100_000 + b"x"):
        assert not is_nmap_xml(head)
    assert time.thread_time() - began < 1
