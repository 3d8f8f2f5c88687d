"""The answer to a question about a capture as columns and rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from netmon_tui.domain.analysis import Analysis, AnalysisColumn, AnalysisRow, Value, has_times
from netmon_tui.ui.rendering import Tone, bar, size, thin
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table_columns import Column

_GRAPH_CELLS = 24
GRAPH = Column("graph", "Graph", width=_GRAPH_CELLS, priority=0)
"""What the I/O graph has beside its figures."""
_INDENT = "  "
_WIDE = {
    "a": 15,
    "b": 15,
    "address": 15,
    "protocol": 14,
    "item": 20,
    "summary": 20,
    "info": 24,
    "procedure": 14,
    "source": 15,
    "destination": 15,
}
"""Fewest cells of columns with text, by key."""
_PROTOCOL = 9
"""Cells of a protocol's name where it is no tree."""
_FIXED = {
    "ladder": 29,
    "ports": 13,
    "severity": 8,
    "group": 10,
    **dict.fromkeys(("retransmissions", "lost_segments", "out_of_order", "zero_windows"), 5),
}
_WHOLE = 999.995
"""Numbers from here on are shown without decimals, which their column has no room for."""
_WIDTHS = {"count": 8, "bytes": 7, "seconds": 8, "time": 11, "percent": 7, "number": 6}
_CLOCK_CELLS = 15
_Clock = Callable[[float], str]
_FIRST = ("a", "b", "a_port", "b_port", "address", "port", "packets", "count", "summary", "item", "severity")
_PRIORITIES = {
    **dict.fromkeys((*_FIRST, "protocol", "time", "ladder", "procedure", "calls"), 0),
    **dict.fromkeys(("bytes", "retransmissions", "rtt", "percent", "mean", "info", "average"), 1),
    **dict.fromkeys(("duration", "lost_segments", "lost", "most", "per_second"), 2),
}
_LAST = 3
_TONES: dict[str, Tone] = {"error": "error", "warning": "warning", "note": "accent"}
"""Of severities, which the cell says in words."""


def columns_of(answer: Analysis, *, graph: bool, clock: bool = False) -> tuple[Column, ...]:
    """Return the columns of the table that shows an answer, with clock times if that is wanted and known."""
    first, *others = (_column(column, clock=clock and has_times(answer)) for column in answer.columns)
    columns = (first, *(replace(one, width=_PROTOCOL) if one.key == "protocol" else one for one in others))
    return (*columns[:1], GRAPH, *columns[1:]) if graph else columns


def _column(column: AnalysisColumn, *, clock: bool) -> Column:
    priority = _PRIORITIES.get(column.key, _LAST)
    width = _FIXED.get(column.key) or _WIDTHS.get(column.kind, 0)
    if clock and column.kind == "time":
        width = _CLOCK_CELLS
    if column.kind == "text":
        return Column(
            column.key, column.label, width=width, minimum=_WIDE.get(column.key, 8), priority=priority
        )
    return Column(column.key, column.label, width=width, align="right", priority=priority)


def rows_of(answer: Analysis, *, graph: bool, ascii_only: bool, clock: bool = False) -> Iterator[Row]:
    """Yield the rows, each known by its place in the answer."""
    kinds = [column.kind for column in answer.columns]
    told = _clock_of(answer) if clock and has_times(answer) else None
    highest = max((_packets(row) for row in answer.rows), default=0) if graph else 0
    for place, row in enumerate(answer.rows):
        cells = [_cell(value, kind, told) for value, kind in zip(row.cells, kinds, strict=True)]
        if row.depth and isinstance(cells[0], str):
            cells[0] = _INDENT * row.depth + cells[0]
        if graph:
            part = _packets(row) / highest if highest else 0.0
            cells.insert(1, Cell(bar(part, _GRAPH_CELLS, ascii_only), "accent", sort=_packets(row)))
        yield Row(place, tuple(cells))


def _packets(row: AnalysisRow) -> int:
    value = row.cells[2]
    return value if isinstance(value, int) else 0


def _clock_of(answer: Analysis) -> _Clock:
    """Return what tells seconds since the first packet as local time, with the day where they are of several."""
    begin = answer.begin or 0

    def moment(seconds: float) -> datetime:
        whole, rest = divmod(begin + round(seconds * 10**9), 10**9)
        return datetime.fromtimestamp(whole, UTC).replace(microsecond=rest // 1000).astimezone()

    times = [place for place, column in enumerate(answer.columns) if column.kind == "time"]
    last = max((float(row.cells[place] or 0) for row in answer.rows for place in times), default=0.0)
    form = "%H:%M:%S.%f" if moment(0).date() == moment(last).date() else "%m-%d %H:%M:%S"
    return lambda seconds: moment(seconds).strftime(form)


def _cell(value: Value, kind: str, clock: _Clock | None) -> str | Cell:
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return Cell(value, _TONES[value]) if value in _TONES else value
    return Cell(clock(value) if clock and kind == "time" else _words(value, kind), sort=value)


def _words(value: int | float, kind: str) -> str:
    if kind == "count":
        return thin(int(value))
    if kind == "bytes":
        return size(value)
    if kind == "seconds":
        return elapsed(value)
    if kind == "time":
        return f"{value:.6f}"
    if kind == "percent":
        return f"{value:.1f} %"
    return str(value) if isinstance(value, int) else f"{value:.{2 if abs(value) < _WHOLE else 0}f}"


def elapsed(seconds: float) -> str:
    """Return how long something took, to three figures: ``35 us``, ``12.5 ms``, ``1.25 s``, ``310 s``."""
    for unit, least in (("s", 1.0), ("ms", 1e-3), ("us", 0.0)):
        if seconds >= least:
            scaled = seconds / {"s": 1.0, "ms": 1e-3, "us": 1e-6}[unit]
            return f"{scaled:.3g} {unit}" if scaled < 999.5 else f"{scaled:.0f} {unit}"
    return ""
