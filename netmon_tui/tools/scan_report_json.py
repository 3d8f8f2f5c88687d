"""A scan as one JSON document, or as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from netmon_tui.domain.documents import scan_document
from netmon_tui.domain.host import Host
from netmon_tui.domain.host_documents import host_document
from netmon_tui.domain.scan import Scan


def scan_to_json(scan: Scan, hosts: Iterable[Host]) -> Iterator[str]:
    """Yield one document, the scan with its ``hosts``, host by host."""
    yield json.dumps(scan_document(scan), indent=2).removesuffix("\n}") + ',\n  "hosts": ['
    separator = "\n"
    for host in hosts:
        yield separator + json.dumps(host_document(host))
        separator = ",\n"
    yield "\n  ]\n}\n"


def scan_to_json_lines(scan: Scan, hosts: Iterable[Host]) -> Iterator[str]:
    """Yield a document a host, each on a line of its own, with the id of the scan as ``scan``."""
    for host in hosts:
        yield json.dumps({"scan": scan.id} | host_document(host)) + "\n"
