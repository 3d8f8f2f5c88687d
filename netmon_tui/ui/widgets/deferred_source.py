"""A row source for a list that changes faster than anybody can look at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Container, Hashable, Iterable, Sequence
from itertools import islice

from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row

SLICE = 500
"""Rows that are made in one go, some milliseconds of work, before keys have their turn."""


class DeferredSource(MemorySource):
    """Rows in memory, of which those that changed are made anew when somebody looks at them.

    Args:
        column_keys: Keys of the table's columns, in the order of the cells.
        remake: Makes the rows of keys, without those that are gone.
        steady: Columns whose cells never change while a row is there.
    """

    def __init__(
        self,
        column_keys: Sequence[str],
        remake: Callable[[Collection[Hashable]], Iterable[Row]],
        steady: Collection[str],
    ) -> None:
        super().__init__(column_keys)
        self._remake = remake
        self._steady = {None, *(self._columns[key] for key in steady)}
        self._outdated: set[Hashable] = set()

    def outdate(self, keys: Iterable[Hashable], sight: Container[Hashable]) -> list[Hashable]:
        """Take that rows look different now.

        Args:
            keys: Of rows that changed or are new.
            sight: Keys of rows that somebody looks at.

        Returns:
            Those that have to be made at once: what is in sight or new, and all while the order or a filter asks
            what a row looks like.
        """
        if self._filter or self._sort_column not in self._steady:
            return list(keys)
        now = []
        for key in keys:
            if key in sight or key not in self._rows:
                now.append(key)
            else:
                self._outdated.add(key)
        return now

    def window(self, start: int, stop: int) -> Sequence[Row]:
        """Return the rows of a range."""
        if self._outdated:
            self._renew(self._outdated.intersection(self._order[start:stop]))
        return super().window(start, stop)

    def row(self, key: Hashable) -> Row | None:
        """Return the row with this key, filtered out or not."""
        if key in self._outdated:
            self._renew({key})
        return super().row(key)

    async def sort(self, column_key: str | None, reverse: bool) -> None:
        """Order by a column, stably; None goes back to the order given. Raises KeyError."""
        await self._renew_all()
        await super().sort(column_key, reverse)

    async def filter(self, text: str) -> None:
        """Keep the rows that contain ``text`` in any cell; ``!`` in front inverts."""
        await self._renew_all()
        await super().filter(text)

    def update(self, rows: Iterable[Row]) -> frozenset[Hashable]:
        """Take new states of some rows, new ones at the end; return the keys that look different."""
        rows = list(rows)
        self._outdated.difference_update(row.key for row in rows)
        return super().update(rows=rows)

    def remove(self, keys: Iterable[Hashable]) -> None:
        """Take rows out; unknown keys are ignored."""
        keys = list(keys)
        self._outdated.difference_update(keys)
        super().remove(keys)

    def _renew(self, keys: Collection[Hashable]) -> None:
        """Make rows anew, which stay where they are."""
        self._outdated.difference_update(keys)
        self._rows |= {row.key: row for row in self._remake(keys)} if keys else {}

    async def _renew_all(self) -> None:
        while self._outdated:
            self._renew(set(islice(self._outdated, SLICE)))
            await asyncio.sleep(0)
