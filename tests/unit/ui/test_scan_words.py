"""Scans and hosts in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from netmon_tui.domain.host import Host, HostAddress, OsMatch, Port, Script, Service
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan
from netmon_tui.ui.widgets.host_words import HostText, headline
from netmon_tui.ui.widgets.scan_words import progress, time_left, what
from netmon_tui.ui.widgets.text_view import TextLine, _broken, _common

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)


def scan(state: JobState, **values: Any) -> Scan:
    return Scan(1, "file.xml", (), "", "", (), state, 1, "ada", BEGIN, **values)


@pytest.mark.parametrize(
    ("state", "values", "words"),
    [
        (JobState.QUEUED, {}, "waits for its turn"),
        (
            JobState.RUNNING,
            {"percent": 63.4, "remaining": 41, "phase": "SYN Stealth Scan"},
            "63% 0:41 SYN Stealth",
        ),
        (JobState.RUNNING, {"percent": 0.0}, "0%"),
        (JobState.COMPLETED, {"started": BEGIN, "finished": BEGIN + timedelta(seconds=133)}, "0:02:13"),
        (JobState.COMPLETED, {}, "imported"),
        (JobState.CANCELLED, {"hosts_up": 1}, "partial, 1 host"),
        (JobState.INTERRUPTED, {"hosts_up": 1212}, "partial, 1 212 hosts"),
        (JobState.FAILED, {"error": "the disk is full"}, "the disk is full"),
    ],
)
def test_progress(state: JobState, values: dict[str, Any], words: str) -> None:
    assert progress(scan(state, **values)) == words


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00"), (41, "0:41"), (700, "11:40"), (3761, "1:02:41")])
def test_time_left(seconds: float, words: str) -> None:
    assert time_left(seconds) == words


def test_an_import_is_named_by_its_file() -> None:
    assert what(scan(JobState.COMPLETED)) == "file.xml"


def test_a_host_in_lines_and_where_each_port_begins() -> None:
    http = Port(
        80, "tcp", "open", "syn-ack", 64, Service("http", "nginx"), (Script("http-title", "one\ntwo"),)
    )
    host = Host(
        "192.0.2.1",
        "up",
        addresses=(HostAddress("192.0.2.1", "ipv4"), HostAddress("AA:BB:CC:00:00:01", "mac", "Acme")),
        hostnames=(("gw", "PTR"),),
        ports=(Port(22, "tcp", "open"), http),
        os=(OsMatch("Linux 6", 98),),
    )
    described = HostText(host)
    texts = [line.text for line in described.lines]
    assert texts[described.anchors[("tcp", 80)] :] == ["80/tcp http nginx", "http-title", "one", "two"]
    assert ("tcp", 22) not in described.anchors  # there is no more to say of it than its row says
    assert headline(host) == " 192.0.2.1  gw  aa:bb:cc:00:00:01 (Acme)  Linux 6"


def test_a_host_that_was_given_up_says_by_whom() -> None:
    def said(host: Host, *, given_up: bool) -> str:
        return " ".join(line.text for line in HostText(host, given_up=given_up).lines)

    host = Host("192.0.2.1", "up", reason="syn-ack")
    assert said(replace(host, partial=True), given_up=True) == (
        "up, somebody gave it up: nothing more is asked of it"
    )
    assert said(replace(host, partial=True), given_up=False) == "up, its scan is not finished"
    assert said(host, given_up=True) == "up (syn-ack)", "it was done before"
    assert "--host-timeout" in said(replace(host, timed_out=True), given_up=False)


def test_lines_are_gated_and_broken_at_the_width() -> None:
    assert list(_broken(TextLine("ab cd ef"), 5)) == ["ab cd", "ef"]
    assert list(_broken(TextLine("x" * 12, indent=2), 7)) == ["  xxxxx", "  xxxxx", "  xx"]
    assert list(_broken(TextLine("\x1b[31m"), 20)) == ["\\x1b[31m"]
    assert list(_broken(TextLine("漢字漢字"), 4)) == ["漢字", "漢字"]
    assert list(_broken(TextLine(""), 4)) == [""]
    assert sum(map(len, _broken(TextLine("y" * 1_000_000), 80))) <= 2_000


def test_what_two_texts_begin_with() -> None:
    a, b, c = TextLine("a"), TextLine("b"), TextLine("c")
    assert _common([a, b], [a, b, c]) == 2
    assert _common([a, b], [a, c]) == 1
    assert _common([], [a]) == 0
