"""Greppable output: what nmap wrote for the same scan, byte for byte; and what hosts cannot do to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from netmon_tui.domain.host import Host, OsMatch, Port, SequenceTest, Service
from netmon_tui.domain.scan import HostFound, ScanEvent, ScanFinished, ScanStarted
from netmon_tui.security.hostile_text import clean
from netmon_tui.tools.nmap_xml import NmapXmlParser
from netmon_tui.tools.scan_report_gnmap import scan_to_gnmap

RECORDED = sorted((Path(__file__).parents[2] / "data" / "nmap" / "greppable").glob("*.xml"))
"""Written by nmap 7.93, each beside what the same run wrote with -oG."""
STARTED = ScanStarted("nmap", "nmap -oX - 192.0.2.1", 1_700_000_000.0, "7.93")


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The recordings were made there, and nmap writes local time."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def events_of(path: Path) -> list[ScanEvent]:
    parser = NmapXmlParser()
    return [*parser.feed(path.read_bytes()), *parser.close()]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_it_is_what_nmap_wrote(path: Path) -> None:
    written = "".join(scan_to_gnmap(events_of(path), clean))
    assert written.splitlines() == path.with_suffix(".gnmap").read_text().splitlines()


def test_there_are_recordings() -> None:
    assert len(RECORDED) >= 10


def test_chosen_hosts_alone() -> None:
    events = [STARTED, *(HostFound(Host(f"192.0.2.{n}", "up"), n) for n in range(4))]
    lines = [line for line in scan_to_gnmap(events, clean, {1, 3}) if line.startswith("Host")]
    assert lines == ["Host: 192.0.2.1 ()\tStatus: Up\n", "Host: 192.0.2.3 ()\tStatus: Up\n"]


def ports_line(host: Host, arguments: str = STARTED.args) -> str:
    events = [replace(STARTED, args=arguments), HostFound(host, 0)]
    return list(scan_to_gnmap(events, clean))[-1].removesuffix("\n").partition("Ports: ")[2]


@pytest.mark.parametrize(
    ("service", "written"),
    [
        (Service("http-proxy", confidence=3, method="table"), "http-proxy?"),
        (Service("unknown", confidence=3, method="table"), "unknown"),
        (Service("http", tunnel="ssl", confidence=10, method="probed"), "ssl|http"),
        (Service("https", tunnel="ssl", confidence=3, method="table"), "ssl|unknown"),
        (Service("tcpwrapped", confidence=8, method="probed"), "tcpwrapped"),
    ],
)
def test_services_are_doubted_as_nmap_doubts_them(service: Service, written: str) -> None:
    host = Host("192.0.2.1", "up", ports=(Port(80, "tcp", "open", service=service),))
    assert ports_line(host, "nmap -sSV 192.0.2.1") == f"80/open/tcp//{written}///"


def test_without_version_detection_nothing_is_doubted() -> None:
    service = Service("http", confidence=3, method="table")
    host = Host("192.0.2.1", "up", ports=(Port(80, "tcp", "open", service=service),))
    assert ports_line(host) == "80/open/tcp//http///"


def test_only_perfect_matches_are_named() -> None:
    found = (OsMatch("Linux 6.1", 100), OsMatch("Linux 5", 100), OsMatch("Plan 9", 99))
    host = Host("192.0.2.1", "up", ports=(Port(80, "tcp", "open"),), os=found)
    host.sequences = (SequenceTest("tcp", "Good luck!", tcp_index=262), SequenceTest("ipid", "All zeros"))
    fields = ports_line(host).split("\t")
    assert fields[1:] == ["OS: Linux 6.1|Linux 5", "Seq Index: 262", "IP ID Seq: All zeros"]


def test_hosts_make_no_fields_and_no_lines() -> None:
    evil = "x\tPorts: 1/open/tcp//\nHost: 203.0.113.9 ()\tStatus: Up\r\x1b[2J\u202e\u2028"
    service = Service(evil, evil, evil, evil, confidence=10, method="probed")
    host = Host(
        "192.0.2.1",
        "up",
        hostnames=((evil, "PTR"),),
        ports=(Port(80, "tcp", "open", service=service),),
        os=(OsMatch(evil, 100),),
        sequences=(SequenceTest("ipid", evil),),
    )
    finished = ScanFinished(0, 0, f"Nmap done; {evil}", "success", "", 1, 0, 1)
    started = replace(STARTED, args=evil, version=evil)
    lines = "".join(scan_to_gnmap([started, HostFound(host, 0), finished], clean)).split("\n")
    assert [line[:6] for line in lines] == ["# Nmap", "Host: ", "Host: ", "# Nmap", ""]
    assert [field.split(":")[0] for field in lines[2].split("\t")] == ["Host", "Ports", "OS", "IP ID Seq"]
    assert lines[2].split("\t")[1].count("/") == 7
    assert all(line.replace("\t", "").isprintable() for line in lines)
