"""The packets of several files that meet a filter as rows of a table, which become more while they are found."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from netmon_tui.domain.capture_files import file_number
from netmon_tui.domain.packet_columns import OWN, PacketColumns, PacketLine
from netmon_tui.domain.set_matches import SetMatch, SetMatches
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.widgets.packet_columns import is_pending, line_row, own_row, table_columns
from netmon_tui.ui.widgets.row_source import Listeners, Row, matches
from netmon_tui.ui.widgets.table_columns import Column

_PAGE_ROWS = 100
_KEPT_PAGES = 16
_SEARCH_SLICE = 500
"""Packets looked through at once by words: of many files a few lines each."""
_TOLD_AT_ONCE = 20
"""Lines that the dissector tells before those of another page may be read: each may take it a tenth of a second."""


class Lines(Protocol):
    """Brings the lines of some packets, rising, of a file given by its name."""

    async def read(self, file: str, numbers: Sequence[int], keys: Sequence[str]) -> list[PacketLine]:
        """Return them with columns by their keys, in our own words."""

    async def told(self, file: str, numbers: Sequence[int], columns: PacketColumns) -> list[PacketLine]:
        """Return them in the words in which they are to be listed."""


def set_columns(chosen: PacketColumns, newest: str) -> tuple[PacketColumns, tuple[Column, ...]]:
    """Return chosen columns without those of fields, and all of a list of files up to a newest one."""
    keys = tuple(key for key in chosen.keys if key in OWN) or PacketColumns().keys
    own = PacketColumns(keys, chosen.by_tshark)
    width = max(len("File"), len(str(file_number(newest) or 0)))
    columns = (replace(one, minimum=9) if one.key == "info" else one for one in table_columns(own))
    return own, (Column("file", "File", width=width, align="right", priority=0), *columns)


class SetRows:
    """A :class:`~netmon_tui.ui.widgets.row_source.RowSource` over matches; the key of a row is a ``SetMatch``.

    What words have not been looked for in counts as missing, so that the table searches on by loading; so does
    what the dissector is still to say.

    Args:
        found: By the display filter; whoever adds to it calls :meth:`grown`.
        columns: What is shown of each packet.
        lines: Brings it.
    """

    def __init__(self, found: SetMatches, columns: PacketColumns, lines: Lines) -> None:
        self._found = self._shown = found
        self._text = ""
        self._searched = 0
        """In how many of those that are found the words have been looked for."""
        self._columns = columns
        self._lines = lines
        self._pages: OrderedDict[int, list[Row]] = OrderedDict()
        self._asking: asyncio.Future[list[Row]] | None = None
        """What the dissector is asked."""
        self._listeners = Listeners()

    @property
    def count(self) -> int:
        """Packets that are found so far, of those with the words."""
        return len(self._shown)

    def grown(self) -> None:
        """Say that there are more."""
        self._listeners.tell()

    def window(self, start: int, stop: int) -> Sequence[Row | None]:
        """Return the rows of a range, None where nothing is loaded."""
        return [self._row_at(index) for index in range(start, min(stop, self.count))]

    def _row_at(self, index: int) -> Row | None:
        page, offset = divmod(index, _PAGE_ROWS)
        rows = self._pages.get(page, [])
        return rows[offset] if offset < len(rows) else None

    def missing(self, start: int, stop: int) -> bool:
        """Whether a page of the range is not loaded, or was when it was not full, or words are to be looked for."""
        wanted = self._wanted(start, stop)
        return self._is_searching or bool(wanted) or self._untold(start, stop) is not None

    @property
    def searched(self) -> int | None:
        """In how many of those that are found the words have been looked for; None when in all."""
        return self._searched if self._is_searching else None

    @property
    def _is_searching(self) -> bool:
        return bool(self._text) and self._searched < len(self._found)

    def _wanted(self, start: int, stop: int) -> list[int]:
        start, stop = max(0, start), min(stop, self.count)
        pages = range(start // _PAGE_ROWS, (stop - 1) // _PAGE_ROWS + 1) if start < stop else ()
        return [page for page in pages if len(self._pages.get(page, ())) < self._rows_on(page)]

    def _rows_on(self, page: int) -> int:
        return min(_PAGE_ROWS, self.count - page * _PAGE_ROWS)

    async def load(self, start: int, stop: int) -> None:
        """Read the lines of the pages of a range, and look for words a little further.

        Raises:
            NetmonError: They cannot be read; but not for files that are deleted.
        """
        shown = self._shown
        wanted = self._wanted(start, stop)
        for page in wanted:
            begin = page * _PAGE_ROWS
            rows: list[Row] = []
            for path, numbers in shown.part(begin, begin + self._rows_on(page)):
                rows += await self._rows(path, numbers)
            if shown is not self._shown:
                return  # other words were typed meanwhile
            told = {row.key: row for row in self._pages.get(page, ()) if not is_pending(row)}
            self._pages[page] = [told.get(row.key, row) for row in rows]
            self._pages.move_to_end(page)
        while len(self._pages) > _KEPT_PAGES:
            self._pages.popitem(last=False)
        untold = None if wanted else self._untold(start, stop)
        if untold is not None:
            await self._tell(untold)
        if self._is_searching:
            await self._search()

    def _untold(self, start: int, stop: int) -> int | None:
        """Return the first place in a range of which the dissector is to say something; None without one."""
        rows = enumerate(self.window(max(0, start), stop), max(0, start))
        return next((place for place, row in rows if row is not None and is_pending(row)), None)

    async def _tell(self, place: int) -> None:
        """Let the dissector say something of the packets of one file that are on the page with a place."""
        page, shown = place // _PAGE_ROWS, self._shown
        rows = self._pages[page]
        stop = min(place + _TOLD_AT_ONCE, page * _PAGE_ROWS + len(rows))
        path, numbers = next(iter(shown.part(place, stop)))
        told = {row.key: row for row in await self._told(path, numbers)}
        if self._pages.get(page) is rows:
            rows[:] = [told.get(row.key, row) for row in rows]
            self._listeners.tell()

    async def _search(self) -> None:
        """Look for the words in the next packets, and tell of it."""
        shown, stop = self._shown, min(len(self._found), self._searched + _SEARCH_SLICE)
        found: list[tuple[Path, list[int]]] = []
        for path, numbers in list(self._found.part(self._searched, stop)):
            rows = await self._rows(path, numbers)
            if any(map(is_pending, rows)):
                rows = await self._told(path, numbers)
            if shown is not self._shown:
                return
            pairs = zip(numbers, rows, strict=True)
            found.append((path, [number for number, row in pairs if matches(row, self._text)]))
        if shown is self._shown:
            for path, chosen in found:  # all at once: what could not be read is looked through again, whole
                shown.add(path, chosen)
            self._searched = stop
            self._listeners.tell()

    async def _rows(self, path: Path, numbers: Sequence[int]) -> list[Row]:
        """Return lines in our own words; what the dissector is to say of them is pending."""
        return await self._made(
            path, numbers, self._lines.read(path.name, numbers, self._columns.keys), line_row
        )

    async def _told(self, path: Path, numbers: Sequence[int]) -> list[Row]:
        """Return lines as they are listed in the end; none when other words are typed meanwhile."""
        telling = self._lines.told(path.name, numbers, self._columns)
        asking = self._asking = asyncio.ensure_future(self._made(path, numbers, telling, own_row))
        try:
            await asyncio.wait({asking})
        finally:
            asking.cancel()
        return [] if asking.cancelled() else asking.result()

    async def _made(
        self,
        path: Path,
        numbers: Sequence[int],
        reading: Awaitable[list[PacketLine]],
        make: Callable[[PacketLine, PacketColumns], Row],
    ) -> list[Row]:
        place = str(file_number(path.name) or "")
        try:
            lines = await reading
        except (NotFound, InvalidInput):  # deleted by a ring
            return [
                Row(SetMatch(path.name, number), (place, *_gone(number, self._columns)), "muted")
                for number in numbers
            ]
        rows = (make(line, self._columns) for line in lines)
        return [
            Row(SetMatch(path.name, number), (place, *row.cells))
            for number, row in zip(numbers, rows, strict=True)
        ]

    async def sort(self, column_key: str | None, reverse: bool) -> None:
        """Keep the order of the files."""

    async def filter(self, text: str) -> None:
        """Keep the packets whose line contains ``text``; loading finds them."""
        if text != self._text:
            if self._asking is not None:
                self._asking.cancel()
            self._text, self._searched = text, 0
            self._shown = SetMatches() if text else self._found
            self._pages.clear()
            self._listeners.tell()

    def position_of(self, key: Hashable) -> int | None:
        """Return where a packet stands; None when it is not among them."""
        return self._shown.place(key) if isinstance(key, SetMatch) else None

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; the returned function ends that."""
        return self._listeners.subscribe(listener)


def _gone(number: int, columns: PacketColumns) -> list[str]:
    """Return the cells of a packet whose file is deleted."""
    known = {"number": thin(number), columns.keys[-1]: "the ring has deleted the file"}
    return [known.get(key, "") for key in columns.keys]
