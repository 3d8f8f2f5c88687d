"""Reading a running scan's files into the database, batch by batch.

One object per scan and program; every method blocks and is called in a thread. Reading starts at the first byte
whenever a program takes a scan over: elements that are stored already are recognised by their position.
"""

from __future__ import annotations

import time
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from netmon_tui.domain.host import Host, Port
from netmon_tui.domain.scan import (
    HostFound,
    HostHinted,
    PhaseBegan,
    PhaseProgress,
    PortDiscovered,
    ScanEvent,
    ScanFinished,
    ScanInfo,
    ScanStarted,
)
from netmon_tui.domain.scan_run import RunReader
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.kept_documents import open_document
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.tools.nmap_progress import ScanPercent, StagedPercent
from netmon_tui.tools.nmap_text import LiveText
from netmon_tui.tools.nmap_xml import NmapXmlParser

PIECE = 256 * 1024
"""Bytes parsed at once: 10 ms of the interpreter, so that the screen stays alive."""
BATCH = 256
"""Hosts stored in one transaction."""
PIECES_BYTES = 4 * 1024 * 1024
"""So much of a document is stored in one transaction where a host comes in pieces."""
MOST_HINTS = 8_192
"""Hosts that are waited for at once: more answers to nmap's discovery are not remembered."""
MOST_WARNINGS = 20
MOST_INFOS = 20
"""``<scaninfo>`` elements that are kept: nmap writes one for each protocol."""
_PROGRESS_SECONDS = 0.5
_TELLING_PERCENT = 3.0
_END_OF_TIME = 253_402_300_800
"""Seconds: the year 10000."""


