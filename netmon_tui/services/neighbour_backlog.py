"""What another program should have stored: kept until that is certain, for it may have died or stand still."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from netmon_tui.domain.neighbour_event import NeighbourEvent
from netmon_tui.storage.neighbour_repository import NeighbourNews, Pair, Sighting

MOST_EVENTS = 10_000
MOST_SIGHTINGS = 100_000
"""About 20 MB."""


class NeighbourBacklog:
    """News that are bounded: what is too much is folded first, and then left out, the lightest and oldest first."""

    def __init__(self) -> None:
        self._sightings: list[Sighting] = []
        self._events: list[NeighbourEvent] = []

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self._sightings or self._events)

    def keep(self, news: NeighbourNews) -> None:
        """Take what another program is to store."""
        self._sightings = _bounded_sightings([*self._sightings, *news.sightings], MOST_SIGHTINGS)
        self._events = bounded_events([*self._events, *news.doubtful, *news.events], MOST_EVENTS)

    def forget(self, since: datetime, until: datetime) -> None:
        """Let go of what is certainly stored: all that happened in a time."""
        self._sightings = [one for one in self._sightings if not since <= one.time <= until]
        self._events = [
            event for event in self._events if not since <= event.time <= (event.last or event.time) <= until
        ]

    def take(self) -> NeighbourNews:
        """Return all of it, and keep nothing."""
        news = NeighbourNews(sightings=self._sightings, doubtful=self._events)
        self._sightings, self._events = [], []
        return news


def bounded_events(events: Sequence[NeighbourEvent], most: int) -> list[NeighbourEvent]:
    """Return at most so many events in their order: the same again is folded, and the lightest go first."""
    if len(events) <= most:
        return list(events)
    folded: dict[tuple[str | int, ...], NeighbourEvent] = {}
    for number, event in enumerate(events):
        if event.kind.turns:  # down, back and down again are three
            folded[number,] = event
            continue
        first = folded.setdefault(event.subject, event)
        if first is not event:
            last = max(first.last or first.time, event.last or event.time)
            folded[event.subject] = replace(first, last=last, count=first.count + event.count)
    numbered = sorted(enumerate(folded.values()), key=lambda pair: (pair[1].severity.rank, -pair[0]))
    return [event for _, event in sorted(numbered[:most])]


def _bounded_sightings(sightings: list[Sighting], most: int) -> list[Sighting]:
    """Return at most so many sightings: of each address at each lladdr the first and the last, and the latest."""
    if len(sightings) <= most:
        return sightings
    firsts: dict[Pair, Sighting] = {}
    lasts: dict[Pair, Sighting] = {}
    for sighting in sightings:
        pair = sighting.interface, sighting.address, sighting.lladdr
        firsts.setdefault(pair, sighting)
        lasts[pair] = sighting
    kept: Iterable[Sighting] = dict.fromkeys([*firsts.values(), *lasts.values()])
    return sorted(kept, key=lambda sighting: sighting.time)[-most:]
