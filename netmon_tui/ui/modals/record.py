"""One row in full, for what a narrow table cuts off."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widgets import Static

from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content, content_block
from netmon_tui.ui.widgets.row_source import Row, cell_text
from netmon_tui.ui.widgets.table_columns import Column


class Record(Dialog[bool]):
    """A row as lines of title and text.

    Args:
        title: What it is.
        columns: The table's.
        row: The row.
    """

    def __init__(self, title: str, columns: Sequence[Column], row: Row) -> None:
        super().__init__()
        self._title = title
        self._columns = columns
        self._row = row

    def compose(self) -> ComposeResult:
        """The lines that say something."""
        width = max(len(column.title) for column in self._columns)
        lines = [
            f"{column.title:<{width}}  {cell_text(cell)}"
            for column, cell in zip(self._columns, self._row.cells, strict=True)
            if cell_text(cell)
        ]
        with self.box(self._title, id="record-box") as box:
            box.border_subtitle = content("esc closes")
            box.can_focus = True
            yield Static(content_block("\n".join(lines)), id="record")

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query_one("#record-box").focus()
