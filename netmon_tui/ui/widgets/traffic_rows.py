"""Who talks in a capture as columns and rows of tables: one table for each kind of entry."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace

from netmon_tui.domain.traffic import (
    Conversation,
    LengthShare,
    ServiceShare,
    Talker,
    Traffic,
    TrafficKind,
)
from netmon_tui.ui.rendering import bar, rate, size, thin
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table_columns import Column

Entry = Talker | Conversation | ServiceShare | LengthShare
KINDS: tuple[tuple[TrafficKind, str], ...] = (
    ("talkers", "Talkers"),
    ("conversations", "Conversations"),
    ("services", "Services"),
    ("lengths", "Lengths"),
)
"""What is counted, and its title."""
_SHARE_CELLS = 20
_LONGEST_COUNT = 9
_MAC = 17
"""Cells of a MAC address, and more than any of IPv4."""
_FIGURES = (
    Column("bytes", "Bytes", width=7, align="right", priority=0),
    Column("rate", "Rate", width=10, align="right", priority=1),
    Column("packets", "Packets", width=9, align="right", priority=2),
    Column("sent", "Sent", width=7, align="right", priority=3),
    Column("received", "Received", width=8, align="right", priority=3),
)
COLUMNS: dict[TrafficKind, tuple[Column, ...]] = {
    "talkers": (Column("address", "Address", minimum=_MAC, priority=0), *_FIGURES),
    "conversations": (
        Column("client", "Client", minimum=_MAC, priority=0),
        Column("server", "Server", minimum=_MAC, priority=0),
        Column("service", "Service", width=11, priority=0),
        *_FIGURES,
    ),
    "services": (
        Column("service", "Service", width=20, priority=0),
        *_FIGURES[:3],
        Column("share", "Share", width=_SHARE_CELLS, priority=1),
    ),
    "lengths": (
        Column("length", "Bytes on the wire", width=17, priority=0),
        Column("packets", "Packets", width=9, align="right", priority=0),
        Column("share", "Share", width=_SHARE_CELLS, priority=1),
    ),
}

_LAST_PRIORITY = 9
"""Of a column that tells nothing: any other has its room first."""


def columns_of(kind: TrafficKind, *, live: bool) -> tuple[Column, ...]:
    """Return the columns of a table; what has ended has no rates, and their column gives its room away."""
    if live:
        return COLUMNS[kind]
    return tuple(replace(one, priority=_LAST_PRIORITY) if one.key == "rate" else one for one in COLUMNS[kind])


class TrafficRows:
    """Turns what was counted into rows, with rates from one time to the next."""

    def __init__(self) -> None:
        self._before: dict[Hashable, int] = {}
        self._at = 0.0
        self._kept_up = True

    def rows(
        self, traffic: Traffic, kind: TrafficKind, now: float, *, ascii_only: bool, live: bool = True
    ) -> list[Row]:
        """Return the rows of a kind.

        Args:
            traffic: What was counted.
            kind: Which of it.
            now: Monotonic time in seconds.
            ascii_only: How bars are drawn.
            live: Whether packets still come: else it is our reading that makes the figures grow.
        """
        found: tuple[Entry, ...] = getattr(traffic, kind)
        entries = {key_of(one): one for one in found}
        before, passed = self._before, now - self._at
        # what was left before has been read since, beside the new
        live = live and traffic.keeps_up and self._kept_up
        self._kept_up = traffic.keeps_up
        self._before = {key: one.bytes for key, one in entries.items() if not isinstance(one, LengthShare)}
        self._at = now

        def speed(key: Hashable) -> Cell:
            grown = self._before[key] - before.get(key, self._before[key])
            each = grown / passed if passed > 0 else 0.0
            return Cell(rate(each, "B/s") if live and each >= 1 else "", sort=each if live else 0.0)

        whole = traffic.packets if kind == "lengths" else traffic.bytes
        return [Row(key, tuple(_cells(one, key, speed, whole, ascii_only))) for key, one in entries.items()]


def key_of(one: Entry) -> Hashable:
    """Return what an entry is known by."""
    if isinstance(one, Talker):
        return one.address
    if isinstance(one, Conversation):
        return one.client, one.server, one.service
    return one.service if isinstance(one, ServiceShare) else one.least


def _cells(
    one: Entry, key: Hashable, speed: Callable[[Hashable], Cell], whole: int, ascii_only: bool
) -> Iterator[str | Cell]:
    if isinstance(one, LengthShare):
        yield from (one.label, _count(one.packets), _share(one.packets, whole, ascii_only))
        return
    if isinstance(one, Talker):
        yield one.address
    elif isinstance(one, ServiceShare):
        yield one.service.label
    else:
        yield from (one.client, one.server, one.service.label)
    yield from (Cell(size(one.bytes), sort=one.bytes), speed(key), _count(one.packets))
    if isinstance(one, ServiceShare):
        yield _share(one.bytes, whole, ascii_only)
    else:
        yield Cell(size(one.sent_bytes), sort=one.sent_bytes)
        yield Cell(size(one.received_bytes), sort=one.received_bytes)


def _count(packets: int) -> Cell:
    words = thin(packets)
    return Cell(words if len(words) <= _LONGEST_COUNT else rate(packets, ""), sort=packets)


def _share(part: int, whole: int, ascii_only: bool) -> Cell:
    return Cell(bar(part / whole if whole else 0.0, _SHARE_CELLS, ascii_only), "accent", sort=part)
