"""nmap's standard output, read while it comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.scan import PhaseBegan, PhaseProgress, PortDiscovered
from netmon_tui.tools.nmap_text import LiveText

SAMPLE = b"""Starting Nmap 7.93 ( https://nmap.org ) at 2026-11-22 10:59 UTC
Initiating SYN Stealth Scan at 10:59
Scanning localhost (127.0.0.1) [65535 ports]
Stats: 0:00:01 elapsed; 0 hosts completed (1 up), 1 undergoing SYN Stealth Scan
SYN Stealth Scan Timing: About 28.44% done; ETC: 11:00 (1:02:03 remaining)
Discovered open port 443/tcp on 192.0.2.1
Discovered open port 53/udp on 2001:db8::1
UDP Scan Timing: About 0.50% done
Warning: 192.0.2.9 giving up on port because retransmission cap hit (2).
| banner: Discovered open port 1/tcp on 192.0.2.66
PORT    STATE SERVICE
"""
EVENTS = [
    PhaseBegan("SYN Stealth Scan", 0.0),
    PhaseProgress("SYN Stealth Scan", 28.44, 3723.0),
    PortDiscovered("192.0.2.1", 443, "tcp"),
    PortDiscovered("2001:db8::1", 53, "udp"),
    PhaseProgress("UDP Scan", 0.5, None),
    "Warning: 192.0.2.9 giving up on port because retransmission cap hit (2).",
]


def read(*pieces: bytes) -> list[object]:
    text = LiveText()
    return [event for piece in pieces for event in text.feed(piece)]


def test_ports_progress_and_warnings_are_found() -> None:
    assert read(SAMPLE) == EVENTS


@given(st.lists(st.integers(0, len(SAMPLE)), max_size=10))
def test_the_pieces_do_not_matter(cuts: list[int]) -> None:
    cuts = sorted(cuts)
    assert read(*[SAMPLE[a:b] for a, b in zip([0, *cuts], [*cuts, len(SAMPLE)], strict=True)]) == EVENTS


def test_a_line_counts_when_it_ends() -> None:
    text = LiveText()
    assert text.feed(b"Discovered open port 4") == []
    assert text.feed(b"43/tcp on 192.0.2.1") == []
    assert text.feed(b"\n") == [PortDiscovered("192.0.2.1", 443, "tcp")]


def test_long_lines_are_dropped_whole() -> None:
    text = LiveText()
    for _ in range(100):
        assert text.feed(b"Warning: " + b"x" * 60_000) == []
    assert text.feed(b"Warning: the end of it\nWarning: the next\n") == ["Warning: the next"]
    assert read(b"Warning: " + b"x" * 70_000 + b"\nWarning: the next\n") == ["Warning: the next"]


def test_what_is_no_port_or_address_is_nothing() -> None:
    for line in (
        b"Discovered open port 65536/tcp on 192.0.2.1",
        b"Discovered open port 1/tcp on -oN",
        b"Discovered open port 1/tcp on 192.0.2.999",
        b"Discovered open port 1/tcp on 192.0.2.1 and more",
        b"\xff\xfe",
    ):
        assert read(line + b"\n") == []
