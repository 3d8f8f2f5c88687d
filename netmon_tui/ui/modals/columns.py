"""Which columns a table shows."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, SelectionList
from textual.widgets.selection_list import Selection

from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.table import Table


class Columns(Dialog[bool]):
    """A list to tick; what is ticked stays even where a narrow screen would drop it.

    Args:
        table: Whose columns; it changes at once.
    """

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table

    def compose(self) -> ComposeResult:
        """The list and a button."""
        shown = self._table.visible_columns
        with self.box("Columns", id="columns-box"):
            yield SelectionList[str](
                *(
                    Selection(content(column.title), column.key, column.key in shown)
                    for column in self._table.columns
                ),
                id="columns",
            )
            with Horizontal(classes="dialog--buttons"):
                yield Button("Close", id="close", variant="primary")

    def on_mount(self) -> None:
        """Focus the list."""
        self.query_one(SelectionList).focus()

    @on(SelectionList.SelectionToggled)
    def _toggled(self, event: SelectionList.SelectionToggled[str]) -> None:
        self._table.toggle_column(event.selection.value)

    @on(Button.Pressed)
    def _close(self) -> None:
        self.dismiss(True)
