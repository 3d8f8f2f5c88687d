"""The body of a table with its keys and its mouse."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from textual import events
from textual.binding import Binding
from textual.geometry import clamp

from netmon_tui.domain.address import parse_ip
from netmon_tui.ui.clipboard import copy
from netmon_tui.ui.widgets.row_source import Cell, Row, cell_text
from netmon_tui.ui.widgets.table_body import TableBody
from netmon_tui.ui.widgets.table_messages import ChooseColumns, LastAsked, Opened, SelectionChanged, SortAsked
from netmon_tui.ui.widgets.table_window import HEADER


class TableGrid(TableBody, can_focus=True):
    """What has the focus in a table: moves the cursor, selects and opens rows."""

    ALLOW_SELECT = False
    HELP = (
        "Arrows or `hjkl` move, `enter` opens, `space` selects, `/` filters, `o` sorts, `C` chooses columns."
    )
    COMPONENT_CLASSES = {
        "table--header",
        "table--cursor",
        "table--selected",
        "table--changed",
        "table--placeholder",
        "table--empty",
        "table--success",
        "table--warning",
        "table--error",
        "table--accent",
        "table--muted",
        "table--strong",
    }
    DEFAULT_CSS = """
    TableGrid {
        height: 1fr;
        overflow: hidden scroll;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS = [
        Binding("down,j", "move(1)", "Down", id="table.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="table.up", show=False),
        Binding("left,h", "column(-1)", "Column left", id="table.left", show=False),
        Binding("right,l", "column(1)", "Column right", id="table.right", show=False),
        Binding("pagedown", "page(1)", "Page down", id="table.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="table.page_up", show=False),
        Binding("home,g", "edge(False)", "First row", id="table.first", show=False),
        Binding("end,G", "edge(True)", "Last row", id="table.last", show=False),
        Binding("enter", "open", "Open", id="table.open", tooltip="Open this row."),
        Binding(
            "space",
            "select",
            "Select",
            id="table.select",
            tooltip="Select this row, or no longer.",
            show=False,
        ),
        Binding(
            "o",
            "sort_next",
            "Sort",
            id="table.sort",
            tooltip="Sort by this column, then by the next.",
            show=False,
        ),
        Binding(
            "O",
            "sort_reverse",
            "Reverse",
            id="table.sort_reverse",
            tooltip="Turn the order round.",
            show=False,
        ),
        Binding(
            "C", "choose_columns", "Columns", id="table.columns", tooltip="Choose the columns.", show=False
        ),
        Binding(
            "y",
            "copy_cell",
            "Copy",
            id="table.copy_cell",
            tooltip="Copy this cell to your clipboard (OSC 52).",
        ),
        Binding("Y", "copy_row", "Copy row", id="table.copy_row", tooltip="Copy the whole row.", show=False),
    ]

    sorts = True
    """Whether the source can be ordered."""

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor; None when there is none or it is not loaded."""
        return self.row_at(self.cursor)

    @property
    def cursor_cell(self) -> str | Cell:
        """The cell under row and column cursor; empty when there is none."""
        row = self.cursor_row
        return row.cells[self.slots[self.column].index] if row and self.column < len(self.slots) else ""

    @property
    def cursor_address(self) -> str:
        """The IP address that is meant: that of the cell under the cursors, or else the first of its row."""
        row = self.cursor_row
        texts = (cell_text(cell).strip() for cell in (self.cursor_cell, *(row.cells if row else ())))
        return next((text for text in texts if parse_ip(text)), "")

    def select(self, keys: Iterable[Hashable]) -> None:
        """Select exactly these rows."""
        self.selected = frozenset(keys)
        self.repaint_changed()
        self.post_message(SelectionChanged(self.owner, self.selected))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no order where there is only one."""
        return self.sorts or action not in {"sort_next", "sort_reverse"}

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.put_cursor(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move cursor and window by screens."""
        step = pages * self.page
        self.put_cursor(self.cursor + step, self.top + step)

    def action_edge(self, last: bool) -> None:
        """Move the cursor to the first or the last row."""
        self.put_cursor(self.source.count - 1 if last else 0)
        if last:
            self.post_message(LastAsked(self.owner))

    def action_column(self, columns: int) -> None:
        """Move the column cursor, which says what is copied and sorted by."""
        self.column = clamp(self.column + columns, 0, max(0, len(self.slots) - 1))
        self.repaint_changed()

    def action_open(self) -> None:
        """Open the row under the cursor."""
        row = self.cursor_row
        if row is not None:
            self.post_message(Opened(self.owner, row.key))

    def action_select(self) -> None:
        """Select the row under the cursor, or no longer."""
        row = self.cursor_row
        if row is not None:
            self.select(self.selected ^ {row.key})

    def action_sort_next(self) -> None:
        """Sort by the column under the column cursor, or by the next one when that is sorted already."""
        if self.slots:
            if self.slots[self.column].column.key == self.sort[0]:
                self.column = (self.column + 1) % len(self.slots)
            self.post_message(SortAsked(self.owner, self.slots[self.column].column.key, False))

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        if self.slots:
            self._ask_sort(self.sort[0] or self.slots[self.column].column.key)

    def action_choose_columns(self) -> None:
        """Ask the screen for its dialog."""
        self.post_message(ChooseColumns(self.owner))

    def action_copy_cell(self) -> None:
        """Copy the cell under both cursors, without what would hurt where it is pasted."""
        copy(self, cell_text(self.cursor_cell))

    def action_copy_row(self) -> None:
        """Copy all cells of the row, hidden ones too, with tabs between them."""
        row = self.cursor_row
        copy(self, *(map(cell_text, row.cells) if row else ()))

    def on_click(self, event: events.Click) -> None:
        """Sort by the title, or move to the row, that was clicked; open it on a double click."""
        place = event.get_content_offset(self)
        if place is None or not self.slots:
            return
        number = max((i for i, slot in enumerate(self.slots) if slot.x <= place.x), default=0)
        index = self.top + place.y - HEADER
        if place.y < HEADER and self.sorts:
            self._ask_sort(self.slots[number].column.key)
        elif place.y >= HEADER and index < self.source.count:
            self.column = number
            self.put_cursor(index)
            if event.chain == 2:
                self.action_open()

    def _ask_sort(self, column_key: str) -> None:
        """Ask for a column's order, or its reverse when it is sorted by it already."""
        sorted_by, reverse = self.sort
        self.post_message(SortAsked(self.owner, column_key, sorted_by == column_key and not reverse))
