"""Which columns a table shows."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Checkbox

from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.tick import Tick


class Columns(Dialog[bool]):
    """Boxes to tick; a column that is ticked stays even where a narrow screen would drop it.

    Args:
        table: Whose columns; it changes at once.
    """

    BINDINGS = [
        Binding("down,j", "app.focus_next", "Next", show=False),
        Binding("up,k", "app.focus_previous", "Previous", show=False),
    ]

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table

    def compose(self) -> ComposeResult:
        """A box a column."""
        shown = self._table.visible_columns
        with self.box("Columns", id="columns-box") as box, VerticalScroll(id="columns", can_focus=False):
            box.border_subtitle = content("space changes, esc closes")
            for column in self._table.columns:
                yield Tick(content(column.title), column.key in shown, name=column.key, compact=True)

    @on(Checkbox.Changed)
    def _changed(self, event: Checkbox.Changed) -> None:
        if (event.checkbox.name in self._table.visible_columns) != event.value:
            self._table.toggle_column(event.checkbox.name or "")
