"""Packets of a capture file as rows of a table: paged, filtered by text, growing with the file."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime

from netmon_tui.domain.packet import PacketSummary
from netmon_tui.services.packets import PacketList
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.widgets.packet_candidates import Candidates, place_of
from netmon_tui.ui.widgets.row_source import Listeners, Row, cell_text, matches
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("number", "No.", width=9, align="right", priority=0),
    Column("time", "Time", width=15, priority=3),
    Column("source", "Source", minimum=15, share=1, priority=0),
    Column("destination", "Destination", minimum=15, share=1, priority=0),
    Column("protocol", "Protocol", width=8, priority=1),
    Column("length", "Length", width=6, align="right", priority=2),
    Column("info", "Info", minimum=16, share=3, priority=1),
)
_INFO = [column.key for column in COLUMNS].index("info")
FILE_ORDERS = frozenset({None, "number", "time"})
"""The columns in whose order packets stand in the file already; any other would need all of them at once."""
_PAGE_ROWS = 200
_KEPT_PAGES = 24
_FIRST_SLICE = 2_000
"""Packets indexed before the first rows are shown."""
_SLICE = 50_000
_SEARCH_SLICE = 2_000
"""Packets looked through at once by a filter: some 20 ms."""


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
        self._pages: OrderedDict[int, Sequence[Row]] = OrderedDict()
        self._reverse = False
        self._text = ""
        self._found = array("Q")
        """Numbers of the packets that match, when there is a filter."""
        self._searched = 0
        """Packets the filter has looked at."""
        self._candidates = Candidates(packets)
        self._generation = 0
        self._listeners = Listeners()
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
        """Show only these packets, and those of :meth:`choose_more`; all of them when None."""
        self._candidates.chosen = None if numbers is None else array("Q", numbers)
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
        self._searched, self._found = 0, array("Q")
        self._generation += 1
        self._pages.clear()
        self._listeners.tell()

    async def advance(self) -> bool:
        """Index the next slice of the file; whether there is more.

        The pages that this changes are read before anybody is told, so that they are painted once: those that were
        not full, and the last ones when the end is what was looked at.
        """
        at_end = self._last_page in self._pages
        grown = await self._packets.extend(_SLICE if self._packets.count else _FIRST_SLICE)
        if grown:
            pages = {page for page, rows in self._pages.items() if len(rows) < _rows_on(page, self.count)}
            if at_end:
                pages |= {max(0, self._last_page - 1), self._last_page} - self._pages.keys()
            for page in sorted(pages):
                await self._read(page)
            self._listeners.tell()
        return not self._packets.complete

    @property
    def _last_page(self) -> int:
        return (self.count - 1) // _PAGE_ROWS

    def window(self, start: int, stop: int) -> Sequence[Row | None]:
        """Return the rows of a range, None where nothing is loaded."""
        return [self._row_at(index) for index in range(start, min(stop, self.count))]

    def missing(self, start: int, stop: int) -> bool:
        """Whether a page of the range is not loaded, or the filter has not seen every packet."""
        return self.searched is not None or bool(self._wanted(start, stop))

    async def load(self, start: int, stop: int) -> None:
        """Read the pages of a range that are not there, and let the filter look a little further."""
        for page in self._wanted(start, stop):
            await self._read(page)
        if self.searched is not None:
            await self._search()

    async def _search(self) -> None:
        """Look through the next packets, and tell of it."""
        generation, text = self._generation, self._text
        start, stop = self._searched, min(len(self._candidates), self._searched + _SEARCH_SLICE)
        numbers = await self._packets.search(
            self._candidates.numbers(start, stop), lambda one: matches(packet_row(one), text)
        )
        if generation == self._generation:
            self._searched = stop
            self._found.extend(numbers)
            self._listeners.tell()

    async def _read(self, page: int) -> None:
        """Read a page, unless the filter changes meanwhile."""
        generation = self._generation
        numbers = self._numbers(page * _PAGE_ROWS, (page + 1) * _PAGE_ROWS)
        rows = [packet_row(summary) for summary in await self._packets.pick(numbers)]
        if generation == self._generation:
            self._pages[page] = rows
            self._pages.move_to_end(page)
            while len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)

    def _wanted(self, start: int, stop: int) -> list[int]:
        """Return the pages of a range that are not loaded, or were loaded when the list ended in them."""
        start, stop = max(0, start), min(stop, self.count)
        if stop <= start:
            return []
        first, last = sorted((self._place(start), self._place(stop - 1)))
        pages = range(first // _PAGE_ROWS, last // _PAGE_ROWS + 1)
        return [page for page in pages if len(self._pages.get(page, ())) < _rows_on(page, self.count)]

    def _numbers(self, start: int, stop: int) -> list[int]:
        """Return the numbers of the packets at positions of the unreversed list."""
        stop = min(stop, self.count)
        return list(self._found[start:stop] if self._text else self._candidates.numbers(start, stop))

    def _row_at(self, index: int) -> Row | None:
        page, offset = divmod(self._place(index), _PAGE_ROWS)
        rows = self._pages.get(page)
        row = rows[offset] if rows is not None and offset < len(rows) else None
        comment = self._marks.get(row.key) if row is not None and isinstance(row.key, int) else None
        return row if row is None or comment is None else marked_row(row, comment, self._glyph)

    def _place(self, index: int) -> int:
        return self.count - 1 - index if self._reverse else index

    async def sort(self, column_key: str | None, reverse: bool) -> None:
        """Take the order of the file or its reverse; other orders change nothing."""
        self._reverse = reverse and column_key in FILE_ORDERS
        self._listeners.tell()

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

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; the returned function ends that."""
        return self._listeners.subscribe(listener)


def _rows_on(page: int, count: int) -> int:
    """Return how many rows a page should have when there are so many in all."""
    return min(_PAGE_ROWS, count - page * _PAGE_ROWS)


def marked_row(row: Row, comment: str, glyph: str) -> Row:
    """Return the line of a marked packet: a glyph, and what is said of it, before its info."""
    words = " ".join(filter(None, (glyph, comment and f"[{comment}]", cell_text(row.cells[_INFO]))))
    return Row(row.key, (*row.cells[:_INFO], words, *row.cells[_INFO + 1 :]), "accent")


def packet_row(summary: PacketSummary) -> Row:
    """Return the line of a packet; its key is its number."""
    moment = datetime.fromtimestamp(summary.time).astimezone()
    return Row(
        summary.number,
        (
            thin(summary.number),
            f"{moment:%H:%M:%S.%f}",
            summary.source,
            summary.destination,
            summary.protocol,
            str(summary.length),
            summary.info,
        ),
    )
