"""The one table of the program: every list is shown by it.

Of a screen's code it needs this much::

    yield Table(COLUMNS, source=self.rows, empty_text="No scans yet. Press n", id="scans")
    ...
    @on(Table.Opened, "#scans")
    def open_scan(self, event: Table.Opened) -> None: ...
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar, Self, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input
from textual.worker import Worker

from netmon_tui.ui.widgets import table_messages
from netmon_tui.ui.widgets.row_source import Row, RowSource
from netmon_tui.ui.widgets.table_columns import Column, ColumnChoice
from netmon_tui.ui.widgets.table_filter import Check, Refusal, filter_line
from netmon_tui.ui.widgets.table_grid import TableGrid

NO_MATCH = "No row matches the filter. Press esc to show all"


class Table(Vertical):
    """Rows of a source in columns: sorted, filtered, selected, copied, of any number.

    The focus is on its grid; ``focus()`` puts it there. All text of cells passes the gate when it is painted
    or copied. Messages reach the screen as ``Table.Opened`` and so on.

    Args:
        columns: All columns; a row has one cell for each.
        source: Where the rows come from; may come later with ``set_source``.
        empty_text: Shown when there are no rows; says the next key.
        sorts: Whether the source can be ordered; otherwise the keys for that are not offered.
        check: Refuses filters that the source does not understand; None when it takes any text as words.
        id: Identifier of the widget.
    """

    Opened: TypeAlias = table_messages.Opened
    Highlighted: TypeAlias = table_messages.Highlighted
    LoadFailed: TypeAlias = table_messages.LoadFailed
    LastAsked: TypeAlias = table_messages.LastAsked
    SelectionChanged: TypeAlias = table_messages.SelectionChanged
    FilterChanged: TypeAlias = table_messages.FilterChanged
    SortChanged: TypeAlias = table_messages.SortChanged
    ChooseColumns: TypeAlias = table_messages.ChooseColumns

    hints: ClassVar[Mapping[str, str]] = {}
    """What stands in place of rows where none matches a filter that has a part in it."""
    DEFAULT_CSS = """
    Table {
        height: 1fr;
        TableFilter { display: none; height: 1; border: none; padding: 0 1; }
        &.-filtering TableFilter { display: block; }
    }
    """
    BINDINGS = [
        Binding(
            "slash",
            "filter",
            "Filter",
            id="table.filter",
            tooltip="Show only rows that contain a text; ! inverts.",
        ),
        Binding(
            "escape",
            "clear_filter",
            "Clear filter",
            id="table.clear_filter",
            tooltip="Show all rows again.",
            show=False,
        ),
    ]

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        source: RowSource | None = None,
        empty_text: str = "",
        sorts: bool = True,
        check: Check | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        """All columns."""
        self._choice = ColumnChoice(columns)
        self._empty_text = empty_text
        self._filter_text = ""
        self.grid = TableGrid(self, self._choice)
        self.grid.empty_text = empty_text
        self.grid.sorts = sorts
        self._line = filter_line(check)
        self._refusal = Refusal(check)
        self._line.can_focus = False
        if source is not None:
            self.grid.attach(source)

    def compose(self) -> ComposeResult:
        """Filter line over grid."""
        yield self._line
        yield self._refusal
        yield self.grid

    def focus(self, scroll_visible: bool = True) -> Self:
        """Focus the rows."""
        self.grid.focus(scroll_visible)
        return self

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Take other columns; the rows of the source must have their cells."""
        self.columns = tuple(columns)
        self._choice.replace(columns)
        self.grid.relayout()

    @property
    def visible_columns(self) -> tuple[str, ...]:
        """Keys of the columns that are shown at the present width."""
        return tuple(slot.column.key for slot in self.grid.slots)

    @property
    def source(self) -> RowSource:
        """Where the rows come from."""
        return self.grid.source

    @property
    def row_count(self) -> int:
        """Rows that match the filter."""
        return self.grid.source.count

    @property
    def cursor_key(self) -> Hashable | None:
        """Key of the row under the cursor; None when there is none."""
        return self.grid.cursor_key

    @property
    def cursor_row(self) -> Row | None:
        """Row under the cursor; None when there is none or it is not loaded."""
        return self.grid.cursor_row

    @property
    def selected_keys(self) -> frozenset[Hashable]:
        """Keys of the selected rows, visible or not."""
        return self.grid.selected

    @property
    def filter_text(self) -> str:
        """The filter, ``!`` included."""
        return self._filter_text

    def set_source(self, source: RowSource) -> None:
        """Show other rows, with the present order and filter, from the first on."""
        self.grid.attach(source)
        if self.grid.sort[0] is not None:
            self._arrange("table-sort", source.sort, *self.grid.sort)
        if self._filter_text:
            self._arrange("table-filter", source.filter, self._filter_text)

    def set_texts(self, *, empty: str | None = None, error: str | None = None) -> None:
        """Change what stands in place of rows: why there are none, or what went wrong ("" ends the error)."""
        if empty is not None:
            self._empty_text = empty
            self.grid.empty_text = _no_match(self.hints, self._filter_text) if self._filter_text else empty
        if error is not None:
            self.grid.error_text = error
        self.grid.repaint_changed()

    def refresh_changed(self, keys: Iterable[Hashable] | None = None, *, flash: float = 0.0) -> None:
        """Look at the source again and repaint what changed; sources of ours ask for that themselves.

        Args:
            keys: Rows to mark as changed for a while.
            flash: Seconds of that while; 0 marks nothing.
        """
        self.grid.sync()
        if keys is not None and flash > 0:
            self.grid.flash(keys, flash)

    def sort_by(self, column_key: str | None, reverse: bool = False) -> None:
        """Order by a column; None is the source's own order."""
        self.grid.sort = (column_key, reverse)
        self.grid.repaint_changed()
        self._arrange("table-sort", self.source.sort, column_key, reverse)
        self.post_message(self.SortChanged(self, column_key, reverse))

    def filter_by(self, text: str) -> None:
        """Show only rows that contain ``text``; with ``!`` in front, only the others; "" shows all.

        A text that is refused stands in the line with the reason, and the rows stay as they are.
        """
        with self._line.prevent(Input.Changed):
            self._line.value = text
        self.set_class(bool(text) or self._line.has_focus, "-filtering")
        if self._refusal.accepts(text) and text != self._filter_text:
            self._filter_text = text
            self.grid.empty_text = _no_match(self.hints, text) if text else self._empty_text
            self._arrange("table-filter", self.source.filter, text)
            self.post_message(self.FilterChanged(self, text))

    def _arrange(
        self, group: str, work: Callable[..., Coroutine[None, None, None]], *arguments: object
    ) -> Worker[None]:
        # The coroutine is made when its turn comes: the next one may cancel it before.
        return self.run_worker(partial(work, *arguments), group=group, exclusive=True)

    def toggle_column(self, key: str) -> None:
        """Hide a column that is visible, show one that is not."""
        self._choice.toggle(key, key in self.visible_columns)
        self.grid.relayout()

    def move_to_key(self, key: Hashable, *, later: bool = False) -> bool:
        """Put the cursor on a row; False when it is not there (or not loaded).

        Args:
            key: Of the row.
            later: Also as soon as it is there, unless the cursor is moved before.
        """
        position = self.source.position_of(key)
        if position is not None:
            self.grid.put_cursor(position)
        elif later:
            self.grid.wanted = key
        return position is not None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave escape to the screen when there is no filter to clear."""
        return bool(self._filter_text or self._line.value) if action == "clear_filter" else True

    def action_filter(self) -> None:
        """Open the filter line."""
        self.add_class("-filtering")
        self._line.can_focus = True  # never by tab, and not as the screen's first focus
        self._line.focus()

    def action_clear_filter(self) -> None:
        """Show all rows again."""
        self.filter_by("")

    @on(Input.Changed)
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.filter_by(event.value)

    @on(table_messages.FilterLeft)
    def _filter_left(self, event: table_messages.FilterLeft) -> None:
        event.stop()
        self.focus()
        self._line.can_focus = False
        self.set_class(bool(self._line.value), "-filtering")

    @on(table_messages.SortAsked)
    def _sort_asked(self, event: table_messages.SortAsked) -> None:
        event.stop()
        self.sort_by(event.column_key, event.reverse)


def _no_match(hints: Mapping[str, str], text: str) -> str:
    return next((told for part, told in hints.items() if part in text), NO_MATCH)
