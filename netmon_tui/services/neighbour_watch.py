"""What waits for whoever watches the neighbour table: bounded, and what there was no room for is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from netmon_tui.domain.known_address import Key
from netmon_tui.domain.neighbour import NeighbourRecord
from netmon_tui.domain.neighbour_event import NeighbourEvent

MOST_WAITING = 100_000
"""Events, about 50 MB."""


class WatchedEvents(NamedTuple):
    """What happened since the last look."""

    events: Sequence[NeighbourEvent]
    """In the order in which they happened; without numbers, for they may not be stored yet."""
    lost: int = 0
    """So many more happened before the next ones, and there was no room for them."""


class WatchedTable(NamedTuple):
    """What changed in the table since the last look, each entry as it is by now."""

    seen: Sequence[NeighbourRecord]
    removed: Sequence[Key]


class EventQueue:
    """Events that wait for one who watches."""

    def __init__(self) -> None:
        self._waiting: list[NeighbourEvent] = []
        self._lost = 0
        self._more = asyncio.Event()

    def put(self, events: Iterable[NeighbourEvent]) -> None:
        """Take events; never waits."""
        for event in events:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(event)
            else:
                self._lost += 1
            self._more.set()

    async def take(self) -> WatchedEvents:
        """Return all that waits, as soon as there is anything."""
        await self._more.wait()
        self._more.clear()
        taken = WatchedEvents(self._waiting, self._lost)
        self._waiting, self._lost = [], 0
        return taken


class ShownTable:
    """Tells the entries that changed from those of which only the ages are new.

    Args:
        records: How the table is to begin with.
    """

    def __init__(self, records: Iterable[NeighbourRecord]) -> None:
        self._looks = {_key(record): _look(record) for record in records}

    def take(self, changed: Iterable[NeighbourRecord], removed: Iterable[Key]) -> WatchedTable:
        """Return of what the table reports that which was not so before."""
        seen = [record for record in changed if self._looks.get(_key(record)) != _look(record)]
        self._looks |= {_key(record): _look(record) for record in seen}
        gone = [key for key in removed if self._looks.pop(key, None) is not None]
        return WatchedTable(seen, gone)


def _key(record: NeighbourRecord) -> Key:
    return record.interface, record.address


def _look(record: NeighbourRecord) -> tuple[object, ...]:
    return record.lladdr, record.lladdr_remembered, record.state, record.router, record.name, record.known
