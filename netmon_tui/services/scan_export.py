"""What is written when a scan is exported: one format each, host by host."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from functools import partial
from pathlib import Path

from netmon_tui.domain.export import HostSelection
from netmon_tui.domain.host import Host
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan, ScanEvent
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.runtime.kept_documents import has_document, open_document
from netmon_tui.security.hostile_text import clean, clean_block, csv_cell
from netmon_tui.services.scan_originals import originals
from netmon_tui.storage.host_queries import HostQueries
from netmon_tui.tools.nmap_output import hosts_to_csv
from netmon_tui.tools.nmap_xml import NmapXmlParser, close_truncated
from netmon_tui.tools.nmap_xml_selection import keep_hosts
from netmon_tui.tools.scan_report_facts import TextGates
from netmon_tui.tools.scan_report_gnmap import scan_to_gnmap
from netmon_tui.tools.scan_report_html import scan_to_html
from netmon_tui.tools.scan_report_json import scan_to_json, scan_to_json_lines
from netmon_tui.tools.scan_report_markdown import scan_to_markdown

XML_NAME = "scan.xml"
_PIECE = 1 << 20
"""Bytes of nmap's document that are read at once."""
_GATES = TextGates(partial(clean, limit=1 << 20), partial(clean_block, limit=1 << 20, max_lines=1 << 16))
"""Larger than what nmap's document may hold: a report leaves nothing out."""


class ScanExport:
    """One scan on its way out; every method blocks, and so does iterating over what it returns.

    Args:
        queries: Where its hosts are stored.
        scan: The scan, which the caller may see.
        directory: Where its files are.
        selection: Which hosts are wanted.

    Raises:
        NotFound: None of the hosts is in the scan.
    """

    def __init__(self, queries: HostQueries, scan: Scan, directory: Path, selection: HostSelection) -> None:
        self._queries = queries
        self._scan = scan
        self._path = directory / XML_NAME
        self._chosen = queries.ordinals(scan.id, selection) if selection else None

    @property
    def host_count(self) -> int | None:
        """How many hosts were selected; None for all of them."""
        return None if self._chosen is None else len(self._chosen)

    def chunks(self, format: str) -> Iterator[bytes]:
        """Yield the export in one of `SCAN_FORMATS`.

        Raises:
            NotFound: The format is made from nmap's document, and the scan has none.
        """
        if format == "xml":
            return self._xml()
        if format == "tar":
            return self._originals()
        writers: dict[str, Callable[[], Iterable[str]]] = {
            "json": lambda: scan_to_json(self._scan, self._hosts()),
            "jsonl": lambda: scan_to_json_lines(self._scan, self._hosts()),
            "csv": lambda: hosts_to_csv(self._hosts(), csv_cell),
            "md": lambda: self._report(scan_to_markdown),
            "html": lambda: self._report(scan_to_html),
            "gnmap": lambda: scan_to_gnmap(_events(self._document()), _GATES.line, self._positions()),
        }
        return (text.encode() for text in writers[format]())

    def _hosts(self) -> Iterator[Host]:
        return self._queries.whole_hosts(self._scan.id, self._chosen)

    def _report(self, writer: Callable[..., Iterator[str]]) -> Iterator[str]:
        lines = self._queries.lines_in_order(self._scan.id, self._chosen)
        return writer(self._scan, lines, self._hosts(), _GATES, self.host_count)

    def _xml(self) -> Iterator[bytes]:
        positions = self._positions()
        return self._document() if positions is None else keep_hosts(self._document(), positions)

    def _originals(self) -> Iterator[bytes]:
        if self._chosen is not None:
            raise InvalidInput(
                "the documents of the stages are written whole", fix="choose another format, or all hosts"
            )
        return originals(self._path.parent, f"scan-{self._scan.id}")

    def _positions(self) -> Container[int] | None:
        """Return the hosts that are wanted: a stored host's ordinal is its position in the document.

        Raises:
            InvalidInput: The document is masscan's.
            NotFound: None of them is in it: nmap writes a host when it is done with it.
        """
        if self._chosen is None:
            return None
        if self._queries.run(self._scan.id).scanner == "masscan":
            raise InvalidInput(
                "masscan's document has its hosts in pieces: none can be cut out", fix="choose another format"
            )
        positions = frozenset(ordinal for ordinal in self._chosen if ordinal >= 0)
        if self._chosen and not positions:
            raise NotFound(
                "nmap has not finished these hosts",
                fix="choose another format, or wait until the scan is done",
            )
        return positions

    def _document(self) -> Iterator[bytes]:
        """Return nmap's document: as it is when whole, closed after its last whole host when it is not."""
        if not has_document(self._path):
            raise NotFound(f"scan {self._scan.id} has no XML document")
        if self._scan.state is JobState.COMPLETED:
            return _pieces(self._path)
        with open_document(self._path) as file:
            return iter([close_truncated(file.read())])


def _pieces(path: Path) -> Iterator[bytes]:
    with open_document(path) as file:
        while piece := file.read(_PIECE):
            yield piece


def _events(document: Iterable[bytes]) -> Iterator[ScanEvent]:
    parser = NmapXmlParser()
    for piece in document:
        yield from parser.feed(piece)
    yield from parser.close()
