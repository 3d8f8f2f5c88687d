"""One neighbour: what the kernel says of it, every lladdr that it had, and the scans that found it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from netmon_tui.domain.neighbour import NeighbourRecord
from netmon_tui.domain.neighbour_facts import ScanOfHost
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content, content_block, seen_last
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.neighbour_details import neighbour_text
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

_MOST_LINES = 12
_MOST_SCANS = 7
_FORM = "%Y-%m-%d %H:%M:%S"
COLUMNS = (
    Column("lladdr", "lladdr", width=17, priority=0),
    Column("first", "First seen", width=19, priority=0),
    Column("last", "Last seen", width=19, priority=0),
)
SCAN_COLUMNS = (
    Column("scan", "Scan", width=6, align="right", priority=0),
    Column("address", "Address", minimum=15, priority=0, share=2),
    Column("time", "Found", width=19, priority=0),
    Column("open", "Open", width=5, align="right", priority=1),
    Column("name", "Name", minimum=8, priority=2, share=1),
)


class History(Dialog[ScanOfHost]):
    """Two lists to read; gives the scan that is to be opened.

    Args:
        address: Whose history.
        rows: (lladdr, first seen, last seen), latest first.
        lladdr: The present one.
        scans: Those that found it at other addresses, latest first.
        record: The entry as it is now; None when it has just gone.
    """

    def __init__(
        self,
        address: str,
        rows: Sequence[tuple[str, datetime, datetime]],
        lladdr: str,
        scans: Sequence[ScanOfHost],
        record: NeighbourRecord | None = None,
    ) -> None:
        super().__init__()
        self._record = record
        self._address = address
        self._rows = rows
        self._lladdr = lladdr
        self._scans = scans

    def compose(self) -> ComposeResult:
        """The lists."""
        now = datetime.now(UTC)
        rows = [
            Row((lladdr, number), (lladdr, _moment(first), seen_last(last, now, _FORM)))
            for number, (lladdr, first, last) in enumerate(self._rows)
        ]
        source = MemorySource([column.key for column in COLUMNS], rows)
        with self.box(f"History of {self._address}", id="history-box") as box:
            box.border_subtitle = content("esc closes")
            yield Static(content_block(neighbour_text(self._record)), id="history-entry")
            yield Table(COLUMNS, source=source, empty_text="It was never resolved", id="history")
            if self._scans:
                box.border_subtitle = content("tab goes on, enter opens a scan, esc closes")
                yield Static(content(f"Scans found {self._lladdr} at other addresses:"), id="history-moved")
                found = MemorySource([column.key for column in SCAN_COLUMNS], map(_scan_row, self._scans))
                yield Table(SCAN_COLUMNS, source=found, empty_text="", id="history-scans")

    def on_mount(self) -> None:
        """As high as the lists, within reason; focus the first."""
        table = self.query_one("#history", Table)
        most = _MOST_LINES if not self._scans else _MOST_SCANS
        table.styles.height = min(most, max(3, len(self._rows) + 1))
        for scans in self.query("#history-scans"):
            scans.styles.height = min(_MOST_SCANS, max(3, len(self._scans) + 1))
        table.focus()

    @on(Table.Opened, "#history-scans")
    def _opened(self, event: Table.Opened) -> None:
        self.dismiss(next(one for one in self._scans if (one.scan_id, one.address) == event.key))


def _scan_row(one: ScanOfHost) -> Row:
    return Row(
        (one.scan_id, one.address),
        (
            Cell(str(one.scan_id), sort=one.scan_id),
            one.address,
            _moment(one.time),
            str(one.open_ports or ""),
            one.name,
        ),
    )


def _moment(moment: datetime) -> str:
    return moment.astimezone().strftime(_FORM)
