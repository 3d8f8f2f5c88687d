"""One host of a scan: its ports as a table, and below it everything else that was found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from netmon_tui.domain.comparison import PortKey
from netmon_tui.domain.history import Interval
from netmon_tui.domain.host import Host, Port
from netmon_tui.ui.rendering import ASCII_CLASS, content, state_style, when
from netmon_tui.ui.widgets.host_words import HostText, headline, version_of
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.text_view import TextView

MOST_PORTS = 5_000
"""Ports of one host that are listed here; a host that answers on every port has 65,535."""
PORT_COLUMNS = (
    Column("number", "Port", width=9, priority=0),
    Column("state", "State", width=10, priority=0),
    Column("service", "Service", minimum=8, priority=1),
    Column("version", "Version", minimum=10, share=3, priority=2),
    Column("since", "Open since", width=18, priority=3),
    Column("reason", "Reason", width=10, priority=4),
)


class HostView(Vertical):
    """Shows one host; the text follows the port under the cursor."""

    DEFAULT_CSS = """
    HostView {
        #host-head { height: 1; }
        #ports { height: 1fr; }
        #host-details { height: 1fr; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._host: Host | None = None
        self._ports = MemorySource([column.key for column in PORT_COLUMNS])
        self._given_up = False
        self._since: Mapping[PortKey, Interval] = {}
        self._neighbour: tuple[str, ...] = ()
        self.lacks_since = False
        """Whether the host is not the one that :meth:`show_since` was last called for."""
        self._anchors: dict[tuple[str, int], int] = {}
        """(protocol, number) to the line of the details that is about it."""

    def compose(self) -> ComposeResult:
        """Headline, ports, details."""
        yield Static("", id="host-head")
        yield Table(PORT_COLUMNS, source=self._ports, empty_text="No ports", id="ports")
        yield TextView(id="host-details")

    @property
    def host(self) -> Host | None:
        """What is shown."""
        return self._host

    def show(self, host: Host | None, *, given_up: bool = False) -> None:
        """Show a host, or nothing. A host that did not change is not painted again.

        Args:
            host: Read only.
            given_up: Somebody gave it up before the scan was done with it.
        """
        if (host, given_up) == (self._host, self._given_up):
            return
        before, self._host = self._host, host
        self._given_up = given_up
        self.lacks_since = True
        is_another = before is None or host is None or before.address != host.address
        if is_another:
            self._since, self._neighbour = {}, ()
        table, details = self.query_one("#ports", Table), self.query_one("#host-details", TextView)
        self.query_one("#host-head", Static).update(content(headline(host) if host else ""), layout=False)
        self._show_ports()
        table.set_texts(empty=_why_no_ports(host, given_up))
        self._describe()
        if is_another:
            table.grid.action_edge(False)
            details.action_edge(False)

    def show_since(self, since: Mapping[PortKey, Interval]) -> None:
        """Show beside each port since when it has been open."""
        self.lacks_since = False
        if since != self._since:
            self._since = since
            self._show_ports()

    def show_neighbour(self, lines: tuple[str, ...]) -> None:
        """Show what the neighbours know of the host."""
        if lines != self._neighbour:
            self._neighbour = lines
            self._describe()

    def _describe(self) -> None:
        described = HostText(self._host, self._neighbour, given_up=self._given_up) if self._host else None
        self._anchors = described.anchors if described else {}
        self.query_one("#host-details", TextView).show(described.lines if described else [])

    def _show_ports(self) -> None:
        ports = self._host.ports[:MOST_PORTS] if self._host else ()
        ascii_only, now = self.app.has_class(ASCII_CLASS), datetime.now(UTC)
        self._ports.replace(
            _port_row(port, _since(self._since.get((port.protocol, port.number)), now), ascii_only)
            for port in ports
        )

    @on(Table.Highlighted, "#ports")
    def _port_chosen(self, event: Table.Highlighted) -> None:
        event.stop()
        if isinstance(event.key, tuple) and self.query_one("#ports", Table).grid.has_focus:
            line = self._anchors.get((str(event.key[0]), int(event.key[1])))
            if line is not None:
                self.query_one("#host-details", TextView).scroll_to_line(line)


def _since(interval: Interval | None, now: datetime) -> str | Cell:
    """Return ``Nov 3 (5 scans)``."""
    if interval is None:
        return ""
    scans = f"{interval.scans} scan{'' if interval.scans == 1 else 's'}"
    return Cell(f"{when(interval.first.time, now)} ({scans})", sort=interval.first.time.timestamp())


def _port_row(port: Port, since: str | Cell, ascii_only: bool) -> Row:
    look = state_style(port.state)
    return Row(
        (port.protocol, port.number),
        (
            Cell(f"{port.number}/{port.protocol}", sort=port.number),
            Cell(look.label(ascii_only), look.tone),
            port.service.name if port.service else "",
            version_of(port.service),
            since,
            port.reason,
        ),
    )


def _why_no_ports(host: Host | None, given_up: bool) -> str:
    """Return what stands in place of ports."""
    if host is None:
        return ""
    if host.partial:
        return "No open port was found before" if given_up else "No open port found yet"
    return "No ports listed" if host.status == "up" else f"The host is {host.status}"
