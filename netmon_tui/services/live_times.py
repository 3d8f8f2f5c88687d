"""When an address was last heard from, by the live table: what is stored of that lags behind by a minute or two."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from netmon_tui.domain.neighbour import NeighbourRecord, NudState
from netmon_tui.domain.user import Actor
from netmon_tui.storage.neighbour_repository import Pair


class LiveEntries(Protocol):
    """Returns the live entries of an address, or of a lladdr."""

    def __call__(self, actor: Actor, *, address: str = "", lladdr: str = "") -> list[NeighbourRecord]:
        """As :meth:`~netmon_tui.services.neighbours.NeighbourService.entries_of`."""


class LiveTimes:
    """The last signs that the live table tells.

    Args:
        live: Its entries; one without a lladdr, or set by hand, tells nothing of its holder.
    """

    def __init__(self, live: Iterable[NeighbourRecord]) -> None:
        self._signs: dict[Pair, datetime] = {
            (one.interface, one.address, one.lladdr): one.last_seen
            for one in live
            if one.last_seen is not None and not one.lladdr_remembered and one.state != NudState.PERMANENT
        }

    def latest(self, pair: Pair, stored: datetime) -> datetime:
        """Return when a lladdr was last heard from at an address, of which a time is stored."""
        return max(stored, self._signs.get(pair, stored))
