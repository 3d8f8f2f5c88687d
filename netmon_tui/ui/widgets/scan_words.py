"""How a scan is put into words, the same in the list and in its own screen."""

from __future__ import annotations

from collections.abc import Sequence

from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan
from netmon_tui.ui.rendering import duration, thin

_LEFT_OUT = 4
"""Addresses that are never scanned and named one by one."""
_MINUTES = 3600
"""Seconds under which the hours are left out."""


def what(scan: Scan) -> str:
    """Return what is scanned; of an import, the file it came from."""
    return " ".join(scan.targets) or scan.name


def can_go_on(scan: Scan) -> bool:
    """Whether a scan ended before it was done, and may be resumed."""
    return scan.state in (JobState.CANCELLED, JobState.INTERRUPTED, JobState.FAILED) and not scan.imported


def progress(scan: Scan) -> str:
    """Return how far a scan is, or how it went: ``63% 0:41 SYN Stealth``, ``0:02:13``, ``partial, 212 hosts``."""
    if scan.state is JobState.QUEUED:
        return "waits for its turn"
    if scan.state is JobState.PAUSED and scan.error:
        return scan.error
    if scan.state in (JobState.RUNNING, JobState.PAUSED):
        left = "" if scan.remaining is None else time_left(scan.remaining)
        phase = scan.phase.removesuffix(" Scan").removesuffix(" scan")
        return " ".join(part for part in (f"{scan.percent:.0f}%", left, phase) if part)
    if scan.state is JobState.FAILED:
        return scan.error or "failed"
    if scan.state is not JobState.COMPLETED:
        return f"partial, {thin(scan.hosts_up)} host{'' if scan.hosts_up == 1 else 's'}"
    return took(scan) or "imported"


def asks_first(scripts: Sequence[str]) -> tuple[str, ...]:
    """Return what to say of scripts that have to be confirmed: none or one line, the first and how many more."""
    if not scripts:
        return ()
    more = f" and {thin(len(scripts) - 1)} more" if len(scripts) > 1 else ""
    return (f"Asks before it runs {scripts[0]}{more}",)


def left_out(never_scanned: Sequence[str]) -> tuple[str, ...]:
    """Return what to say of addresses that no scan touches: nothing, or one line with the first of them."""
    if not never_scanned:
        return ()
    more = len(never_scanned) - _LEFT_OUT
    shown = " ".join(never_scanned[:_LEFT_OUT])
    return (f"Never scanned: {shown}{f' and {thin(more)} more' if more > 0 else ''}",)


def took(scan: Scan) -> str:
    """Return how long a scan ran: ``0:02:13``; empty while it is not known."""
    if scan.started is None or scan.finished is None:
        return ""
    return duration((scan.finished - scan.started).total_seconds())


def time_left(seconds: float) -> str:
    """Return a time left: ``0:41``, from an hour on ``1:02:41``."""
    text = duration(seconds)
    return text.removeprefix("0:").removeprefix("0") if seconds < _MINUTES else text
