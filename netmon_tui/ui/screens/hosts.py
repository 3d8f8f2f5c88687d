"""Tab 4: every address that was up in any scan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.host import KnownHost
from netmon_tui.domain.window import Window
from netmon_tui.ui.commands import command
from netmon_tui.ui.rendering import when
from netmon_tui.ui.screens.host_history import HostHistoryScreen
from netmon_tui.ui.screens.pivots import WithPivots, pivot_commands
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.pane import Pane
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.window_source import WindowSource

COLUMNS = (
    Column("address", "Address", minimum=15, priority=0),
    Column("hostname", "Name", minimum=10, priority=1),
    Column("open", "Open", width=5, align="right", priority=0),
    Column("os", "OS", minimum=10, priority=4),
    Column("lladdr", "lladdr", width=17, priority=3),
    Column("vendor", "Vendor", minimum=10, priority=2),
    Column("scans", "Scans", width=5, align="right", priority=5),
    Column("last_seen", "Seen", width=8, priority=2),
)


class HostsPane(Pane, WithPivots):
    """Hosts over all scans of the actor, each with what the latest one found."""

    HELP_TITLE = "Hosts"
    HELP_TEXT = (
        "Every address that was up in one of your scans, with what the latest scan found.\n"
        "enter opens the host in that scan; s scans it again, c captures its packets, t or H tells its history:\n"
        "when it was up, since when its ports are open, and how it was at any time.\n\n"
        "/ takes words and terms as open:443, service:http, os:linux, target:10.0.0.0/8, after:-7, !open:23.\n"
        "There ctrl+s keeps the search under a name, ctrl+o lists saved ones; ctrl+f searches ports of all scans."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        command("hosts.history", "t,H", "history", "History", "When it was up and its ports were open."),
        *pivot_commands("hosts")[:2],
    ]

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(session, id=id)
        self._source = WindowSource(self._count, self._fetch)

    def compose(self) -> ComposeResult:
        """One table."""
        empty, check = "No hosts yet. Press 1, then n to scan", self.session.services.search.check
        yield Table(COLUMNS, source=self._source, empty_text=empty, check=check, id="hosts")

    def focus_content(self) -> None:
        """Focus the table."""
        self.query_one(Table).focus()

    async def refresh_data(self) -> None:
        """Fetch the visible rows again."""
        self._source.invalidate()

    def show_address(self, address: str) -> None:
        """Show one address alone."""
        self.query_one(Table).filter_by(address)
        self.focus_content()

    def action_history(self) -> None:
        """Show when the address under the cursor was up, and its ports open."""
        if (address := self._address()) is not None:
            self.app.push_screen(HostHistoryScreen(self.session, address))

    @on(Table.Opened)
    def _open(self, event: Table.Opened) -> None:
        address, scan_id = event.key if isinstance(event.key, tuple) else ("", 0)
        self.app.push_screen(ScanDetailScreen(self.session, int(scan_id), address=str(address)))

    def _address(self) -> str | None:
        key = self.query_one(Table).cursor_key
        return str(key[0]) if isinstance(key, tuple) else None

    async def _count(self, text: str) -> int:
        return await self.session.services.scans.count_known_hosts(self.session.actor, text)

    async def _fetch(self, window: Window) -> Sequence[Row]:
        hosts = await self.session.services.scans.known_hosts(self.session.actor, window)
        return [_row(host) for host in hosts]


def _row(host: KnownHost) -> Row:
    seen = ""
    if host.last_seen:
        seen = when(datetime.fromtimestamp(host.last_seen, UTC), datetime.now(UTC))
    return Row(
        (host.address, host.last_scan),
        (
            host.address,
            host.hostname,
            str(host.open_ports or ""),
            host.os,
            host.lladdr,
            host.vendor,
            str(host.scans),
            seen,
        ),
    )
