"""The hosts of one scan as a table, beside the one under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container

from netmon_tui.domain.host import HostLine
from netmon_tui.domain.window import Window
from netmon_tui.errors import NetmonError
from netmon_tui.ui.defects import WorkerDefects
from netmon_tui.ui.rendering import ASCII_CLASS, state_style
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.host_view import HostView
from netmon_tui.ui.widgets.neighbour_words import neighbour_lines
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.window_source import WindowSource

COLUMNS = (
    Column("status", "State", width=10, priority=1),
    Column("address", "Address", minimum=15, priority=0),
    Column("hostname", "Name", minimum=8, priority=2),
    Column("open", "Open", width=5, align="right", priority=0),
    Column("vendor", "Vendor", minimum=10, priority=3),
    Column("os", "OS", minimum=10, priority=4),
)
PANES = ("hosts", "ports", "host-details")
EMPTY = "No host is up. Press a to show all"
EMPTY_RUNNING = "No host has answered yet"


class ScanHosts(WorkerDefects, Container):
    """List and host. Only the visible part of the list is ever loaded.

    Args:
        session: Services and actor.
        scan_id: The scan.
        address: Show this address alone to begin with.
    """

    DEFAULT_CSS = """
    ScanHosts { layout: horizontal; height: 1fr; }
    """

    def __init__(self, session: Session, scan_id: int, address: str = "") -> None:
        super().__init__(id="scan-hosts")
        self._session = session
        self._scan_id = scan_id
        self._address = address
        self._only_up = True
        self._keys: dict[str, tuple[str, int]] = {}
        """Address to row key, of the rows fetched last."""
        self._given_up: Collection[str] = ()
        """Addresses of which nothing more comes."""
        self._chosen: object = None
        """Row key of the host that is shown."""
        self._source = WindowSource(self._count, self._fetch)

    def compose(self) -> ComposeResult:
        """List, then host."""
        check = self._session.services.search.check
        yield Table(COLUMNS, source=self._source, empty_text=EMPTY_RUNNING, check=check, id="hosts")
        yield HostView(id="host")

    def on_mount(self) -> None:
        """Look for one address, if one is wanted."""
        if self._address:
            self.query_one("#hosts", Table).filter_by(self._address)

    @property
    def address(self) -> str:
        """Address of the host under the cursor; empty when there is none."""
        key = self.query_one("#hosts", Table).cursor_key
        return str(key[0]) if isinstance(key, tuple) else ""

    @property
    def selected_addresses(self) -> tuple[str, ...]:
        """Addresses of the selected hosts, visible or not."""
        keys = self.query_one("#hosts", Table).selected_keys
        return tuple(sorted({str(key[0]) for key in keys if isinstance(key, tuple)}))

    def focus_content(self) -> None:
        """Focus the list."""
        self.query_one("#hosts", Table).focus()

    def refresh_data(self, *, running: bool, given_up: Collection[str]) -> None:
        """Fetch the visible rows and the host again.

        Args:
            running: Whether more can come.
            given_up: Addresses that somebody gave up.
        """
        self._given_up = given_up
        self.query_one("#hosts", Table).set_texts(empty=EMPTY_RUNNING if running else EMPTY)
        self._source.invalidate()
        self._show_host()

    @property
    def host_is_done(self) -> bool:
        """Whether nothing more comes of the host that is shown."""
        host = self.query_one("#host", HostView).host
        return host is not None and not host.partial

    def show_address(self, address: str) -> None:
        """Show one address alone."""
        self.query_one("#hosts", Table).filter_by(address)
        self.focus_content()

    def show_only_focused(self, only: bool) -> None:
        """Give the focused pane all the room, or take it back."""
        for id in PANES:
            focused = (
                any(node.id == id for node in self.screen.focused.ancestors_with_self)
                if self.screen.focused
                else False
            )
            self.set_class(only and focused, f"-only-{id}")

    def toggle_all(self) -> None:
        """Show all hosts, or only those that are up."""
        self._only_up = not self._only_up
        self._source.invalidate()

    @on(Table.Highlighted, "#hosts")
    def _host_chosen(self, event: Table.Highlighted) -> None:
        event.stop()
        if event.key is None:
            self.query_one("#host", HostView).show(None)
        elif not self._follow_finished(event.key):
            self._address, self._chosen = self.address, event.key
            self._show_host()

    @on(Table.Opened, "#hosts")
    def _host_opened(self, event: Table.Opened) -> None:
        event.stop()
        self.query_one("#ports", Table).focus()

    def _follow_finished(self, key: object) -> bool:
        """Keep the cursor on a host whose live row was replaced by its final one, under a new key."""
        mine = self._keys.get(self._address)
        shown = self.query_one("#host", HostView).host
        if mine is None or mine in (key, self._chosen) or shown is None or not shown.partial:
            return False  # or somebody has gone to another row
        return self.query_one("#hosts", Table).move_to_key(mine)

    @work(exclusive=True, group="scan-host", exit_on_error=False)
    async def _show_host(self) -> None:
        key = self.query_one("#hosts", Table).cursor_key
        if not isinstance(key, tuple):
            return
        scans, actor = self._session.services.scans, self._session.actor
        try:
            host = await scans.host(actor, self._scan_id, int(key[1]))
        except NetmonError:
            return  # its live row was replaced by its final one, or the list will say what is wrong
        view = self.query_one("#host", HostView)
        view.show(host, given_up=host.address in self._given_up)
        facts = await self._session.services.segment.pivots.of_host(actor, host.address)
        if view.host == host:
            view.show_neighbour(neighbour_lines(facts, host.lladdr))
        if view.lacks_since and host.status == "up":
            history = await self._session.services.history.of(actor, host.address)
            since = await asyncio.to_thread(history.open_since, self._scan_id)
            if view.host == host:
                view.show_since(since)

    async def _count(self, text: str) -> int:
        scans, actor = self._session.services.scans, self._session.actor
        return await scans.count_hosts(actor, self._scan_id, text, up_only=self._only_up)

    async def _fetch(self, window: Window) -> Sequence[Row]:
        lines = await self._session.services.scans.hosts(
            self._session.actor,
            self._scan_id,
            window,
            up_only=self._only_up,
        )
        self._keys = {line.address: (line.address, line.ordinal) for line in lines}
        ascii_only = self.app.has_class(ASCII_CLASS)
        return [_row(line, ascii_only, self._given_up) for line in lines]


def _row(line: HostLine, ascii_only: bool, given_up: Collection[str]) -> Row:
    unfinished = "given up" if line.timed_out or line.address in given_up else "partial"
    look = state_style(unfinished if line.partial or line.timed_out else line.status)
    return Row(
        (line.address, line.ordinal),
        (
            Cell(look.label(ascii_only), look.tone),
            line.address,
            line.hostname,
            str(line.open_ports or ""),
            line.vendor,
            line.os,
        ),
    )
