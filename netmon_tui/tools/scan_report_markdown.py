r"""A scan as a report in Markdown (CommonMark with GitHub's tables).

Foreign text stands in code spans and fenced blocks, where neither Markdown, HTML nor an address that becomes
a link means anything. A span ends at backticks, a cell at ``|``: both are written as character references
between two spans. A fence is longer than any row of backticks in its block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

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

_BREAKS = re.compile(r"([|`]+)")
"""What a code span in a table cannot hold."""
_BACKTICKS = re.compile(r"`+")


def scan_to_markdown(
    scan: Scan, lines: Iterable[HostLine], hosts: Iterable[Host], gates: TextGates, chosen: int | None = None
) -> Iterator[str]:
    """Yield the report: its head, a table of hosts, then each host that is up with its ports.

    Args:
        scan: The scan.
        lines, hosts: Its hosts, taken one at a time.
        gates: Foreign text passes them.
        chosen: How many hosts that are; None for all of the scan.
    """
    report = _Report(gates)
    yield f"# Scan {scan.id}\n\n"
    yield report.facts(scan_facts(scan, chosen))
    yield "\n## Hosts\n\n" + _head(HOST_COLUMNS)
    for line in lines:
        cells = line.address, line.hostname, line.status, line.lladdr, line.vendor, line.os
        yield report.row((*cells, str(line.open_ports)))
    for host in hosts:
        if host.status == "up":
            yield from report.host(host)


def markdown_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], gate: Callable[[object], str]
) -> Iterator[str]:
    """Yield a table line by line; the cells pass the gate and mean nothing to Markdown."""
    report = _Report(TextGates(gate, gate))
    yield _head(titles)
    yield from map(report.row, rows)


class _Report:
    """Writes foreign text.

    Args:
        gates: What it passes first.
    """

    def __init__(self, gates: TextGates) -> None:
        self._gates = gates

    def code(self, text: str) -> str:
        """Return a text as code spans; an empty one as nothing."""
        parts = _BREAKS.split(self._gates.line(text))
        spans = map(_span, parts[::2])
        breaks = ("".join(f"&#{ord(character)};" for character in part) for part in (*parts[1::2], ""))
        return "".join(span + gap for span, gap in zip(spans, breaks, strict=True))

    def facts(self, facts: Iterable[tuple[str, str]]) -> str:
        """Return a list of facts."""
        return "".join(f"- {label}: {self.code(text)}\n" for label, text in facts)

    def row(self, cells: Iterable[str]) -> str:
        """Return a line of a table."""
        return f"| {' | '.join(map(self.code, cells))} |\n"

    def host(self, host: Host) -> Iterator[str]:
        """Yield what is known of a host."""
        yield f"\n## {self.code(host.address)}\n\n"
        yield self.facts(host_facts(host))
        for columns, rows in ((PORT_COLUMNS, port_cells(host)), (HOP_COLUMNS, hop_cells(host))):
            table = "".join(map(self.row, rows))
            if table:
                yield f"\n{_head(columns)}{table}"
        for name, output in script_outputs(host):
            yield f"\n### {self.code(name)}\n\n{self.block(output)}"

    def block(self, text: str) -> str:
        """Return lines as a fenced block."""
        safe = self._gates.block(text)
        fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(safe)), default=0))
        return f"{fence}\n{safe}\n{fence}\n"


def _span(text: str) -> str:
    """Return a code span; a reader takes one space from both ends when both have one."""
    padding = " " if text.startswith(" ") and text.endswith(" ") and text.strip() else ""
    return f"`{padding}{text}{padding}`" if text else ""


def _head(columns: Sequence[str]) -> str:
    return f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n"
