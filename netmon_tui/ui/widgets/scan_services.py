"""The ports of all hosts of one scan, one row each."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from netmon_tui.domain.host import ServiceLine
from netmon_tui.domain.window import Window
from netmon_tui.ui.rendering import ASCII_CLASS, state_style
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.window_source import WindowSource

COLUMNS = (
    Column("service", "Service", minimum=10, priority=0),
    Column("address", "Address", minimum=15, priority=0),
    Column("number", "Port", width=9, priority=0),
    Column("state", "State", width=10, priority=1),
    Column("product", "Version", minimum=14, share=3, priority=2),
    Column("reason", "Reason", width=10, priority=3),
)


class ScanServices(Vertical):
    """Services across hosts.

    Args:
        session: Services and actor.
        scan_id: The scan.
    """

    def __init__(self, session: Session, scan_id: int) -> None:
        super().__init__(id="scan-services")
        self._session = session
        self._scan_id = scan_id
        self._source = WindowSource(self._count, self._fetch)

    def compose(self) -> ComposeResult:
        """One table."""
        check = self._session.services.search.check
        yield Table(COLUMNS, source=self._source, empty_text="No ports found", check=check, id="services")

    @property
    def address(self) -> str:
        """Address of the host under the cursor; empty when there is none."""
        key = self.query_one(Table).cursor_key
        return str(key[0]) if isinstance(key, tuple) else ""

    def focus_content(self) -> None:
        """Focus the table."""
        self.query_one(Table).focus()

    def refresh_data(self) -> None:
        """Fetch the visible rows again."""
        self._source.invalidate()

    async def _count(self, text: str) -> int:
        return await self._session.services.scans.count_services(self._session.actor, self._scan_id, text)

    async def _fetch(self, window: Window) -> Sequence[Row]:
        lines = await self._session.services.scans.services(self._session.actor, self._scan_id, window)
        ascii_only = self.app.has_class(ASCII_CLASS)
        return [_row(line, ascii_only) for line in lines]


def _row(line: ServiceLine, ascii_only: bool) -> Row:
    look = state_style(line.state)
    return Row(
        (line.address, line.ordinal, line.protocol, line.number),
        (
            line.service,
            line.address,
            f"{line.number}/{line.protocol}",
            Cell(look.label(ascii_only), look.tone),
            " ".join(part for part in (line.product, line.version) if part),
            line.reason,
        ),
    )
