"""A scan as a report in one HTML file, to be read, printed and handed on.

The file needs nothing else and runs nothing: no script, no picture, no address that would be fetched, and a
policy that forbids a browser all of it. Foreign text is character data or a quoted attribute, always escaped.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from netmon_tui.domain.host import Host, HostLine
from netmon_tui.domain.scan import Scan
from netmon_tui.tools.scan_report_facts import (
    HOP_COLUMNS,
    HOST_COLUMNS,
    PORT_COLUMNS,
    TextGates,
    hop_cells,
    host_facts,
    port_cells,
    scan_facts,
    script_outputs,
)

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #c8ced6; --soft: #f1f3f6;
  --link: #0b57b0; --open: #176b35 }
@media (prefers-color-scheme: dark) { :root { --ink: #dde2e8; --paper: #14171b; --line: #3b424b;
  --soft: #1e2329; --link: #7db4ff; --open: #6fd38f } }
body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 15px/1.45 system-ui, sans-serif }
a { color: var(--link) }
table { border-collapse: collapse; margin: .7rem 0; width: 100% }
th, td { border: 1px solid var(--line); padding: .2rem .5rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere }
th { background: var(--soft) }
td, dd, pre { font-family: ui-monospace, monospace; font-size: .9em }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem }
dt { font-weight: 600 }
dd { margin: 0; overflow-wrap: anywhere }
pre { background: var(--soft); border: 1px solid var(--line); padding: .5rem; white-space: pre-wrap;
  overflow-wrap: anywhere }
section { border-top: 2px solid var(--line); margin-top: 2rem }
.open { color: var(--open); font-weight: 600 }
@media print { :root { --ink: #000; --paper: #fff; --line: #999; --soft: #fff; --link: #000; --open: #000 }
  body { margin: 0; max-width: none; font-size: 10pt } thead { display: table-header-group }
  tr, h2, h3 { break-inside: avoid } h2, h3 { break-after: avoid } nav { display: none } }
"""
_HEAD = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style>
"""


def scan_to_html(
    scan: Scan, lines: Iterable[HostLine], hosts: Iterable[Host], gates: TextGates, chosen: int | None = None
) -> Iterator[str]:
    """Yield the report: its head, a table of hosts, then each host that is up.

    Args:
        scan: The scan.
        lines, hosts: Its hosts, taken one at a time.
        gates: Foreign text passes them.
        chosen: How many hosts that are; None for all of the scan.
    """
    page = _Page(gates)
    title = f"Scan {scan.id}"
    yield f'{_HEAD}<title>{title}</title>\n</head>\n<body>\n<h1 id="top">{title}</h1>\n'
    yield page.facts(scan_facts(scan, chosen))
    yield f"<h2>Hosts</h2>\n<table>\n{_columns(HOST_COLUMNS)}<tbody>\n"
    for line in lines:
        yield page.host_row(line)
    yield "</tbody>\n</table>\n"
    for host in hosts:
        if host.status == "up":
            yield from page.host(host)
    yield "</body>\n</html>\n"


class _Page:
    """Writes foreign text.

    Args:
        gates: What it passes before it is escaped.
    """

    def __init__(self, gates: TextGates) -> None:
        self._gates = gates

    def text(self, text: str) -> str:
        """Return a line as character data."""
        return html.escape(self._gates.line(text))

    def anchor(self, address: str) -> str:
        """Return an attribute value that is unchanged in an address bar."""
        return html.escape(f"host-{quote(self._gates.line(address), safe=':')}")

    def facts(self, facts: Iterable[tuple[str, str]]) -> str:
        """Return a list of facts."""
        pairs = "".join(f"<dt>{label}</dt><dd>{self.text(text)}</dd>\n" for label, text in facts)
        return f"<dl>\n{pairs}</dl>\n"

    def host_row(self, line: HostLine) -> str:
        """Return a line of the table of hosts; it leads to the host when that is up."""
        address = self.text(line.address)
        if line.status == "up":
            address = f'<a href="#{self.anchor(line.address)}">{address}</a>'
        texts = line.hostname, line.status, line.lladdr, line.vendor, line.os
        cells = "".join(f"<td>{self.text(text)}</td>" for text in texts)
        return f"<tr><td>{address}</td>{cells}<td>{line.open_ports}</td></tr>\n"

    def host(self, host: Host) -> Iterator[str]:
        """Yield what is known of a host."""
        yield f'<section id="{self.anchor(host.address)}">\n<h2>{self.text(host.address)}</h2>\n'
        yield self.facts(host_facts(host))
        yield self.table(PORT_COLUMNS, port_cells(host))
        for name, output in script_outputs(host):
            yield f"<h3>{self.text(name)}</h3>\n<pre>{html.escape(self._gates.block(output))}</pre>\n"
        yield self.table(HOP_COLUMNS, hop_cells(host))
        yield '<nav><a href="#top">Up</a></nav>\n</section>\n'

    def table(self, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
        """Return a table; nothing when it has no rows."""
        lines = "".join(f"<tr>{''.join(map(self.cell, row))}</tr>\n" for row in rows)
        return f"<table>\n{_columns(columns)}<tbody>\n{lines}</tbody>\n</table>\n" if lines else ""

    def cell(self, text: str) -> str:
        """Return a cell."""
        mark = ' class="open"' if text == "open" else ""
        return f"<td{mark}>{self.text(text)}</td>"


def _columns(names: Iterable[str]) -> str:
    return f"<thead><tr>{''.join(f'<th>{name}</th>' for name in names)}</tr></thead>\n"
