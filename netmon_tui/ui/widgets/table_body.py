"""The scrolling body of a table without its keys: a window on a source, repainted where it changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from rich.style import Style
from textual import events
from textual.geometry import Region, Size, clamp
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import Worker

from netmon_tui.errors import NetmonError
from netmon_tui.ui.rendering import ASCII_CLASS
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row, RowSource
from netmon_tui.ui.widgets.table_columns import ColumnChoice, Slot
from netmon_tui.ui.widgets.table_messages import Highlighted
from netmon_tui.ui.widgets.table_painter import LinePainter, Mark

HEADER = 1
"""Lines above the rows."""
_LOAD_GROUP = "table-load"


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


class TableBody(ScrollView):
    """Paints the part of a source that is on the screen, and repaints only what changed.

    Every cause of change (key, scroll, source, size) ends in :meth:`sync`, which compares what each line
    should show with what it shows.

    Args:
        owner: The table, named as ``control`` in messages.
        columns: Which columns are shown.
    """

    def __init__(self, owner: Widget, columns: ColumnChoice) -> None:
        super().__init__()
        self.owner = owner
        self.columns = columns
        self.source: RowSource = MemorySource([column.key for column in columns.columns])
        self.cursor = 0
        """Index of the row under the cursor; 0 also when there is none."""
        self.cursor_key: Hashable | None = None
        self.column = 0
        """Index of the visible column under the column cursor."""
        self.selected: frozenset[Hashable] = frozenset()
        self.sort: tuple[str | None, bool] = (None, False)
        """Column key and whether descending, as the header shows it."""
        self.empty_text = ""
        self.error_text = ""
        self.follow = False
        """Whether a cursor on the last row moves on to new last rows."""
        self._load_error = ""
        self._flashing: frozenset[Hashable] = frozenset()
        self._announced: Hashable | None = None
        self._count = 0
        """Rows of the source at the last sync."""
        self._start = 0
        """Index of the first row of ``_rows``."""
        self._rows: Sequence[Row | None] = ()
        self._painted: dict[int, Line] = {}
        self._syncing = False
        self._loader: Worker[None] | None = None
        self._load_again = False
        self._thumb: tuple[int, ...] = ()
        self._painter = LinePainter(self._look)
        self._unsubscribe: Callable[[], None] = self.source.subscribe(self.sync)

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.size.height - HEADER)

    @property
    def line_width(self) -> int:
        """Cells of a line, without the scrollbar."""
        return max(1, self.size.width - self.scrollbar_size_vertical)

    @property
    def top(self) -> int:
        """Index of the first visible row."""
        return self.scroll_offset.y

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The visible columns and their places."""
        return self._painter.slots

    def row_at(self, index: int) -> Row | None:
        """Return the row at an index; None when there is none or it is not loaded."""
        if not 0 <= index < self.source.count:
            return None
        if self._start <= index < self._start + len(self._rows):
            return self._rows[index - self._start]
        found = self.source.window(index, index + 1)
        return found[0] if found else None

    def attach(self, source: RowSource) -> None:
        """Show another source from its first row on."""
        self._unsubscribe()
        if self._loader is not None:
            self._loader.cancel()
            self._loader = None
        self.source = source
        self._unsubscribe = source.subscribe(self.sync)
        self.cursor, self.cursor_key, self.selected = 0, None, frozenset()
        self._rows, self._count, self._load_error = (), 0, ""
        if self.size:
            self.scroll_to(y=0, animate=False, force=True)
        self.sync()

    def sync(self) -> None:
        """Bring size, cursor, window and screen in line with the source; load what is missing."""
        if self._syncing or not self.size:
            return
        self._syncing = True
        try:
            self._fit_rows()
            self._place_cursor()
        finally:
            self._syncing = False
        self._start, stop = self.top, self.top + self.page
        self._rows = self.source.window(self._start, stop) or ()
        if self.source.missing(max(0, self._start - self.page), stop + self.page):
            self._begin_load()
        self._announce()
        self.repaint_changed()

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
        """Repaint the lines, and of rows only the cells, that no longer show what they should."""
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

    def reveal_cursor(self) -> None:
        """Scroll no further than needed to show the cursor."""
        top = clamp(self.top, self.cursor - self.page + 1, self.cursor)
        if top != self.top:
            self.scroll_to(y=top, animate=False, force=True)

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
            failed = line.text in (self.error_text, self._load_error)
            return self._painter.notice(line.text, y - HEADER, self.page, "error" if failed else "")
        return self._painter.placeholder() if line.kind == "wait" else self._painter.blank()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint what differs, instead of everything as the base class does."""
        self._move_thumb()
        if round(old_value) != round(new_value):
            self.sync()

    def notify_style_update(self) -> None:
        """Forget colours when the theme or a pseudo class changed."""
        super().notify_style_update()
        self._painter.forget()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the columns, keep the cursor in sight."""
        self.relayout()
        self.sync()
        self.reveal_cursor()

    def on_unmount(self) -> None:
        """Let go of the source, which may live longer."""
        self._unsubscribe()
        self._unsubscribe = lambda: None

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
        if self.error_text or self._load_error:
            return self.error_text or self._load_error
        if self.source.count:
            return None
        return "Loading" if self._loader is not None and self._loader.is_running else self.empty_text

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

    def _fit_rows(self) -> None:
        """Give the scrollbar the number of rows, without the layout that a plain assignment would cause."""
        wanted = Size(self.line_width, self.source.count + HEADER)
        if wanted != self.virtual_size:
            self.set_reactive(Widget.virtual_size, wanted)
            self.scroll_y = self.validate_scroll_y(self.scroll_y)
            self._move_thumb()

    def _place_cursor(self) -> None:
        """Keep the cursor on its row, and that row on its line, wherever the row went."""
        before, self._count = self._count, self.source.count
        last = max(0, self._count - 1)
        if self.follow and 0 < before < self._count and self.cursor == before - 1:
            self.cursor, self.cursor_key = last, None
            self.reveal_cursor()
            return
        key = self.cursor_key
        place = None if key is None else self.source.position_of(key)
        if place is not None and place != self.cursor:
            top = self.top + place - self.cursor
            self.cursor = place
            if self.top or place >= self.page:
                self.scroll_to(y=clamp(top, 0, max(0, self._count - self.page)), animate=False, force=True)
        elif place is None and not self.source.missing(self.cursor, self.cursor + 1):
            self.cursor_key = None
        self.cursor = clamp(self.cursor, 0, last)

    def _announce(self) -> None:
        """Say it when another row is under the cursor."""
        row = self.row_at(self.cursor)
        if row is not None:
            self.cursor_key = row.key
        elif not self.source.count:
            self.cursor_key = None
        if self.cursor_key != self._announced:
            self._announced = self.cursor_key
            self.post_message(Highlighted(self.owner, self.cursor_key))

    def _begin_load(self) -> None:
        """Load in the background; one load at a time, which looks again when asked meanwhile."""
        self._load_again = True
        if self._loader is None or self._loader.is_finished:
            self._loader = self.run_worker(self._load(self.source), group=_LOAD_GROUP, exit_on_error=True)

    async def _load(self, source: RowSource) -> None:
        """Load around the visible rows until nothing is missing there."""
        try:
            while self._load_again:
                self._load_again = False
                top = self.top
                await source.load(max(0, top - self.page), top + 2 * self.page)
                self._load_error = ""
                self.sync()
        except NetmonError as error:
            self._load_error = str(error)
        self.call_next(self.repaint_changed)

    def _end_flash(self, keys: frozenset[Hashable]) -> None:
        self._flashing -= keys
        self.repaint_changed()

    def _move_thumb(self) -> None:
        """Move the scrollbar only when it would look different: an eighth of a cell is its grain."""
        if not self.show_vertical_scrollbar:
            return
        height, total = max(1, self.container_size.height), max(1, self.virtual_size.height)
        thumb = (height, round(8 * height * height / total), round(8 * height * self.scroll_y / total))
        if thumb != self._thumb:
            self._thumb = thumb
            bar = self.vertical_scrollbar
            bar.window_virtual_size, bar.window_size, bar.position = total, height, self.scroll_y

    def _look(self, name: str, partial: bool) -> Style:
        """Return the style of a component class, or of the table itself."""
        return self.get_component_rich_style(name, partial=partial) if name else self.rich_style
