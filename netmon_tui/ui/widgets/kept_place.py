"""The place in a list of packets from which a display filter was applied, kept until all are shown again."""

from __future__ import annotations

from collections.abc import Sequence

from netmon_tui.ui.widgets.packet_list import PacketSource
from netmon_tui.ui.widgets.table_grid import TableGrid


class KeptPlace:
    """Puts the cursor on the match nearest to where it stood, and back there after the filter.

    Who moves the cursor meanwhile has another place, and nothing moves it from there.

    Args:
        grid: Whose cursor.
        source: What it shows.
    """

    def __init__(self, grid: TableGrid, source: PacketSource) -> None:
        self._grid = grid
        self._source = source
        self._number = 1
        """Of the packet at which the cursor stood."""
        self._first = 0
        """Of the first match; 0 before there is one."""
        self._last = 0
        """Of the last match."""
        self._is_reached = True
        """Whether the matches have come to the place, or end before it."""

    def keep(self) -> None:
        """Remember where the cursor stands, unless a filter put it there."""
        number = self._grid.cursor_key
        if isinstance(number, int) and not (self._source.chosen is not None and self._is_put):
            self._number = number

    def begin(self) -> None:
        """There is a filter, and no match so far."""
        self._first = self._last = 0
        self._is_reached = False

    def found(self, numbers: Sequence[int]) -> None:
        """Take more matches, which the list shows already."""
        if not numbers:
            return
        self._first, self._last = self._first or numbers[0], numbers[-1]
        if self._last >= self._number:
            self.reach()

    def reach(self) -> None:
        """Go to the match at the place, or else the first after it, or the last of all."""
        if not self._is_reached and self._is_put:
            self._go()
        self._is_reached = True

    def show_all(self) -> None:
        """End the filter; back to the place, unless somebody has moved the cursor."""
        was_put = self._is_put
        self._source.choose(None)
        self._is_reached = True
        if was_put:
            self._go()

    @property
    def _is_put(self) -> bool:
        """Whether the cursor is where a filter has left it."""
        if not self._is_reached:
            return self._grid.cursor_key in (None, self._first)
        return self._grid.cursor == self._source.position_near(self._number)

    def _go(self) -> None:
        if not self._grid.follow:
            self._grid.put_cursor(self._source.position_near(self._number))
