"""Every link-layer address that one address had."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult

from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

_MOST_LINES = 12
COLUMNS = (
    Column("lladdr", "lladdr", width=17, priority=0),
    Column("first", "First seen", width=19, priority=0),
    Column("last", "Last seen", width=19, priority=0),
)


class History(Dialog[bool]):
    """A list to read.

    Args:
        address: Whose history.
        rows: (lladdr, first seen, last seen), latest first.
    """

    def __init__(self, address: str, rows: Sequence[tuple[str, datetime, datetime]]) -> None:
        super().__init__()
        self._address = address
        self._rows = rows

    def compose(self) -> ComposeResult:
        """The list."""
        rows = [Row(lladdr, (lladdr, _moment(first), _moment(last))) for lladdr, first, last in self._rows]
        source = MemorySource([column.key for column in COLUMNS], rows)
        with self.box(f"History of {self._address}", id="history-box") as box:
            box.border_subtitle = content("esc closes")
            yield Table(COLUMNS, source=source, empty_text="It was never resolved", id="history")

    def on_mount(self) -> None:
        """As high as the list, within reason; focus it."""
        table = self.query_one(Table)
        table.styles.height = min(_MOST_LINES, max(3, len(self._rows) + 1))
        table.focus()


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
