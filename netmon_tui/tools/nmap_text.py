"""What nmap says on its standard output while it runs (with -v and --stats-every).

The XML names a port only when its host's whole group is finished, and a phase only with the next statistics;
here both are named the moment they come.
"""

from __future__ import annotations

import re

from netmon_tui.domain.address import parse_ip
from netmon_tui.domain.scan import PhaseBegan, PhaseProgress, PortDiscovered

MAX_LINE = 65_536
"""Longest line looked at, in bytes; a longer one is dropped whole."""

_DISCOVERED = re.compile(r"Discovered open port ([0-9]{1,5})/(tcp|udp|sctp|ip) on ([0-9A-Za-z.:%_-]{2,80})")
_PROGRESS = re.compile(
    r"([A-Z][A-Za-z0-9 /-]{1,60}?) Timing: About ([0-9]{1,3}(?:\.[0-9]{1,2})?)% done"
    r"(?:; ETC: [0-9:]{4,8} \(([0-9]{1,6}):([0-9]{2}):([0-9]{2}) remaining\))?"
)
_INITIATING = re.compile(r"Initiating ([A-Z][A-Za-z0-9 ./-]{1,60}?) at [0-9:]{4,8}")
_WARNING = re.compile(
    r"(?i)(?:warning|note|failed|unable|could ?n.t|cannot|skipping|quitting|rttvar|sendto|\S+ giving up)\b"
)


class LiveText:
    """Reads nmap's text line by line, in pieces of any size.

    What scripts and services sent cannot pose as one of these lines: nmap indents it behind ``|`` and escapes
    line ends.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._dropping = False

    def feed(self, data: bytes) -> list[PortDiscovered | PhaseBegan | PhaseProgress | str]:
        """Return ports, phases, progress and warnings (as text) of the lines that became whole."""
        *lines, rest = (self._rest + data).split(b"\n")
        if lines and self._dropping:
            del lines[0]
            self._dropping = False
        if self._dropping or len(rest) > MAX_LINE:
            rest, self._dropping = b"", True
        self._rest = rest
        found = (_read_line(line) for line in lines if len(line) <= MAX_LINE)
        return [event for event in found if event is not None]


def _read_line(raw: bytes) -> PortDiscovered | PhaseBegan | PhaseProgress | str | None:
    line = raw.decode("utf-8", "replace").rstrip("\r")
    if match := _DISCOVERED.fullmatch(line):
        return _discovered(int(match[1]), match[2], match[3])
    if match := _PROGRESS.fullmatch(line):
        remaining = None if match[3] is None else int(match[3]) * 3600 + int(match[4]) * 60 + float(match[5])
        return PhaseProgress(match[1], min(100.0, float(match[2])), remaining)
    if match := _INITIATING.fullmatch(line):
        return PhaseBegan(match[1], 0.0)
    return line if _WARNING.match(line) else None


def _discovered(number: int, protocol: str, text: str) -> PortDiscovered | None:
    address = parse_ip(text)
    if address is None or number > 65_535:
        return None
    return PortDiscovered(str(address), number, protocol)
