"""Rows of the neighbour table: the kernel's entries as they look at one moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.neighbour import REMEMBERED, NeighbourRecord
from netmon_tui.ui.rendering import age, state_style, when
from netmon_tui.ui.widgets.deferred_source import SLICE
from netmon_tui.ui.widgets.row_source import Cell, Row, cell_text
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("address", "Address", minimum=15, priority=0, share=8),
    Column("lladdr", "lladdr", width=17, priority=0),
    Column("vendor", "Vendor", minimum=10, priority=2, share=2),
    Column("interface", "Iface", width=7, priority=1),
    Column("state", "State", width=12, priority=0),
    Column("age", "Age", width=4, align="right", priority=4),
    Column("name", "Name", minimum=10, priority=1, share=2),
    Column("first_seen", "First seen", width=10, priority=5),
    Column("last_seen", "Last seen", width=10, priority=6),
    Column("flags", "Flags", minimum=7, priority=3),
)
_TIMES = tuple(index for index, column in enumerate(COLUMNS) if column.key in ("age", "name", "last_seen"))
"""Cells that move on by themselves, or come later: no reason for a row to flash."""
STEADY = ("address", "interface")
"""Columns that are the key of a row."""
LLADDR, _STATE = (
    next(index for index, column in enumerate(COLUMNS) if column.key == key) for key in ("lladdr", "state")
)


def pairs(keys: Iterable[Hashable]) -> list[tuple[str, str]]:
    """Return keys of rows as those of the service: interface and address."""
    return [(str(key[0]), str(key[1])) for key in keys if isinstance(key, tuple)]


async def rows_of(records: Sequence[NeighbourRecord]) -> list[Row]:
    """Return the rows of records; ten thousand of them do not hold up the keyboard."""
    look = RowLook(datetime.now(UTC))
    rows: list[Row] = []
    for start in range(0, len(records), SLICE):
        rows += [look.row(record) for record in records[start : start + SLICE]]
        await asyncio.sleep(0)
    return rows


def as_gone(row: Row) -> Row | None:
    """Return a row whose entry the kernel has dropped; None where nobody knew its lladdr."""
    if not cell_text(row.cells[LLADDR]):
        return None
    look = state_style(REMEMBERED)
    cells = (*row.cells[:_STATE], Cell(look.label(), look.tone), *row.cells[_STATE + 1 :])
    return replace(row, cells=cells)


def differs(old: Row | None, new: Row) -> bool:
    """Whether more than the time differs."""
    return old is None or any(
        before != after
        for index, (before, after) in enumerate(zip(old.cells, new.cells, strict=True))
        if index not in _TIMES
    )


class RowLook:
    """Makes rows as they look at one moment; what many rows share is made once.

    Args:
        now: The moment.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._monotonic = time.monotonic()
        """Ages are ordered by when they began, which stays true while they are not looked at."""
        self._today = now.astimezone().date()
        self._moments: dict[int, tuple[str, bool]] = {}
        """Minute since the epoch -> (how it is written, whether it is of today)."""
        self._states: dict[str, Cell] = {}

    def row(self, record: NeighbourRecord) -> Row:
        """Return the row of a record."""
        first_seen, is_new = self._moment(record.first_seen)
        return Row(
            (record.interface, record.address),
            (
                Cell(record.address, sort=packed_sort_key(record.address)),
                Cell(record.lladdr, "muted") if record.lladdr_remembered else record.lladdr,
                Cell("(private)", "muted") if record.private else record.vendor,
                record.interface,
                self._state(record.state),
                Cell(age(record.age), sort=round(record.age - self._monotonic)),
                record.name or record.hostname,
                first_seen,
                self._moment(record.last_seen)[0],
                _flags(record, is_new=is_new),
            ),
        )

    def _state(self, state: str) -> Cell:
        cell = self._states.get(state)
        if cell is None:
            look = state_style(state)
            cell = self._states[state] = Cell(look.label(), look.tone)
        return cell

    def _moment(self, moment: datetime | None) -> tuple[str, bool]:
        if moment is None:
            return "", False
        minute = int(moment.timestamp() // 60)
        if minute not in self._moments:
            self._moments[minute] = when(moment, self._now), moment.astimezone().date() == self._today
        return self._moments[minute]


def _flags(record: NeighbourRecord, *, is_new: bool) -> str:
    marks = (
        ("gateway", record.gateway),
        ("router", record.router and not record.gateway),
        ("new", is_new),
        ("own", record.own),
        ("known", record.known),
    )
    return " ".join(word for word, is_set in marks if is_set)
