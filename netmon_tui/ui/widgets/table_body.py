"""The scrolling body of a table without its keys: paints lines, and again only where they changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from rich.style import Style
from textual import events
from textual.geometry import Region, clamp
from textual.strip import Strip
from textual.widget import Widget

from netmon_tui.ui.rendering import ASCII_CLASS
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table_columns import ColumnChoice, Slot
from netmon_tui.ui.widgets.table_painter import LinePainter, Mark
from netmon_tui.ui.widgets.table_window import HEADER, TableWindow


class Line(NamedTuple):
    """All that decides how a line looks; equal lines are not painted again."""

    kind: str
    """``header``, ``row``, ``wait`` (not loaded), ``notice`` or ``blank``."""
    row: Row | None = None
    marks: Mark = Mark.NONE
    column: int = -1
    """Slot under the column cursor, -1 for none."""
    text: str = ""
    """The text of a notice."""
    sort: tuple[str | None, bool] = (None, False)


class TableBody(TableWindow):
    """Compares what each line of the screen should show with what it shows, and repaints what differs.

    Args:
        owner: The table, named as ``control`` in messages.
        columns: Which columns are shown.
    """

    def __init__(self, owner: Widget, columns: ColumnChoice) -> None:
        super().__init__(owner, MemorySource([column.key for column in columns.columns]))
        self.columns = columns
        self.column = 0
        """Index of the visible column under the column cursor."""
        self.sort: tuple[str | None, bool] = (None, False)
        """Column key and whether descending, as the header shows it."""
        self.empty_text = ""
        self.error_text = ""
        self._flashing: frozenset[Hashable] = frozenset()
        self._painted: dict[int, Line] = {}
        """What each line of the screen shows, or is about to."""
        self._painter = LinePainter(self._look)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The visible columns and their places."""
        return self._painter.slots

    def relayout(self) -> None:
        """Fit the columns anew."""
        slots, width = self.columns.fit(self.line_width), self.line_width
        ascii_only = self.app.has_class(ASCII_CLASS)
        if (slots, width, ascii_only) != (self.slots, self._painter.width, self._painter.ascii_only):
            self._painter.arrange(slots, width, ascii_only)
            self.column = clamp(self.column, 0, max(0, len(slots) - 1))
            self._painted.clear()
            self.refresh()

    def repaint_changed(self) -> None:
        """Repaint the lines that no longer show what they should, rows only where their cells differ."""
        regions: list[Region] = []
        for y in range(self.size.height):
            old, new = self._painted.get(y), self._line(y)
            if old != new:
                x, width = self._changed_span(old, new)
                self._painted[y] = new
                if width:
                    regions.append(Region(x, y, width, 1))
        if regions:
            self.refresh(*regions)

    def flash(self, keys: Iterable[Hashable], seconds: float) -> None:
        """Mark rows as changed for some seconds."""
        fresh = frozenset(keys) - self._flashing
        if fresh:
            self._flashing |= fresh
            self.set_timer(seconds, lambda: self._end_flash(fresh))
            self.repaint_changed()

    def render_line(self, y: int) -> Strip:
        """Paint one line of the screen."""
        if self._painter.width != self.line_width:
            self.relayout()  # the first paint comes before the first resize event
        line = self._painted[y] = self._line(y)
        if line.kind == "row" and line.row is not None:
            return self._painter.row(line.row, line.marks, line.column)
        if line.kind == "header":
            return self._painter.header(*line.sort, line.column)
        if line.kind == "notice":
            failed = line.text in (self.error_text, self.load_error)
            return self._painter.notice(line.text, y - HEADER, self.page, "error" if failed else "")
        return self._painter.placeholder() if line.kind == "wait" else self._painter.blank()

    def notify_style_update(self) -> None:
        """Forget colours when the theme or a pseudo class changed."""
        super().notify_style_update()
        self._painter.forget()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the columns, keep the cursor in sight."""
        self.relayout()
        self.sync()
        self.reveal_cursor()

    def _line(self, y: int) -> Line:
        """Return what a line of the screen should show."""
        lit = self.column if self.has_focus else -1
        if y < HEADER:
            return Line("header", column=lit, sort=self.sort)
        notice = self._notice()
        if notice is not None:
            return Line("notice", text=notice)
        index = self.top + y - HEADER
        if index >= self.source.count:
            return Line("blank")
        row = self.row_at(index)
        if row is None:
            return Line("wait")
        marks = Mark.CURSOR if index == self.cursor else Mark.NONE
        if row.key in self.selected:
            marks |= Mark.SELECTED
        if row.key in self._flashing:
            marks |= Mark.CHANGED
        return Line("row", row, marks, lit if marks & Mark.CURSOR else -1)

    def _notice(self) -> str | None:
        """Return what stands in place of rows: an error, or why there are none."""
        if self.error_text or self.load_error:
            return self.error_text or self.load_error
        if self.source.count:
            return None
        return "Loading" if self.is_loading else self.empty_text

    def _changed_span(self, old: Line | None, new: Line) -> tuple[int, int]:
        """Return first cell and number of cells in which two lines differ."""
        if old is None or old.row is None or new.row is None or old._replace(row=new.row) != new:
            return 0, self.line_width
        if (old.row.key, old.row.tone) != (new.row.key, new.row.tone):
            return 0, self.line_width
        before, after = old.row.cells, new.row.cells
        changed = [
            slot
            for slot in self.slots
            if before[slot.index : slot.index + 1] != after[slot.index : slot.index + 1]
        ]
        if not changed:
            return 0, 0
        return changed[0].x, changed[-1].x + changed[-1].width - changed[0].x

    def _end_flash(self, keys: frozenset[Hashable]) -> None:
        self._flashing -= keys
        self.repaint_changed()

    def _look(self, name: str, partial: bool) -> Style:
        """Return the style of a component class, or of the table itself."""
        return self.get_component_rich_style(name, partial=partial) if name else self.rich_style
