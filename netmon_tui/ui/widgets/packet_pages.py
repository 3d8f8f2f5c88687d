"""The pages of a packet list that are kept, with chosen columns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import islice

from netmon_tui.domain.packet_columns import Dissected, PacketColumns, PacketLine
from netmon_tui.errors import NetmonError
from netmon_tui.services.packet_list import PacketList
from netmon_tui.ui.widgets.packet_columns import is_pending, line_row, own_row, said_row
from netmon_tui.ui.widgets.row_source import Row

_KEPT_PAGES = 150


class PacketPages:
    """Rows by page. What only the dissector knows is asked for some hundred packets at a time.

    Args:
        packets: The file.
    """

    def __init__(self, packets: PacketList) -> None:
        self._packets = packets
        self._rows: OrderedDict[int, list[Row]] = OrderedDict()
        self._ends: dict[int, tuple[str, str]] = {}
        """Source and destination by number, of the pages that are kept."""
        self.widest_end = 0
        """Characters of the longest address of those that were read."""
        self.columns = PacketColumns()

    def show(self, columns: PacketColumns) -> None:
        """Make the pages anew with other columns, or with what the dissector says now."""
        self.columns = columns
        self._rows = OrderedDict()

    def clear(self) -> None:
        """Keep none."""
        self._rows = OrderedDict()
        self._ends = {}

    def rows(self, page: int) -> Sequence[Row]:
        """Return the rows of a page; none when it is not kept."""
        return self._rows.get(page, ())

    def row(self, page: int, offset: int) -> Row | None:
        """Return a row of a page; None when it is not kept."""
        rows = self.rows(page)
        return rows[offset] if offset < len(rows) else None

    def ends(self, number: object) -> tuple[str, str]:
        """Return source and destination of a packet; empty when its page is not kept."""
        return self._ends.get(number, ("", "")) if isinstance(number, int) else ("", "")

    async def read(self, wanted: Mapping[int, Sequence[int]]) -> None:
        """Keep some pages, each of packets of some numbers, unless all are dropped or shown otherwise meanwhile.

        They are read in one go: each wait for a thread costs more than the lines of a page. What the dissector has
        said of packets stays.
        """
        if not wanted:
            return
        rows, columns = self._rows, self.columns
        numbers = [number for page in wanted.values() for number in page]
        lines = iter(await self._packets.lines(numbers, columns.keys))
        if self._rows is not rows or self.columns is not columns:
            return
        for page, within in wanted.items():
            self._keep(page, list(islice(lines, len(within))))
        while len(rows) > _KEPT_PAGES:
            for row in rows.popitem(last=False)[1]:
                self._ends.pop(row.key, None)  # type: ignore[call-overload]

    def _keep(self, page: int, lines: Sequence[PacketLine]) -> None:
        known = {row.key: row for row in self.rows(page) if not is_pending(row)}
        self._rows[page] = [known.get(line.summary.number) or line_row(line, self.columns) for line in lines]
        self._rows.move_to_end(page)
        ends = {line.summary.number: (line.summary.source, line.summary.destination) for line in lines}
        self._ends |= {number: pair for number, pair in ends.items() if any(pair)}
        self._widen(ends.values())

    def _widen(self, ends: Iterable[tuple[str, str]]) -> None:
        self.widest_end = max([self.widest_end, *(len(end) for pair in ends for end in pair)])

    async def ask(self, number: int) -> None:
        """Let the dissector say what it knows of a packet, and of those near it."""
        rows, columns = self._rows, self.columns
        said = await self._said(number, columns)
        if self._rows is not rows or self.columns is not columns:
            return
        failed = number not in said
        for page in rows.values():
            for at, row in enumerate(page):
                if is_pending(row) and (failed or row.key in said):
                    one = said.get(row.key)  # type: ignore[call-overload]
                    page[at] = said_row(row, columns, one)
                    self._take_ends(row.key, one)

    async def _said(self, number: int, columns: PacketColumns) -> dict[int, Dissected]:
        """Return what the dissector says of a packet and of those near it; nothing when it fails."""
        try:
            return await self._packets.dissected(number, columns.fields)
        except (NetmonError, OSError):
            return {}

    async def told(self, lines: Sequence[PacketLine]) -> tuple[list[Row], bool]:
        """Return lines as they are shown once the dissector has said what it knows, and whether it has.

        They are the first of those given: as many as one question to it tells.
        """
        columns = self.columns
        is_asked = columns.by_tshark or bool(columns.fields)
        said: dict[int, Dissected] | None = None
        rows: list[Row] = []
        for line in lines:
            number = line.summary.number
            if not (is_asked or line.is_sealed):
                rows.append(own_row(line, columns))
                continue
            if said is None:
                said = await self._said(number, columns)
            elif said and number not in said:
                break
            rows.append(said_row(line_row(line, columns), columns, said.get(number)))
        return rows, bool(said)

    def _take_ends(self, number: Hashable, said: Dissected | None) -> None:
        """Keep the addresses of a packet in whose bytes we find none."""
        if said is not None and isinstance(number, int) and number not in self._ends:
            self._ends[number] = said.source, said.destination
            self._widen([self._ends[number]])


def first_pending(rows: Iterable[Row | None]) -> int | None:
    """Return the number of the first packet of which the dissector is to say something."""
    numbers = (row.key for row in rows if row is not None and is_pending(row))
    found = next(numbers, None)
    return found if isinstance(found, int) else None
