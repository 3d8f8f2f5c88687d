"""Columns of a table and how they share the width of the screen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

GUTTER = 1
"""Cells at the left for the marks of cursor and selection."""
_ROOMY = 100
"""From this width on, columns are two cells apart."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    key: str
    title: str
    width: int = 0
    """Cells, when fixed; 0 makes it flexible."""
    least: int = 0
    """Cells that do when room is short, of a fixed column whose texts end in digits of a fraction; 0 for none."""
    minimum: int = 8
    """Fewest cells of a flexible column."""
    share: int = 1
    """Weight with which a flexible column takes part in what is left."""
    align: Literal["left", "right"] = "left"
    priority: int = 1
    """0 stays; of the others the highest number is dropped first when the screen is narrow."""
    hidden: bool = False
    """Shown only after the user asks for it."""

    @property
    def needed(self) -> int:
        """Cells without which it is dropped."""
        return self.least or self.width or self.minimum


@dataclass(frozen=True, slots=True)
class Slot:
    """A visible column and its place."""

    column: Column
    index: int
    """Index of its cell in a row."""
    x: int
    """First cell on the line."""
    width: int
    """Cells of its text."""


class ColumnChoice:
    """Which columns the user wants, and where they stand on a line of some width.

    Args:
        columns: All columns, in order.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self._hidden = {column.key for column in columns if column.hidden}
        self._pinned: set[str] = set()

    def replace(self, columns: Sequence[Column]) -> None:
        """Take other columns; of those that stay, what the user wants of them stays."""
        self.columns = tuple(columns)
        self._hidden &= {column.key for column in columns}
        self._pinned &= {column.key for column in columns}
        if len(self._hidden) == len(columns):
            self._hidden.clear()

    @property
    def hidden(self) -> frozenset[str]:
        """Keys of the columns the user does not want."""
        return frozenset(self._hidden)

    def hide(self, keys: Collection[str]) -> None:
        """Hide exactly these columns; never all of them."""
        known = {column.key for column in self.columns}
        if known - set(keys):
            self._hidden = known & set(keys)
            self._pinned -= self._hidden

    def toggle(self, key: str, visible: bool) -> None:
        """Hide a column that is visible, show one that is hidden or was dropped for want of room."""
        if visible:
            self.hide(self._hidden | {key})
        else:
            self._hidden.discard(key)
            self._pinned.add(key)

    def fit(self, width: int) -> tuple[Slot, ...]:
        """Return the places of the columns that fit in ``width`` cells; at least one column remains."""
        gap = 2 if width >= _ROOMY else 1
        chosen = [(i, column) for i, column in enumerate(self.columns) if column.key not in self._hidden]
        room = width - GUTTER
        while len(chosen) > 1 and _needed(chosen, gap) > room:
            chosen.remove(max(chosen, key=self._droppability))
        return _place(chosen, room, gap)

    def _droppability(self, entry: tuple[int, Column]) -> tuple[int, int]:
        """By priority, then from the right; what the user asked for stays longest."""
        index, column = entry
        return (-1 if column.key in self._pinned else column.priority), index


def _needed(chosen: Sequence[tuple[int, Column]], gap: int) -> int:
    return sum(column.needed + gap for _, column in chosen) - gap


def _place(chosen: Sequence[tuple[int, Column]], room: int, gap: int) -> tuple[Slot, ...]:
    """Give each column its width, the flexible ones their share of the rest."""
    spare = max(0, room - _needed(chosen, gap))
    shares = sum(column.share for _, column in chosen if not column.width)
    slots: list[Slot] = []
    x = GUTTER
    for index, column in chosen:
        width = column.needed
        if column.least:
            extra = column.width - column.least
            if extra <= spare:
                spare, width = spare - extra, column.width
        elif not column.width and shares:
            extra = spare * column.share // shares
            spare, shares, width = spare - extra, shares - column.share, width + extra
        width = max(1, min(width, GUTTER + room - x))
        slots.append(Slot(column, index, x, width))
        x += width + gap
    return tuple(slots)
