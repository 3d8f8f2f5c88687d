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
_ENDS = frozenset({"source", "destination"})
_USUAL = PacketColumns().keys
_NUMBER, _END, _INFO = 9, 15, 14
"""Cells of the number and the addresses of packets of which nothing is known, and the fewest of their info."""
_LEAST_NUMBER, _LEAST_END, _LEAST_INFO = 6, len("Destination"), 10
_SHORTENED_END = 12
"""Cells of an address where columns were added: it is cut before one of the usual columns goes."""
_OURS_AT_FIRST = frozenset({"protocol", "info"})
_WIDEST_TITLE = 16


@dataclass(frozen=True, slots=True)
class Pending(Cell):
    """A cell whose text the dissector has not said yet."""


_UNSAID = Pending("…", "muted")
_UNKNOWN = Cell("?", "muted")


@dataclass(frozen=True, slots=True)
class Needs:
    """Cells that some packets take; by default what nearly all packets can do with."""

    number: int = _NUMBER
    end: int = _END
    """Of source and destination."""

    @classmethod
    def of(cls, packets: int, widest_end: int) -> Needs:
        """Return those of so many packets whose longest address has so many characters."""
        return cls(max(_LEAST_NUMBER, len(thin(packets))), min(_END, max(_LEAST_END, widest_end)))


def table_columns(
    columns: PacketColumns, *, nanoseconds: bool = False, needs: Needs | None = None
) -> tuple[Column, ...]:
    """Return the columns of a table, in which times have nanoseconds or microseconds.

    What numbers and addresses do not need is the info's, or that of columns that were added.
    """
    needs = needs or Needs()
    added = [_column(key) for key in columns.keys if key not in _USUAL and key not in TIMES]
    end = min(needs.end, _SHORTENED_END) if added else needs.end
    spare = _NUMBER - needs.number + 2 * (_END - end)
    info = max(_LEAST_INFO, _INFO + spare - sum(one.needed + 1 for one in added))
    found = [_column(key) for key in columns.keys]
    for at, one in enumerate(found):
        if one.key == "number":
            found[at] = replace(one, width=needs.number)
        elif one.key in _ENDS:
            found[at] = replace(one, minimum=end, share=0 if end == needs.end < _END else 1)
        elif one.key == "info":
            found[at] = replace(one, minimum=info)
        elif one.key in TIMES and nanoseconds:
            found[at] = replace(one, width=_WIDTHS[one.key] + 3)
    return tuple(found)


def _column(key: str) -> Column:
    title = title_of(key)
    if key == "number":
        return Column(key, title, width=_NUMBER, align="right", priority=0)
    if key in _ENDS:
        return Column(key, title, minimum=_END, share=1, priority=0)
    if key == "info":
        return Column(key, title, minimum=_INFO, share=3, priority=0)
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
    is_said = columns.by_tshark or line.is_sealed
    cells: list[str | Cell] = []
    for key, cell in zip(columns.keys, own.cells, strict=True):
        if key in fields:
            cells.append(_UNSAID)
        elif is_said and (key in _OURS_AT_FIRST or (key in _ENDS and not cell)):
            cells.append(Pending(cell_text(cell), "muted"))
        else:
            cells.append(cell)
    return Row(own.key, tuple(cells))


def is_pending(row: Row) -> bool:
    """Whether the dissector is still to say something of it."""
    return any(isinstance(cell, Pending) for cell in row.cells)


def said_row(row: Row, columns: PacketColumns, said: Dissected | None) -> Row:
    """Return a line with what the dissector said; None when it failed, then our own words stay."""
    values: dict[str, str | Cell] = dict.fromkeys(columns.fields, _UNKNOWN)
    if said is not None:
        values = dict(zip(columns.fields, said.fields, strict=False))
        values |= {key: getattr(said, key) for key in (*_ENDS, *_OURS_AT_FIRST)}
    pairs = zip(columns.keys, row.cells, strict=True)
    return Row(
        row.key,
        tuple(values.get(key, cell_text(cell)) if isinstance(cell, Pending) else cell for key, cell in pairs),
        row.tone,
    )
