"""A row source for lists of any length: pages of a database query or of a file index."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Protocol

from netmon_tui.domain.window import Window
from netmon_tui.ui.widgets.row_source import Listeners, Row

PAGE_ROWS = 200
"""Rows of one fetch: a few screens, a few milliseconds of SQL."""
KEPT_PAGES = 16
"""Pages kept; the least recently seen goes first."""


class Fetch(Protocol):
    """Brings the rows of a window."""

    def __call__(self, window: Window) -> Awaitable[Sequence[Row]]:
        """Return the rows, fewer at the end. What blocks belongs in a thread."""


class WindowSource:
    """Rows fetched page by page.

    After a change (``invalidate``, another order or filter) the old rows stay until the new ones are there,
    so that a live list does not flicker.

    Args:
        count: Coroutine function: filter text in, number of rows out.
        fetch: Brings a range of rows.
        page_rows: Rows of one fetch.
        kept_pages: Pages kept in memory.
    """

    def __init__(
        self,
        count: Callable[[str], Awaitable[int]],
        fetch: Fetch,
        *,
        page_rows: int = PAGE_ROWS,
        kept_pages: int = KEPT_PAGES,
    ) -> None:
        self._count_rows = count
        self._fetch = fetch
        self._page_rows = page_rows
        self._kept_pages = kept_pages
        self._count = 0
        self._counted = -1
        """Generation of the count; -1 before the first."""
        self._generation = 0
        self._pages: OrderedDict[int, tuple[int, Sequence[Row]]] = OrderedDict()
        """Page number to (generation, rows), the least recently seen first."""
        self._positions: dict[Hashable, int] | None = None
        self._sort = ""
        self._reverse = False
        self._filter = ""
        self._listeners = Listeners()

    @property
    def count(self) -> int:
        """Rows that match the filter, as far as known."""
        return self._count

    def window(self, start: int, stop: int) -> Sequence[Row | None]:
        """Return the rows of a range, None where nothing is loaded."""
        return [self._row_at(index) for index in range(start, min(stop, self._count))]

    def missing(self, start: int, stop: int) -> bool:
        """Whether a page of the range, or the count, is not loaded or outdated."""
        return self._counted != self._generation or bool(self._wanted_pages(start, stop, self._count))

    async def load(self, start: int, stop: int) -> None:
        """Fetch the pages of a range that are not there or outdated, and the count if need be."""
        generation = self._generation
        known = self._counted == generation
        count = self._count if known else await self._count_rows(self._filter)
        if generation != self._generation:
            return  # what was counted is outdated; the listeners have been told
        fetched = await self._fetch_pages(self._wanted_pages(start, stop, count))
        if generation == self._generation:
            self._keep(count, fetched)

    async def sort(self, column_key: str | None, reverse: bool) -> None:
        """Order by a column of the query."""
        self._sort, self._reverse = column_key or "", reverse
        self.invalidate()

    async def filter(self, text: str) -> None:
        """Filter by text; what that means is the query's affair."""
        if text != self._filter:
            self._filter = text
            self.invalidate()

    def position_of(self, key: Hashable) -> int | None:
        """Return where a row stands if it is in a loaded page."""
        if self._positions is None:
            self._positions = {
                row.key: page * self._page_rows + offset
                for page, (_, rows) in self._pages.items()
                for offset, row in enumerate(rows)
            }
        return self._positions.get(key)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; the returned function ends that."""
        return self._listeners.subscribe(listener)

    def invalidate(self) -> None:
        """Say that the list has changed; what is shown is fetched again, the rest when it is needed."""
        self._generation += 1
        self._listeners.tell()

    def _row_at(self, index: int) -> Row | None:
        page, offset = divmod(index, self._page_rows)
        entry = self._pages.get(page)
        if entry is None or offset >= len(entry[1]):
            return None
        self._pages.move_to_end(page)
        return entry[1][offset]

    def _wanted_pages(self, start: int, stop: int, count: int) -> list[int]:
        """Return the pages of a range that are not loaded or outdated."""
        stop = min(stop, count)
        if stop <= start:
            return []
        pages = range(max(0, start) // self._page_rows, (stop - 1) // self._page_rows + 1)
        return [page for page in pages if self._pages.get(page, (-1,))[0] != self._generation]

    async def _fetch_pages(self, wanted: Sequence[int]) -> dict[int, Sequence[Row]]:
        """Fetch whole pages, from the first to the last that is wanted, in one go."""
        if not wanted:
            return {}
        size, base = self._page_rows, wanted[0]
        limit = (wanted[-1] + 1 - base) * size
        rows = await self._fetch(Window(base * size, limit, self._sort, self._reverse, self._filter))
        pages = range(base, wanted[-1] + 1)
        return {page: rows[(page - base) * size : (page - base + 1) * size] for page in pages}

    def _keep(self, count: int, fetched: dict[int, Sequence[Row]]) -> None:
        """Take what was fetched, drop what is outdated or too much."""
        self._count, self._counted = count, self._generation
        for page, rows in fetched.items():
            self._pages[page] = (self._generation, rows)
            self._pages.move_to_end(page)
        for page in [page for page, (made, _) in self._pages.items() if made != self._generation]:
            del self._pages[page]
        while len(self._pages) > self._kept_pages:
            self._pages.popitem(last=False)
        self._positions = None