class ScanIngest:
    """Reads one scan.

    Args:
        scan_id: The scan.
        scans, results: Where to.
        percent: How phases add up to a whole for this scan's options; None when nobody waits.
    """

    def __init__(
        self,
        scan_id: int,
        scans: ScanRepository,
        results: ScanResults,
        percent: ScanPercent | StagedPercent | None = None,
    ) -> None:
        self._id = scan_id
        self._scans = scans
        self._results = results
        self._percent = percent
        self._least_percent = scans.percent(scan_id)
        """It only rises, also when a run goes on with an earlier one and asks some hosts again."""
        self._parser = NmapXmlParser()
        self._text = LiveText()
        self._skip = results.stored(scan_id)
        self._hosts: list[tuple[int, Host]] = []
        self._live: dict[str, list[Port]] = {}
        self._run = RunReader()
        self._unstored = 0
        """Bytes read since hosts were stored."""
        self._changed: dict[str, Any] = {}
        self._written: dict[str, Any] = {}
        self._progress_at = 0.0
        self._first_progress: tuple[float, float] | None = None
        self.started: ScanStarted | None = None
        self.finished: ScanFinished | None = None
        self.warnings: list[str] = []
        """What nmap warned of while it ran."""
        self.damage = ""
        """Why the document cannot be read on, when it cannot."""

    @property
    def refused(self) -> list[str]:
        """Reasons of elements that were refused."""
        return self._parser.refused

    @property
    def _in_pieces(self) -> bool:
        """Whether the same host may come many times."""
        return self.started is not None and self.started.scanner == "masscan"

    def step(self, xml: BinaryIO, text: BinaryIO | None) -> bool:
        """Read a piece of what is new; whether there may be more."""
        found_text = text.read(PIECE) if text is not None else b""
        if found_text:
            self._take_text(found_text)
        piece = xml.read(PIECE) if not self.damage else b""
        if piece:
            self._take_xml(piece)
        is_behind = PIECE in (len(piece), len(found_text))
        self._write_progress(now=not is_behind)
        return is_behind

    def complete(self) -> None:
        """Store what is left when nothing more will come."""
        if not self.damage:
            try:
                self._take(self._parser.close())
            except InvalidInput as error:
                self.damage = str(error)
        self._store_hosts()
        self._store_live()
        self._results.store_run(self._id, self._run.whole())
        self._write_progress(now=True)

    def _take_xml(self, piece: bytes) -> None:
        self._unstored += len(piece)
        try:
            events = self._parser.feed(piece)
        except InvalidInput as error:
            self.damage = str(error)
            events = []
        self._take(events)
        self._store_live()

    def _take_text(self, piece: bytes) -> None:
        for event in self._text.feed(piece):
            if isinstance(event, PortDiscovered):
                port = Port(event.number, event.protocol, "open", "live")
                self._live.setdefault(event.address, []).append(port)
            elif isinstance(event, PhaseBegan):
                self._changed |= {"phase": event.task, "remaining": None}
            elif isinstance(event, str) and len(self.warnings) < MOST_WARNINGS:
                self.warnings.append(event[:500])
        self._store_live()

    def _take(self, events: list[ScanEvent]) -> None:
        for event in events:
            if self._percent is not None:
                now = round(self._percent.update(event), 1)
                self._changed["percent"] = max(now, self._least_percent)
            if isinstance(event, HostFound):
                self._take_host(event)
            else:
                self._take_other(event)
        if not self._in_pieces or self._unstored >= PIECES_BYTES:
            self._store_hosts()

    def _take_host(self, event: HostFound) -> None:
        if event.ordinal >= self._skip:
            self._hosts.append((event.ordinal, event.host))
            self._live.pop(event.host.address, None)
            if len(self._hosts) >= BATCH and not self._in_pieces:
                self._store_hosts()

    def _take_other(self, event: ScanEvent) -> None:
        self._run.take(event)
        if isinstance(event, PhaseProgress):
            self._changed |= {"phase": event.task, "remaining": self._remaining(event)}
        elif isinstance(event, PhaseBegan):
            self._changed |= {"phase": event.task, "remaining": None}
        elif isinstance(event, HostHinted) and len(self._live) < MOST_HINTS:
            self._live.setdefault(event.host.address, [])
        elif isinstance(event, ScanStarted):
            self.started = event
            self._changed |= {"nmap_version": event.version}
        elif isinstance(event, ScanInfo) and len(self._run.infos) <= MOST_INFOS:
            self._changed["scaninfo"] = [list(astuple(info)) for info in self._run.infos]
        elif isinstance(event, ScanFinished):
            self.finished = event
            if not self._in_pieces:  # masscan counts ports there
                self._changed |= {"hosts_total": event.hosts_total, "hosts_down": event.hosts_down}

    def _remaining(self, event: PhaseProgress) -> float | None:
        """Return the seconds that the whole scan still takes if it goes on as since the first word of progress.

        Until a part is done that says something, that is what nmap thinks of the phase.
        """
        if self._percent is None:
            return event.remaining
        percent = self._percent.percent
        self._first_progress = self._first_progress or (event.time, percent)
        begun, had = self._first_progress
        gained = percent - had
        if gained < _TELLING_PERCENT:
            return event.remaining
        return round((event.time - begun) * (100.0 - percent) / gained)

    def _store_hosts(self) -> None:
        if self._hosts:
            store = self._results.merge if self._in_pieces else self._results.store
            store(self._id, self._hosts)
            self._skip = self._hosts[-1][0] + 1
            self._hosts.clear()
            self._unstored = 0

    def _store_live(self) -> None:
        if self._live:
            self._results.store_live(self._id, self._live)
            self._live = {}

    def _write_progress(self, *, now: bool = False) -> None:
        """Write the row's figures when they changed, but not at every piece."""
        moment = time.monotonic()
        if not now and moment - self._progress_at < _PROGRESS_SECONDS:
            return
        new = {name: value for name, value in self._changed.items() if self._written.get(name) != value}
        if new:
            self._scans.update(self._id, **new)
            self._written |= new
        self._progress_at = moment


def ingest_file(path: Path, ingest: ScanIngest) -> None:
    """Read a whole document at once (blocking): an import, or what a lost runner left behind."""
    with open_document(path) as xml:
        while ingest.step(xml, None):
            pass
    ingest.complete()


def moment_of(posix: float | None) -> datetime | None:
    """Return a POSIX time as a UTC datetime; None for none, and for one after the last day there is."""
    return datetime.fromtimestamp(posix, UTC) if posix and posix < _END_OF_TIME else None
