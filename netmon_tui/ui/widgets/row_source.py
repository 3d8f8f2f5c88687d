"""What a table shows and where it gets it: rows, cells and the protocol of their source.

A table never holds all rows. It asks its source for the window it shows; what the source does not have yet is
drawn as a placeholder and loaded behind the scenes. ``MemorySource`` serves lists that fit in memory,
``WindowSource`` pages of a database or a file index.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from netmon_tui.ui.rendering import Tone

SortKey = tuple[int, Any]
"""Rank of the kind of value, then a value that compares with its kind."""

_DIGITS = re.compile(r"(\d+)")
_GROUPED = re.compile(r"\d{1,3}(?: \d{3})+")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that needs more than its text."""

    text: str
    tone: Tone = ""
    """Meaning of its colour; the text must say the same."""
    sort: int | float | str | bytes | None = None
    """What the column sorts by when the text does not sort naturally, such as bytes behind ``961 MB``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; two equal rows look the same, so an equal row is not painted again."""

    key: Hashable
    """Identity that survives sorting and changes, such as a database id."""
    cells: tuple[str | Cell, ...]
    """One per column of the table, in the order of its ``columns``; foreign text may stand in them raw."""
    tone: Tone = ""


class RowSource(Protocol):
    """Where the rows of a table come from."""

    @property
    def count(self) -> int:
        """Rows that match the filter, as far as known."""

    def window(self, start: int, stop: int) -> Sequence[Row | None] | None:
        """Return the rows ``start`` to ``stop`` at once; None (for one row or all) is not loaded yet."""

    def missing(self, start: int, stop: int) -> bool:
        """Whether ``load`` of this range would bring something new (not loaded, or outdated)."""

    async def load(self, start: int, stop: int) -> None:
        """Fetch the range. Raises NetmonError, which the table shows."""

    async def sort(self, column_key: str | None, reverse: bool) -> None:
        """Order by a column; None is the source's own order. Listeners are told."""

    async def filter(self, text: str) -> None:
        """Keep the rows that contain ``text``; a leading ``!`` keeps the others. Listeners are told."""

    def position_of(self, key: Hashable) -> int | None:
        """Return where the row with this key stands now; None when it is gone or not loaded."""

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; the returned function ends that."""


class Listeners:
    """The listeners of a source."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Add a listener; the returned function takes it away again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self) -> None:
        """Call them all."""
        for listener in tuple(self._listeners):
            listener()


def cell_text(cell: str | Cell) -> str:
    """Return the text of a cell, as raw as it is."""
    return cell.text if isinstance(cell, Cell) else cell


def sort_key(cell: str | Cell) -> SortKey:
    """Return what a cell sorts by: empty last, numbers by value, text naturally (``eth2`` < ``eth10``)."""
    value: object = cell
    if isinstance(cell, Cell):
        value = cell.text if cell.sort is None else cell.sort
    if isinstance(value, str):
        return _natural(value)
    return (2, value) if isinstance(value, bytes) else (0, value)


def _natural(text: str) -> SortKey:
    """Return a key that compares runs of digits as numbers and letters without case."""
    if not text:
        return 9, 0
    if _GROUPED.fullmatch(text):
        return 0, int(text.replace(" ", ""))
    parts = _DIGITS.split(text[:256].casefold())
    numbers = (int(part) for part in parts[1::2])
    if len(parts) == 3 and parts[0] == parts[2] == "":
        return 0, next(numbers)
    # Split by a group gives text, number, text, ...: the kinds never meet in a comparison.
    return 1, tuple(part for pair in zip(parts[::2], (*numbers, -1), strict=True) for part in pair)


def matches(row: Row, text: str) -> bool:
    """Whether any cell contains ``text`` (without case); a leading ``!`` turns the answer round."""
    wanted = text[1:] if text.startswith("!") else text
    if not wanted:
        return True
    found = wanted.casefold() in "\0".join(map(cell_text, row.cells)).casefold()
    return found is not text.startswith("!")
