"""What is remembered and noticed of neighbours, kept by one program at a time.

Every program that follows the table knows what it sees; the one that has the claim stores it, tells the events
and has them passed on. When it ends, the next one goes on within seconds: what it saw in the meantime it still
has at hand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from netmon_tui.domain.address import Family
from netmon_tui.domain.device import DeviceMarks
from netmon_tui.domain.neighbour import Neighbour, NudState
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.noticing import Held, Key, Noticing, NoticingLimits
from netmon_tui.errors import NetmonError
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.nudge import nudge
from netmon_tui.runtime.only_one import OnlyOne
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.neighbour_repository import (
    NeighbourNews,
    NeighbourRepository,
    Remembered,
    Sighting,
)

STORE_SECONDS = 2.0
"""How long news are gathered before they are stored together."""
AGE_SECONDS = 60.0
"""How much the stored time of the last sighting may lag behind."""
LOOK_SECONDS = 10.0
"""Between two looks at what others stored, and at devices that must be up."""
HANDED_ON_SECONDS = 300.0
"""How long news are kept that another program should have stored, but may have died or stood still over."""
MOST_UNSTORED = 10_000
"""Events that are kept while the store refuses them (a full disk); the oldest go first."""
ROUTES_SECONDS = 60.0
"""Between two looks at the routes: a router's table can be a million lines."""
_CONFIRMED = {NudState.REACHABLE, NudState.PERMANENT}

Told = Callable[[Sequence[NeighbourEvent]], Awaitable[None]]
"""Passes on events that are new and not muted."""


