"""What a scan was asked to do and how it went, as lines of text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from netmon_tui.domain.scan import Scan
from netmon_tui.ui.rendering import state_style, thin
from netmon_tui.ui.widgets.scan_words import progress, took
from netmon_tui.ui.widgets.text_view import TextLine

_LABEL_CELLS = 12


def about(scan: Scan, directory: str, stages: Mapping[str, Sequence[str]]) -> list[TextLine]:
    """Return the lines of the tab About.

    Args:
        scan: As it stands now.
        directory: Where its files are.
        stages: The commands of its stages by name, when several nmaps do it.
    """
    return list(_lines(scan, directory, stages))


def _lines(scan: Scan, directory: str, stages: Mapping[str, Sequence[str]]) -> Iterator[TextLine]:
    look = state_style(scan.state)
    if scan.error:
        yield TextLine(scan.error, look.tone, 1)
    for warning in scan.warnings:
        yield TextLine(f"! {warning}", "warning", 1)
    yield TextLine("Command", "strong", 1)
    # an import has only the line that its document gives
    yield TextLine(shlex.join(scan.command) or scan.arguments or "unknown", "", 3)
    for name, words in stages.items():
        yield TextLine(f"Stage: {name}", "strong", 1)
        yield TextLine(shlex.join(words), "", 3)
    for label, text in _facts(scan, directory):
        if text:
            yield TextLine(f"{label:<{_LABEL_CELLS}}{text}", look.tone if label == "State" else "", 1)


def _facts(scan: Scan, directory: str) -> Iterator[tuple[str, str]]:
    yield "Name", scan.name
    yield "State", f"{look_of(scan)}  {progress(scan)}".rstrip()
    yield "Targets", " ".join(scan.targets)
    yield "Profile", scan.profile
    yield "Options", "" if scan.imported else scan.arguments or "none"
    yield "Sets", ", ".join(scan.sets)
    yield "Owner", scan.owner
    total = f", {thin(scan.hosts_total)} in all" if scan.hosts_total else ""
    yield "Hosts", f"{thin(scan.hosts_up)} up, {thin(scan.hosts_down)} down{total}"
    yield "Open ports", thin(scan.ports_open)
    yield "Given up", " ".join(scan.skipped)
    yield "Asked for", _moment(scan.created)
    yield "Started", _moment(scan.started)
    yield "Finished", _moment(scan.finished)
    yield "Took", took(scan)
    yield "Files", directory
    yield "Origin", "imported" if scan.imported else ""


def look_of(scan: Scan) -> str:
    """Return the word of the state."""
    return state_style(scan.state).word


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}" if moment else ""
