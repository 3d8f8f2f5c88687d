"""Chosen columns of packets as columns of a table, and their cells while the dissector has not said all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from netmon_tui.domain.packet_columns import (
    TIMES,
    Dissected,
    PacketColumns,
    PacketLine,
    said_cells,
    title_of,
)
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.widgets.row_source import Cell, Row, cell_text
from netmon_tui.ui.widgets.table_columns import Column

_WIDTHS: Mapping[str, int] = {
    "time": 15, "utc": 15, "datetime": 26, "epoch": 17, "since": 13, "delta": 11, "source_port": 8,
    "destination_port": 8, "source_mac": 17, "destination_mac": 17, "vlan": 9, "ttl": 3, "interface": 10,
    "protocol": 8,
    "length": 6, "captured": 8,
}  # fmt: skip
_NUMBERS = frozenset(
    {"epoch", "since", "delta", "source_port", "destination_port", "ttl", "length", "captured"}
)
_DROPPED = {"length": 3, "captured": 3, "time": 2}
"""Priorities of columns that are dropped before others."""
_HUNDREDTHS = len("14:03:05.12")
"""Cells of a time of day that will do: at 80 columns the usual ones fit so, but for the length."""
_OURS_AT_FIRST = frozenset({"protocol", "info"})
_WIDEST_TITLE = 16


@dataclass(frozen=True, slots=True)
class Pending(Cell):
    """A cell whose text the dissector has not said yet."""


_UNSAID = Pending("…", "muted")
_UNKNOWN = Cell("?", "muted")


def table_columns(columns: PacketColumns, *, nanoseconds: bool = False) -> tuple[Column, ...]:
    """Return the columns of a table, in which times have nanoseconds or microseconds."""
    found = map(_column, columns.keys)
    if not nanoseconds:
        return tuple(found)
    return tuple(replace(one, width=_WIDTHS[one.key] + 3) if one.key in TIMES else one for one in found)


def _column(key: str) -> Column:
    title = title_of(key)
    if key == "number":
        return Column(key, title, width=9, align="right", priority=0)
    if key in ("source", "destination"):
        return Column(key, title, minimum=15, share=1, priority=0)
    if key == "info":
        return Column(key, title, minimum=14, share=3, priority=0)
    if key in _WIDTHS:
        align: Literal["left", "right"] = "right" if key in _NUMBERS else "left"
        least = _HUNDREDTHS if key in ("time", "utc") else 0
        return Column(key, title, _WIDTHS[key], least, align=align, priority=_DROPPED.get(key, 1))
    return Column(key, title, minimum=min(max(len(title), 8), _WIDEST_TITLE), share=1, priority=0)


def own_row(line: PacketLine, columns: PacketColumns) -> Row:
    """Return the line of a packet as we can say it without the dissector, whose fields are empty."""
    pairs = zip(columns.keys, line.cells, strict=True)
    return Row(
        line.summary.number, tuple(thin(int(text)) if key == "number" else text for key, text in pairs)
    )


def line_row(line: PacketLine, columns: PacketColumns) -> Row:
    """Return the line of a packet; its key is its number. What the dissector is to say is :class:`Pending`."""
    own, fields = own_row(line, columns), columns.fields
    cells: list[str | Cell] = []
    for key, cell in zip(columns.keys, own.cells, strict=True):
        if key in fields:
            cells.append(_UNSAID)
        elif key in _OURS_AT_FIRST and columns.by_tshark:
            cells.append(Pending(cell_text(cell), "muted"))
        else:
            cells.append(cell)
    return Row(own.key, tuple(cells))


def is_pending(row: Row) -> bool:
    """Whether the dissector is still to say something of it."""
    return any(isinstance(cell, Pending) for cell in row.cells)


def said_row(row: Row, columns: PacketColumns, said: Dissected | None) -> Row:
    """Return a line with what the dissector said; None when it failed, then our own words stay."""
    ours = [cell_text(cell) for cell in row.cells]
    if said is not None:
        return Row(row.key, said_cells(columns, ours, said), row.tone)
    fields = columns.fields
    pairs = zip(columns.keys, ours, strict=True)
    return Row(row.key, tuple(_UNKNOWN if key in fields else text for key, text in pairs), row.tone)