class NeighbourMemory:
    """The memory of one program.

    Args:
        repository, devices: Where it is kept.
        claim: What the program has that stores; None for one that never stores.
        told: Passes on the events that this program stored.
        limits: When something counts as an event.
    """

    def __init__(
        self,
        repository: NeighbourRepository,
        devices: DeviceRepository,
        claim: OnlyOne | None,
        told: Told | None = None,
        limits: NoticingLimits | None = None,
    ) -> None:
        self._repository = repository
        self._devices = devices
        self._claim = claim
        self._told = told
        self._noticing = Noticing(limits)
        self._known: dict[Key, Remembered] = {}
        self._sightings: dict[tuple[str, str, str], Sighting] = {}
        """By interface, address and lladdr: a lladdr that is soon replaced belongs to the history too."""
        self._aged: dict[Key, Sighting] = {}
        """Sightings that say nothing but that time has passed: stored now and then."""
        self._news = NeighbourNews()
        self._handed_on = NeighbourNews()
        """The latest news that another program was to store."""
        self._stored_at = 0.0
        self._looked_at = self._routes_at = time.time()
        self.marks: dict[str, DeviceMarks] = {}
        """What people say, by lladdr."""

    async def load(self) -> None:
        """Read what is stored, and which gateways there are."""
        self._known = await asyncio.to_thread(self._repository.remembered)
        held = await asyncio.to_thread(self._repository.all_held)
        down = await asyncio.to_thread(self._devices.down)
        gone = {key for key, known in self._known.items() if known.gone}
        now_held = {(*key, known.lladdr) for key, known in self._known.items()}
        held.sort(key=lambda row: row[:3] in now_held)
        self._noticing.load((Held(*row[:3], row[3].timestamp()) for row in held), gone, down)
        gateways = await asyncio.to_thread(interfaces.default_gateways)
        self._noticing.gateways = {(name, address) for name, found in gateways.items() for address in found}
        await self.read_marks()

    async def read_marks(self) -> None:
        """Read what people say; somebody may have changed it."""
        self.marks = await asyncio.to_thread(self._devices.marks)
        self._noticing.marks = self.marks

    def is_gateway(self, key: Key) -> bool:
        """Whether an address is that of a default gateway."""
        return key in self._noticing.gateways

    def known(self, key: Key) -> Remembered | None:
        """Return what is remembered of an address."""
        return self._known.get(key)

    def all_known(self) -> dict[Key, Remembered]:
        """Return what is remembered of every address; not to be changed."""
        return self._known

    def interfaces(self) -> frozenset[str]:
        """Return the interfaces that something is known of."""
        return self._noticing.interfaces

    def seen(
        self, neighbour: Neighbour, now: float, *, anew: bool, confirmed: float = 0.0, quietly: bool = False
    ) -> list[NeighbourEvent]:
        """Take an entry that has a lladdr.

        Args:
            neighbour: As the kernel reports it.
            now: POSIX seconds.
            anew: It was not in the table before.
            confirmed: Seconds since the kernel last knew it to be reachable.
            quietly: Learn it without an event.
        """
        key = neighbour.interface, neighbour.address
        before = self._known.get(key)
        other = before is None or before.lladdr != neighbour.lladdr
        if before and not (other or anew or neighbour.state in _CONFIRMED or before.gone):
            return []
        sign = now if other or neighbour.state in _CONFIRMED else max(0.0, now - confirmed)
        if before is not None and not other:
            sign = max(sign, before.last_seen.timestamp())
        events = self._noticing.seen(neighbour, now, sign=sign, quietly=quietly)
        self._remember(
            key, neighbour, before, datetime.fromtimestamp(sign, UTC), urgent=other or bool(events)
        )
        return self._note(events)

    def _remember(
        self, key: Key, neighbour: Neighbour, before: Remembered | None, time: datetime, *, urgent: bool
    ) -> None:
        self._known[key] = Remembered(
            neighbour.family.value,
            neighbour.lladdr,
            neighbour.router,
            before.first_seen if before else time,
            time,
        )
        sighting = Sighting(*key, neighbour.family.value, neighbour.lladdr, neighbour.router, time)
        if urgent:
            pair = (*key, neighbour.lladdr)
            self._sightings.pop(pair, None)  # the latest goes last: it is the one in force
            self._sightings[pair] = sighting
            self._aged.pop(key, None)
        else:
            self._aged[key] = sighting

    def failed(self, key: Key, now: float) -> None:
        """Take that an address did not answer."""
        self._noticing.failed(key, now)

    def removed(self, key: Key, now: float) -> None:
        """Take that an entry left the table."""
        self._noticing.removed(key, now)

    def link_lost(self, interface: str) -> None:
        """Take that an interface is down or gone."""
        self._noticing.link_lost(interface)

    def clock_jumped(self, now: float) -> None:
        """Take that times before cannot be compared with times from now on."""
        self._noticing.clock_jumped(now)

    def passed(self, now: float) -> list[NeighbourEvent]:
        """Return the events that come of time passing."""
        return self._note(self._noticing.passed(now))

    def _note(self, events: list[NeighbourEvent]) -> list[NeighbourEvent]:
        """Have events stored with what follows from them."""
        for event in events:
            self._news.events.append(event)
            key = event.interface, event.address
            if event.kind is NeighbourEventKind.GONE:
                self._news.gone.append((*key, event.lladdr))
                self._known[key] = self._known[key]._replace(gone=True)
            elif event.kind is NeighbourEventKind.DOWN:
                self._news.down[event.lladdr] = True
            elif event.kind is NeighbourEventKind.BACK and event.lladdr in self.marks:
                self._news.down[event.lladdr] = False
        return events

    async def look_around(self, now: float) -> list[NeighbourEvent]:
        """Every few seconds, take what changed elsewhere (marks, routes, sightings), and ask silent devices.

        Returns:
            The events that come of it.
        """
        if now - self._looked_at < LOOK_SECONDS:
            return []
        since, self._looked_at = self._looked_at - LOOK_SECONDS, now
        await self.read_marks()
        if now - self._routes_at >= ROUTES_SECONDS:
            self._routes_at = now
            self._noticing.gateways = await asyncio.to_thread(interfaces.gateways_in_routes)
        events = await self._take_foreign(datetime.fromtimestamp(max(0.0, since), UTC), now)
        if self._claim is not None and self._claim.take() and (silent := self._noticing.to_be_asked(now)):
            await asyncio.to_thread(nudge, silent)
        return events

    async def _take_foreign(self, since: datetime, now: float) -> list[NeighbourEvent]:
        """Take what another program stored: a scan that found neighbours by itself."""
        events: list[NeighbourEvent] = []
        for key, row in (await asyncio.to_thread(self._repository.remembered_since, since)).items():
            mine = self._known.get(key)
            if mine is not None and mine.last_seen >= row.last_seen:
                continue
            found = Neighbour(key[1], Family(row.family), 0, key[0], row.lladdr, NudState.STALE, row.router)
            events += self._noticing.seen(found, now, sign=row.last_seen.timestamp())
            self._known[key] = row._replace(first_seen=mine.first_seen if mine else row.first_seen)
        return self._note(events)

    async def store(self, now: float, *, all_of_it: bool = False) -> None:
        """Store what is due, if this program is the one that stores; what fails stays due.

        Args:
            now: POSIX seconds.
            all_of_it: Also what can wait.

        Raises:
            NetmonError: It cannot be stored.
        """
        if not self._is_due(now, all_of_it=all_of_it):
            return
        stores = self._claim is not None and self._claim.take()
        news = self._due(now, all_of_it=all_of_it)
        if not stores:
            self._hand_on(news, now)
            return
        try:
            told = await asyncio.to_thread(self._repository.store, news)
        except NetmonError:
            self._put_back(news)
            raise
        if told and self._told is not None:
            await self._told(told)

    def _is_due(self, now: float, *, all_of_it: bool) -> bool:
        aged = self._aged and (all_of_it or now - self._stored_at >= AGE_SECONDS)
        return bool(self._news or self._sightings or self._handed_on or aged)

    def _due(self, now: float, *, all_of_it: bool) -> NeighbourNews:
        """Take what is to be stored now."""
        news, self._news = self._news, NeighbourNews()
        if all_of_it or now - self._stored_at >= AGE_SECONDS:
            self._stored_at = now
            news.sightings += self._aged.values()
            self._aged = {}
        news.sightings += self._sightings.values()
        self._sightings = {}
        handed_on, self._handed_on = self._handed_on, NeighbourNews()
        news.sightings[:0] = handed_on.sightings
        news.doubtful[:0] = handed_on.doubtful
        return news

    def _hand_on(self, news: NeighbourNews, now: float) -> None:
        """Keep for a while what another program is to store: should it have died over it, it is needed."""
        young = datetime.fromtimestamp(now - HANDED_ON_SECONDS, UTC)
        doubtful = [*news.doubtful, *news.events]
        self._handed_on = NeighbourNews(
            sightings=[sighting for sighting in news.sightings if sighting.time >= young],
            doubtful=[event for event in doubtful if event.time >= young][-MOST_UNSTORED:],
        )

    def _put_back(self, news: NeighbourNews) -> None:
        """Keep what could not be stored; what came since is newer."""
        self._news.gone[:0] = news.gone
        self._news.events = [*news.events, *self._news.events][-MOST_UNSTORED:]
        self._news.doubtful[:0] = news.doubtful
        self._news.down = news.down | self._news.down
        newer = self._sightings
        self._sightings = {(s.interface, s.address, s.lladdr): s for s in news.sightings}
        for pair, sighting in newer.items():
            self._sightings.pop(pair, None)
            self._sightings[pair] = sighting

    def release(self) -> None:
        """Let another program store."""
        if self._claim is not None:
            self._claim.release()
