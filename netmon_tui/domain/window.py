"""The part of a long list that is looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of a list, by position in an order and under a filter."""

    offset: int = 0
    """So many rows are left out at the beginning."""
    limit: int = 1_000
    """At most so many rows follow."""
    sort: str = ""
    """Key of a column; empty, or unknown to the list, for the list's own order."""
    reverse: bool = False
    """Greatest first; the list's own order is never reversed."""
    text: str = ""
    """Only rows that match; what that means is the list's affair."""


FIRST = Window()
"""The beginning of a list in its own order."""
