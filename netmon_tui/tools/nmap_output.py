"""Results of scans for other programs: CSV; and what a file has to look like to be nmap's XML."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator

from netmon_tui.domain.host import Host, Port, Service

CSV_COLUMNS = (
    "address",
    "lladdr",
    "hostnames",
    "status",
    "port",
    "protocol",
    "state",
    "reason",
    "service",
    "product",
    "version",
)
_NO_SERVICE = Service()
_PROLOGUE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?>(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE\s+nmaprun\b[^>]*>)\s*)*+<nmaprun[\s>/]",
    re.DOTALL,
)


class LineBuffer:
    """What the csv module writes to: keeps the last line."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        """Keep a line."""
        self.text = text
        return len(text)


def hosts_to_csv(hosts: Iterable[Host], gate: Callable[[str], str]) -> Iterator[str]:
    """Yield CSV (RFC 4180) line by line: a header, then a line per port, or one for a host without ports.

    Args:
        hosts: Taken one at a time, however many there are.
        gate: Applied to every text before it is quoted: makes foreign text harmless to terminals and spreadsheets.
    """
    line = LineBuffer()
    writer = csv.writer(line)
    writer.writerow(CSV_COLUMNS)
    yield line.text
    for host in hosts:
        for port in host.ports or (None,):
            writer.writerow([gate(cell) for cell in (*_host_cells(host), *_port_cells(port))])
            yield line.text


def is_nmap_xml(head: bytes) -> bool:
    """Whether a file that begins so is nmap's XML; its first few kilobytes are enough."""
    return bool(_PROLOGUE.match(head[:65_536]))


def _host_cells(host: Host) -> tuple[str, ...]:
    return host.address, host.lladdr, " ".join(name for name, _ in host.hostnames), host.status


def _port_cells(port: Port | None) -> tuple[str, ...]:
    if port is None:
        return ("",) * 7
    service = port.service or _NO_SERVICE
    names = service.name, service.product, service.version
    return (str(port.number), port.protocol, port.state, port.reason, *names)
