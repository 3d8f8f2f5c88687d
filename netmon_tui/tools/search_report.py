"""What a search found, for other programs and for people: JSON lines, CSV, a table in Markdown."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from netmon_tui.domain.documents import found_document, timestamp
from netmon_tui.domain.host import Service
from netmon_tui.domain.search import FoundPort
from netmon_tui.tools.nmap_output import LineBuffer
from netmon_tui.tools.scan_report_markdown import markdown_table

COLUMNS = (
    "scan",
    "address",
    "hostname",
    "port",
    "protocol",
    "state",
    "service",
    "product",
    "version",
    "seen",
)
_NO_SERVICE = Service()
Gate = Callable[[object], str]


def found_to_json_lines(found: Iterable[FoundPort]) -> Iterator[str]:
    """Yield one JSON object a line."""
    return (json.dumps(found_document(one)) + "\n" for one in found)


def found_to_csv(found: Iterable[FoundPort], gate: Gate) -> Iterator[str]:
    """Yield CSV line by line, a header first; every text passes the gate."""
    line = LineBuffer()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    yield line.text
    for one in found:
        writer.writerow(map(gate, found_cells(one)))
        yield line.text


def found_to_markdown(found: Iterable[FoundPort], gate: Gate) -> Iterator[str]:
    """Yield a table line by line; every text passes the gate and means nothing to Markdown."""
    titles = [title.capitalize() for title in COLUMNS]
    return markdown_table(titles, map(found_cells, found), gate)


def found_cells(one: FoundPort) -> tuple[str, ...]:
    """Return a line as texts, one for each of :data:`COLUMNS`."""
    service = one.service or _NO_SERVICE
    number = "" if one.number is None else str(one.number)
    seen = "" if one.seen is None else timestamp(datetime.fromtimestamp(one.seen, UTC)) or ""
    names = service.name, service.product, service.version
    return (str(one.scan), one.address, one.hostname, number, one.protocol, one.state, *names, seen)
