"""Packets of a capture file as rows of a table: paged, filtered by text, growing with the file."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Mapping, Sequence

from netmon_tui.domain.packet_columns import TIMES, PacketColumns
from netmon_tui.services.packet_list import PacketList
from netmon_tui.ui.widgets.packet_candidates import Candidates, place_near, place_of
from netmon_tui.ui.widgets.packet_pages import PacketPages, first_pending
from netmon_tui.ui.widgets.row_source import Listeners, Row, cell_text, matches

FILE_ORDERS = frozenset({None, "number", *TIMES} - {"delta"})
"""The columns in whose order packets stand in the file already; any other would need all of them at once."""
_PAGE_ROWS = 32
"""A screen or two: the end of a growing list is read anew with each look, and no more than is seen of it."""
_FIRST_SLICE = 2_000
"""Packets indexed before the first rows are shown."""
_SLICE = 50_000
_SEARCH_SLICE = 2_000
"""Packets looked through at once by a filter: some 20 ms."""
_ASKED_SLICE = 400
"""The same where the dissector is asked of each: some 50 ms, and as many as it answers for at once."""


class PacketSource:
    """A :class:`~netmon_tui.ui.widgets.row_source.RowSource` over an open capture file.

    Whole pages never change, because packets do not; only the last page is read again when the file grows.
    Somebody calls :meth:`advance` until it is done, and again when the file grew. What a filter has not looked at
    counts as missing, so that the table that shows it searches on by loading.

    Args:
        packets: The file.
    """

    def __init__(self, packets: PacketList) -> None:
        self._packets = packets
        self.pages = PacketPages(packets)
        """The rows that are there."""
        self._reverse = False
        self._text = ""
        self._found = array("Q")
        """Numbers of the packets that match, when there is a filter."""
        self._searched = 0
        """Packets the filter has looked at."""
        self.asks_dissector = False
        """Whether the filter looks through words of the dissector, which takes longer than our own."""
        self._candidates = Candidates(packets)
        self._generation = 0
        self._listeners = Listeners()
        self._sight = (0, 0)
        """The range that was asked for last: as a rule what a table shows."""
        self._marks: Mapping[int, str] = {}
        self._glyph = ""

    @property
    def count(self) -> int:
        """Packets that match the filters, as far as known."""
        return len(self._found) if self._text else len(self._candidates)

    @property
    def text(self) -> str:
        """The filter."""
        return self._text

    @property
    def shown(self) -> array[int] | None:
        """Numbers of the packets that the filters let through, as far as known, ascending; None without one."""
        if self._text:
            return self._found[:]
        return None if self._candidates.chosen is None else self._candidates.chosen[:]

    @property
    def searched(self) -> int | None:
        """How many packets the words have been looked for in; None when in all that could be shown."""
        return self._searched if self._text and self._searched < len(self._candidates) else None

    @property
    def chosen(self) -> int | None:
        """How many packets a display filter has let through so far; None when there is none."""
        return None if self._candidates.chosen is None else len(self._candidates)

    def choose(self, numbers: Sequence[int] | None) -> None:
        """Show only these packets, and those of :meth:`choose_more`; all of them when None.

        Where they begin with those that are shown, these stay as they are.
        """
        known = self._candidates.chosen
        wanted = None if numbers is None else array("Q", numbers)  # compared in a moment, as lists are not
        if known and wanted is not None and known == wanted[: len(known)]:
            self.choose_more(wanted[len(known) :])
            return
        self._candidates.chosen = wanted
        self._begin_anew()

    def choose_more(self, numbers: Sequence[int]) -> None:
        """Show more packets; their numbers are indexed, and higher than those before."""
        assert self._candidates.chosen is not None
        self._candidates.chosen.extend(numbers)
        self._listeners.tell()

    def mark(self, marks: Mapping[int, str], glyph: str) -> None:
        """Show which packets are marked, by number, with a glyph and what is said of them."""
        self._marks, self._glyph = marks, glyph
        self._listeners.tell()

    def _begin_anew(self) -> None:
        self._searched, self._found, self.asks_dissector = 0, array("Q"), False
        self._generation += 1
        self.pages.clear()
        self._listeners.tell()

    async def advance(self, *, follows: bool = False) -> bool:
        """Index the next slice of the file; whether there is more.

        What a table shows then is read before anybody is told, so that it is painted once.

        Args:
            follows: Whether the table goes on to the new end of the list.
        """
        grown = await self._packets.extend(_SLICE if self._packets.count else _FIRST_SLICE)
        if grown:
            start, stop = self._sight
            height = stop - start
            # Of those at the end a screen more, as tables ask for: else that one is loaded a moment later.
            seen = (self.count - 2 * height, self.count) if follows else self._sight
            await self.pages.read(self._numbers(self._wanted(*seen)))
            self._listeners.tell()
        return not self._packets.complete

    def window(self, start: int, stop: int) -> Sequence[Row | None]:
        """Return the rows of a range, None where nothing is loaded."""
        self._sight = (start, stop)
        return self._rows_of(start, stop)

    def _rows_of(self, start: int, stop: int) -> Sequence[Row | None]:
        places = (self._place(index) for index in range(max(0, start), min(stop, self.count)))
        found = (self.pages.row(*divmod(place, _PAGE_ROWS)) for place in places)
        columns = self.pages.columns
        return [row and marked_row(row, self._marks, self._glyph, columns) for row in found]

    def missing(self, start: int, stop: int) -> bool:
        """Whether a page of the range is not loaded or not told of, or the filter has not seen every packet."""
        told = first_pending(self._rows_of(start, stop)) is None
        return self.searched is not None or bool(self._wanted(start, stop)) or not told

    async def load(self, start: int, stop: int) -> None:
        """Read the pages of a range that are not there, and let the filter look a little further."""
        wanted, before = self._wanted(start, stop), self.pages.widest_end
        await self.pages.read(self._numbers(wanted))
        around = self._rows_of(start, stop)
        shown = around[len(around) // 3 :]  # a table asks for a screen before and after the one it shows
        number = None if wanted else first_pending([*shown, *around])
        if number is not None:
            await self.pages.ask(number)
        if self.pages.widest_end != before:
            self._listeners.tell()  # of what is only scrolled to nobody is told else
        if self.searched is not None:
            await self._search()

    async def _search(self) -> None:
        """Look through the next packets, and tell of it."""
        generation, text = self._generation, self._text
        start, most = self._searched, _ASKED_SLICE if self.asks_dissector else _SEARCH_SLICE
        columns = self.pages.columns
        numbers = self._candidates.numbers(start, min(len(self._candidates), start + most))
        told, asks = await self.pages.told(await self._packets.lines(numbers, columns.keys))
        rows = (marked_row(row, self._marks, self._glyph, columns) for row in told)
        numbers = [row.key for row in rows if matches(row, text) and isinstance(row.key, int)]
        if generation == self._generation:
            self._searched, self.asks_dissector = start + len(told), asks
            self._found.extend(numbers)
            self._listeners.tell()

    def _wanted(self, start: int, stop: int) -> list[int]:
        """Return the pages of a range that are not loaded, or were loaded when the list ended in them."""
        start, stop = max(0, start), min(stop, self.count)
        if stop <= start:
            return []
        first, last = sorted((self._place(start), self._place(stop - 1)))
        pages = range(first // _PAGE_ROWS, last // _PAGE_ROWS + 1)
        return [page for page in pages if len(self.pages.rows(page)) < _rows_on(page, self.count)]

    def _numbers(self, pages: Sequence[int]) -> dict[int, Sequence[int]]:
        """Return the numbers of the packets of pages of the unreversed list."""
        found = {}
        for page in pages:
            start, stop = page * _PAGE_ROWS, min((page + 1) * _PAGE_ROWS, self.count)
            found[page] = self._found[start:stop] if self._text else self._candidates.numbers(start, stop)
        return found

    def _place(self, index: int) -> int:
        return self.count - 1 - index if self._reverse else index

    async def sort(self, column_key: str | None, reverse: bool) -> None:
        """Take the order of the file or its reverse; other orders change nothing."""
        self._reverse = reverse and column_key in FILE_ORDERS
        self._listeners.tell()

    def show_columns(self, columns: PacketColumns) -> None:
        """Show other columns, or the same with what the dissector says now."""
        self.pages.show(columns)
        self._begin_anew() if self._text else self._listeners.tell()

    async def filter(self, text: str) -> None:
        """Keep the packets whose line contains ``text``; loading finds them."""
        if text != self._text:
            self._text = text
            self._begin_anew()

    def position_of(self, key: Hashable) -> int | None:
        """Return where a packet (by number) stands; None when the filter left it out."""
        if not isinstance(key, int):
            return None
        place = place_of(key, self._found if self._text else self._candidates.chosen)
        return None if place is None or place >= self.count else self._place(place)

    def position_near(self, number: int) -> int:
        """Return where a packet stands, or the first after it that the filters let through, or the last of all."""
        place = place_near(number, self._found if self._text else self._candidates.chosen)
        return self._place(max(0, min(place, self.count - 1)))

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; the returned function ends that."""
        return self._listeners.subscribe(listener)


def _rows_on(page: int, count: int) -> int:
    """Return how many rows a page should have when there are so many in all."""
    return min(_PAGE_ROWS, count - page * _PAGE_ROWS)


def marked_row(row: Row, marks: Mapping[int, str], glyph: str, columns: PacketColumns) -> Row:
    """Return a line with a glyph, and what is said of its packet, before its info, where that is marked."""
    comment = marks.get(row.key) if isinstance(row.key, int) else None
    if comment is None:
        return row
    at = columns.keys.index("info") if "info" in columns.keys else len(columns.keys) - 1
    words = " ".join(filter(None, (glyph, comment and f"[{comment}]", cell_text(row.cells[at]))))
    return Row(row.key, (*row.cells[:at], words, *row.cells[at + 1 :]), "accent")
