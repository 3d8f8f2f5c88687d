"""A row source for lists that fit in memory: neighbours, jobs, hosts of one scan."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence

from netmon_tui.ui.widgets.row_source import Listeners, Row, SortKey, matches, sort_key

_FEW = 1_000
"""Rows up to which each finds its own place in the order; more are sorted in all over again."""


class MemorySource:
    """Rows by key, in the order given, sorted and filtered here.

    Sort keys and filter answers are remembered per row, so that a tick with few changes costs little.

    Args:
        column_keys: Keys of the table's columns, in the order of the cells.
        rows: What to begin with.
    """

    def __init__(self, column_keys: Sequence[str], rows: Iterable[Row] = ()) -> None:
        self._columns = {key: index for index, key in enumerate(column_keys)}
        self._rows: dict[Hashable, Row] = {}
        self._order: list[Hashable] = []
        self._positions: dict[Hashable, int] | None = None
        self._sort_column: int | None = None
        self._reverse = False
        self._sort_keys: dict[Hashable, SortKey] = {}
        self._filter = ""
        self._matching: dict[Hashable, bool] = {}
        self._listeners = Listeners()
        self.replace(rows)

    @property
    def count(self) -> int:
        """Rows that match the filter."""
        return len(self._order)

    @property
    def total(self) -> int:
        """All rows."""
        return len(self._rows)

    @property
    def keys(self) -> Sequence[Hashable]:
        """Keys of all rows."""
        return tuple(self._rows)

    def window(self, start: int, stop: int) -> Sequence[Row]:
        """Return the rows of a range; everything is always there."""
        rows = self._rows
        return [rows[key] for key in self._order[start:stop]]

    def missing(self, start: int, stop: int) -> bool:
        """Nothing is ever missing."""
        return False

    async def load(self, start: int, stop: int) -> None:
        """Nothing to load."""

    async def sort(self, column_key: str | None, reverse: bool) -> None:
        """Order by a column, stably; None goes back to the order given. Raises KeyError."""
        self._sort_column = None if column_key is None else self._columns[column_key]
        self._reverse = reverse
        self._sort_keys.clear()
        self._arrange()

    async def filter(self, text: str) -> None:
        """Keep the rows that contain ``text`` in any cell; ``!`` in front inverts."""
        if text != self._filter:
            self._filter = text
            self._matching.clear()
            self._arrange()

    def position_of(self, key: Hashable) -> int | None:
        """Return where a row stands; None when it is gone or filtered out."""
        if self._positions is None:
            self._positions = {key: index for index, key in enumerate(self._order)}
        return self._positions.get(key)

    def row(self, key: Hashable) -> Row | None:
        """Return the row with this key, filtered out or not."""
        return self._rows.get(key)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; the returned function ends that."""
        return self._listeners.subscribe(listener)

    def replace(self, rows: Iterable[Row]) -> frozenset[Hashable]:
        """Take a new state of the whole list; return the keys that are new, gone or look different."""
        old = self._rows
        new = {row.key: row for row in rows}
        changed = {key for key, row in new.items() if old.get(key) != row}
        gone = old.keys() - new.keys()
        same_order = not gone and len(old) == len(new) and list(old) == list(new)
        self._rows = new
        if changed or not same_order:
            self._forget(changed | gone)
            self._arrange()
        return frozenset(changed | gone)

    def update(self, rows: Iterable[Row]) -> frozenset[Hashable]:
        """Take new states of some rows, new ones at the end; return the keys that look different."""
        old = self._rows
        changed = {row.key: row for row in rows if old.get(row.key) != row}
        if changed:
            new = [key for key in changed if key not in old]
            stays = all(self._stays(old[key], row) for key, row in changed.items() if key in old)
            self._rows |= changed
            self._forget(changed.keys())
            if stays and self._takes_in(new):
                self._listeners.tell()
            else:
                self._arrange()
        return frozenset(changed)

    def remove(self, keys: Iterable[Hashable]) -> None:
        """Take rows out; unknown keys are ignored."""
        gone = {key for key in keys if key in self._rows}
        if gone:
            self._take_out(gone)
            for key in gone:
                del self._rows[key]
            self._forget(gone)
            self._listeners.tell()

    def _stays(self, old: Row, new: Row) -> bool:
        """Whether a row that looks different keeps its place: same sort key, same answer of the filter."""
        column = self._sort_column
        in_place = column is None or sort_key(old.cells[column]) == sort_key(new.cells[column])
        return in_place and (not self._filter or self._matches(old.key, old) is matches(new, self._filter))

    def _takes_in(self, new: Collection[Hashable]) -> bool:
        """Put new rows in their places; False where all have to be sorted again.

        Among equals the latest stands last, so that the order is the one a stable sort would give.
        """
        if not new:
            return True
        if len(new) > _FEW or self._reverse:
            return False
        order = list(self._order)  # the old one may be in somebody's hands
        for key in new:
            if self._filter and not self._matches(key, self._rows[key]):
                continue
            if self._sort_column is None:
                order.append(key)
            else:
                insort(order, key, key=self._key_of)
        self._order, self._positions = order, None
        return True

    def _take_out(self, gone: Collection[Hashable]) -> None:
        """Drop rows, which are still known, from the order, which is otherwise as it was."""
        if self._sort_column is None or self._reverse or len(gone) > _FEW:
            self._order = [key for key in self._order if key not in gone]
        else:
            order = list(self._order)
            for (
                key
            ) in gone:  # found by halves: to ask of each of ten thousand keys whether it goes takes 10 ms
                if not self._filter or self._matches(key, self._rows[key]):
                    del order[order.index(key, bisect_left(order, self._key_of(key), key=self._key_of))]
            self._order = order
        self._positions = None

    def _forget(self, keys: Iterable[Hashable]) -> None:
        for key in keys:
            self._sort_keys.pop(key, None)
            self._matching.pop(key, None)

    def _arrange(self) -> None:
        """Filter and sort again, then tell the listeners."""
        order = (
            [key for key, row in self._rows.items() if self._matches(key, row)]
            if self._filter
            else list(self._rows)
        )
        if self._sort_column is not None:
            order.sort(key=self._key_of, reverse=self._reverse)
        if order != self._order:
            self._order, self._positions = order, None
        self._listeners.tell()

    def _matches(self, key: Hashable, row: Row) -> bool:
        answer = self._matching.get(key)
        if answer is None:
            answer = self._matching[key] = matches(row, self._filter)
        return answer

    def _key_of(self, key: Hashable) -> SortKey:
        found = self._sort_keys.get(key)
        if found is None:
            assert self._sort_column is not None
            found = self._sort_keys[key] = sort_key(self._rows[key].cells[self._sort_column])
        return found
