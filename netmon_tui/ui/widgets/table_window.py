"""The part of a source that a table shows: scroll position, cursor, loading. Paints nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from textual.geometry import Size, clamp
from textual.scroll_view import ScrollView
from textual.widget import Widget
from textual.worker import Worker

from netmon_tui.errors import NetmonError
from netmon_tui.ui.widgets.pace import PacedScreen
from netmon_tui.ui.widgets.row_source import Row, RowSource
from netmon_tui.ui.widgets.table_messages import Highlighted, LoadFailed

PATIENCE_SECONDS = 0.05
"""For so long rows that come into sight are waited for."""
HEADER = 1
"""Lines above the rows."""


class TableWindow(ScrollView):
    """Follows a source: every cause of change (key, scroll, source, size) ends in :meth:`sync`.

    Args:
        owner: The table, named as ``control`` in messages.
        source: Where the rows come from.
    """

    def __init__(self, owner: Widget, source: RowSource) -> None:
        super().__init__()
        self.owner = owner
        self.source = source
        self.cursor = 0
        """Index of the row under the cursor; 0 also when there is none."""
        self.cursor_key: Hashable | None = None
        self.wanted: Hashable | None = None
        """Key of the row that the cursor goes to once it is loaded."""
        self.selected: frozenset[Hashable] = frozenset()
        self.follow = False
        """Whether a cursor on the last row moves on to new last rows; until it is put on another row."""
        self.load_error = ""
        """Why the last load failed."""
        self._announced: Hashable | None = None
        self._count = 0
        """Rows of the source at the last sync."""
        self._start = 0
        """Index of the first row of ``_rows``."""
        self._rows: Sequence[Row | None] = ()
        self._syncing = False
        self._loader: Worker[None] | None = None
        self._load_again = False
        self._thumb: tuple[int, ...] = ()
        self._unsubscribe: Callable[[], None] = source.subscribe(self.sync)

    def repaint_changed(self) -> None:
        """Repaint what no longer shows what it should."""
        raise NotImplementedError

    @property
    def is_loading(self) -> bool:
        """Whether rows are on their way."""
        return self._loader is not None and self._loader.is_running

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
        self._rows, self._count, self.load_error = (), 0, ""
        if self.size:
            with self._quiet():
                self._scroll_top(0)
        self.sync()

    def sync(self) -> None:
        """Bring size, cursor, window and screen in line with the source; load what is missing."""
        if self._syncing or not self.size:
            return
        with self._quiet():
            self._fit_rows()
            self._place_cursor()
        self._start, stop = self.top, self.top + self.page
        self._rows = self.source.window(self._start, stop) or ()
        if self.source.missing(max(0, self._start - self.page), stop + self.page):
            self._begin_load(holds=None in self._rows)
        self._announce()
        self.repaint_changed()

    def put_cursor(self, index: int, top: int | None = None) -> None:
        """Put the cursor on a row, as near as there is one, scroll to it, and paint once.

        Args:
            index: Of the row; held inside the list.
            top: Index of the row that should be the first visible one, if that keeps the cursor in sight.
        """
        self.wanted = None
        last = max(0, self.source.count - 1)
        self.cursor = clamp(index, 0, last)
        self.follow = self.follow and self.cursor == last
        row = self.row_at(self.cursor)
        self.cursor_key = row.key if row else None
        with self._quiet():
            if top is not None:
                self._scroll_top(top)
            self.reveal_cursor()
        self.sync()

    def reveal_cursor(self) -> None:
        """Scroll no further than needed to show the cursor."""
        top = clamp(self.top, self.cursor - self.page + 1, self.cursor)
        if top != self.top:
            self._scroll_top(top)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint what differs, instead of everything as the base class does."""
        self._move_thumb()
        if round(old_value) != round(new_value):
            self.sync()

    def on_unmount(self) -> None:
        """Let go of the source, which may live longer."""
        self._unsubscribe()
        self._unsubscribe = lambda: None

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Scroll without a sync for each step; the caller makes one afterwards."""
        outer, self._syncing = self._syncing, True
        try:
            yield
        finally:
            self._syncing = outer

    def _scroll_top(self, index: int) -> None:
        """Make a row the first visible one, as far as the list reaches."""
        self.scroll_to(y=clamp(index, 0, max(0, self.source.count - self.page)), animate=False, force=True)

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
        asked = None if self.wanted is None else self.source.position_of(self.wanted)
        if asked is not None:
            self.cursor, self.cursor_key, self.wanted = asked, self.wanted, None
            self.reveal_cursor()
            return
        last = max(0, self._count - 1)
        if self.follow and before < self._count and self.cursor == max(0, before - 1):
            self.cursor, self.cursor_key = last, None
            self.reveal_cursor()
            return
        key = self.cursor_key
        place = None if key is None else self.source.position_of(key)
        if place is not None and place != self.cursor:
            top = self.top + place - self.cursor
            self.cursor = place
            if self.top or place >= self.page:
                self._scroll_top(top)
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

    def _begin_load(self, *, holds: bool) -> None:
        """Load in the background; one load at a time, which looks again when asked meanwhile.

        Args:
            holds: Whether the screen waits a moment for rows in sight, before it shows that they are not there.
        """
        self._load_again = True
        if holds and not self.is_loading and isinstance(self.screen, PacedScreen):
            self.screen.hold_paint(self, PATIENCE_SECONDS)
        if self._loader is None or self._loader.is_finished:
            self._loader = self.run_worker(partial(self._load, self.source), group="table-load")

    async def _load(self, source: RowSource) -> None:
        """Load around the visible rows until nothing is missing there."""
        try:
            while self._load_again:
                self._load_again = False
                top = self.top
                await source.load(max(0, top - self.page), top + 2 * self.page)
                self.load_error = ""
                self.sync()
                if isinstance(self.screen, PacedScreen):
                    await self.screen.paint_held(self)
        except NetmonError as error:
            self.load_error = str(error)
            self.post_message(LoadFailed(self.owner))
        self.call_next(self.repaint_changed)

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
