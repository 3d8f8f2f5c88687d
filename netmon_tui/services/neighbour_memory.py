"""What is remembered and noticed of neighbours, kept by one program at a time.

Every program that follows the table knows what it sees; the one that has the claim stores it, tells the events
and has them passed on, and says every few seconds that it has. When it ends, the next one goes on within seconds:
what is not certainly stored it still has at hand. One that stands still keeps the claim, so the others say so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from netmon_tui.domain.address import Family
from netmon_tui.domain.device import DeviceMarks
from netmon_tui.domain.known_address import Key, KnownAddress
from netmon_tui.domain.neighbour import Neighbour, NudState
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.noticing import Noticing, NoticingLimits
from netmon_tui.errors import NetmonError
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.nudge import nudge
from netmon_tui.runtime.only_one import OnlyOne
from netmon_tui.services.lasting_objects import made_to_last
from netmon_tui.services.neighbour_backlog import NeighbourBacklog, bounded_events
from netmon_tui.services.neighbour_recorder import RecorderWatch
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.neighbour_repository import NeighbourNews, NeighbourRepository, Sighting
from netmon_tui.storage.neighbour_retention import NeighbourRetention

STORE_SECONDS = 2.0
"""How long news are gathered before they are stored together."""
AGE_SECONDS = 60.0
"""How much the stored time of the last sighting may lag behind."""
REACHABLE_SECONDS = 45.0
"""So long ago a holder that is reachable gave its last sign at most, by the kernel's own base_reachable_time."""
LOOK_SECONDS = 10.0
"""Between two looks at what others stored, and at devices that must be up."""
MOST_UNSTORED = 10_000
"""Events that are kept while the store refuses them (a full disk); the lightest and oldest go first."""
SHORTEN_SECONDS = 3600.0
"""Between two looks for what is too old to be kept."""
_SAME_SECONDS = 0.001
"""Moments that are nearer to each other are the same: the store rounds them."""
ROUTES_SECONDS = 60.0
"""Between two looks at the routes: a router's table can be a million lines."""
_HEARD = {NudState.REACHABLE, NudState.STALE, NudState.DELAY}
"""States in which an entry has its lladdr from its holder; while it is PROBEd, its holder is asked again."""

Told = Callable[[Sequence[NeighbourEvent]], Awaitable[None]]
"""Passes on events that are new and not muted."""


class NeighbourMemory:
    """The memory of one program.

    Args:
        repository, devices: Where it is kept.
        claim: What the program has that stores; None for one that never stores.
        told: Passes on the events that this program stored.
        limits: When something counts as an event.
        retention, keep_days: What shortens the memory, and after how many days something is too old; 0 for never.
    """

    def __init__(
        self,
        repository: NeighbourRepository,
        devices: DeviceRepository,
        claim: OnlyOne | None,
        told: Told | None = None,
        limits: NoticingLimits | None = None,
        retention: NeighbourRetention | None = None,
        keep_days: int = 0,
    ) -> None:
        self._repository = repository
        self._devices = devices
        self._claim = claim
        self._told = told
        self.noticing = Noticing(limits)
        """What is known of each address, and the rules."""
        self._retention = retention if keep_days else None
        self._keep = timedelta(days=keep_days)
        self._recorder = RecorderWatch(claim) if claim is not None else None
        self._revision = 0
        """Up to which all is known that was stored by whichever program."""
        self._sightings: dict[tuple[str, str, str], Sighting] = {}
        """By interface, address and lladdr: a lladdr that is soon replaced belongs to the history too."""
        self._aged: dict[Key, Sighting] = {}
        """Sightings that say nothing but that time has passed: stored now and then."""
        self._news = NeighbourNews()
        self._backlog = NeighbourBacklog()
        self._stored_at = self._shortened_at = self._vouched_at = 0.0
        self._looked_at = self._routes_at = time.time()
        self.marks: dict[str, DeviceMarks] = {}
        """What people say, by lladdr."""

    async def load(self) -> None:
        """Read what is stored, and which gateways there are."""
        await asyncio.to_thread(self._load)
        gateways = await asyncio.to_thread(interfaces.default_gateways)
        self.noticing.gateways = {(name, address) for name, found in gateways.items() for address in found}
        await self.read_marks()

    def _load(self) -> None:
        self._revision = self._repository.revision()
        with made_to_last():
            self.noticing.load(self._repository.each_held(), self._devices.down())

    async def read_marks(self) -> None:
        """Read what people say; somebody may have changed it."""
        self.marks = await asyncio.to_thread(self._devices.marks)
        self.noticing.marks = self.marks

    def known(self, key: Key) -> KnownAddress | None:
        """Return what is remembered of an address; not to be changed."""
        return self.noticing.known(key)

    def seen(
        self,
        neighbour: Neighbour,
        now: float,
        *,
        anew: bool,
        confirmed: float | None = None,
        quietly: bool = False,
    ) -> list[NeighbourEvent]:
        """Take an entry that has a lladdr.

        Args:
            neighbour: As the kernel reports it.
            now: POSIX seconds.
            anew: It was not in the table before.
            confirmed: Seconds since the kernel last knew it to be reachable, for an entry that was found in its
                table; None for one that the kernel reports because something happened to it.
            quietly: Learn it without an event.
        """
        key = neighbour.interface, neighbour.address
        before = self.noticing.known(key)
        other = before is None or before.lladdr != neighbour.lladdr
        is_permanent = neighbour.state is NudState.PERMANENT
        self.noticing.pinned(key, is_pinned=is_permanent)
        is_news = anew or neighbour.state is NudState.REACHABLE or self._is_sign(key, neighbour)
        if not other and (is_permanent or not is_news):
            return []
        sign = now
        if confirmed is not None and neighbour.state is not NudState.REACHABLE:
            sign = max(0.0, now - confirmed)
        if before is not None:
            sign = max(sign, before.last_seen)
        events = self.noticing.seen(neighbour, now, sign=sign, quietly=quietly)
        self._remember(neighbour, datetime.fromtimestamp(sign, UTC), urgent=other or bool(events))
        return self._note(events)

    def vouch(self, entries: Iterable[Neighbour], now: float) -> None:
        """Now and then, take that whoever is reachable was heard from: as long as it is, the kernel tells nothing.

        Args:
            entries: The live table.
            now: POSIX seconds.
        """
        if 0 <= now - self._vouched_at < AGE_SECONDS:
            return
        self._vouched_at, sign = now, now - REACHABLE_SECONDS
        for neighbour in entries:
            if neighbour.state is NudState.REACHABLE:
                key = neighbour.interface, neighbour.address
                self.noticing.answered(key, neighbour.lladdr, sign)
                known = self.noticing.known(key)
                if known is not None and known.last_seen <= sign:
                    self._remember(neighbour, datetime.fromtimestamp(sign, UTC), urgent=False)

    def _is_sign(self, key: Key, neighbour: Neighbour) -> bool:
        """Whether a holder that is missed gives a sign of life."""
        return neighbour.state in _HEARD and self.noticing.misses(key, neighbour.lladdr)

    def _remember(self, neighbour: Neighbour, time: datetime, *, urgent: bool) -> None:
        key = neighbour.interface, neighbour.address
        sighting = Sighting(*key, neighbour.family.value, neighbour.lladdr, neighbour.router, time)
        if urgent:
            pair = (*key, neighbour.lladdr)
            self._sightings.pop(pair, None)  # the latest goes last: it is the one in force
            self._sightings[pair] = sighting
            self._aged.pop(key, None)
        else:
            self._aged[key] = sighting

    def passed(self, now: float) -> list[NeighbourEvent]:
        """Return the events that come of time passing."""
        return self._note(self.noticing.passed(now))

    def undecided(self, now: float) -> list[NeighbourEvent]:
        """Return the events that would come later, when nobody follows the table any more."""
        return self._note(self.noticing.undecided(now))

    def _note(self, events: list[NeighbourEvent]) -> list[NeighbourEvent]:
        """Have events stored with what follows from them, and name the devices."""
        events = [self._named(event) for event in events]
        for event in events:
            self._news.events.append(event)
            key = event.interface, event.address
            if event.kind is NeighbourEventKind.GONE:
                self._news.gone.append((*key, event.lladdr))
            elif event.kind is NeighbourEventKind.DOWN:
                self._news.down[event.lladdr] = True
            elif event.kind is NeighbourEventKind.BACK and event.lladdr in self.marks:
                self._news.down[event.lladdr] = False
        return events

    def _named(self, event: NeighbourEvent) -> NeighbourEvent:
        name, previous = (
            marks.name if (marks := self.marks.get(lladdr)) is not None else ""
            for lladdr in (event.lladdr, event.previous_lladdr)
        )
        return replace(event, name=name, previous_name=previous) if name or previous else event

    async def look_around(self, now: float) -> list[NeighbourEvent]:
        """Every few seconds, take what changed elsewhere (marks, routes, sightings), and ask silent devices.

        Returns:
            The events that come of it.
        """
        if now - self._looked_at < LOOK_SECONDS:
            return []
        self._looked_at = now
        await self.read_marks()
        if now - self._routes_at >= ROUTES_SECONDS:
            self._routes_at = now
            self.noticing.gateways = await asyncio.to_thread(interfaces.gateways_in_routes)
        events = await self._take_foreign(now)
        if self._claim is None or self._recorder is None:
            return events
        if self._claim.take():
            if silent := self.noticing.to_be_asked(now):
                await asyncio.to_thread(nudge, silent)
            await self._shorten(now)
        elif (recorder := await asyncio.to_thread(self._recorder.look)) is not None:
            self._backlog.forget(*recorder)
        return events

    async def _take_foreign(self, now: float) -> list[NeighbourEvent]:
        """Take what another program stored: a scan that found neighbours by itself, perhaps a while ago."""
        revision = await asyncio.to_thread(self._repository.revision)
        rows = await asyncio.to_thread(self._repository.remembered, self._revision)
        self._revision = revision
        events: list[NeighbourEvent] = []
        for key, row in rows.items():
            mine, sign = self.noticing.known(key), row.last_seen.timestamp()
            if mine is not None and mine.last_seen >= sign - _SAME_SECONDS:
                continue
            found = Neighbour(key[1], Family(row.family), 0, key[0], row.lladdr, NudState.STALE, row.router)
            events += self.noticing.seen(found, now, sign=sign)
            self.noticing.known_since(key, row.first_seen.timestamp())
        return self._note(events)

    async def _shorten(self, now: float) -> None:
        """Delete a piece of what is too old, and the next one soon if that was not all."""
        if self._retention is None or now - self._shortened_at < SHORTEN_SECONDS:
            return
        before = datetime.fromtimestamp(now, UTC) - self._keep
        if not await asyncio.to_thread(self._retention.shorten, before):
            self._shortened_at = now

    def has_stored(self, now: float) -> None:
        """Let the other programs know that all is stored that was noticed until now, if this one is to store it.

        Raises:
            NetmonError: It cannot be told.
        """
        if self._claim is not None and self._recorder is not None and self._claim.take():
            self._recorder.tell(now)

    def trouble(self) -> str:
        """Why nothing is stored though another program should; empty while it does."""
        return self._recorder.trouble if self._recorder is not None else ""

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
            self._backlog.keep(news)
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
        return bool(self._news or self._sightings or self._backlog or aged)

    def _due(self, now: float, *, all_of_it: bool) -> NeighbourNews:
        """Take what is to be stored now."""
        news, self._news = self._news, NeighbourNews()
        if all_of_it or now - self._stored_at >= AGE_SECONDS:
            self._stored_at = now
            news.sightings += self._aged.values()
            self._aged = {}
        news.sightings += self._sightings.values()
        self._sightings = {}
        backlog = self._backlog.take()
        news.sightings[:0] = backlog.sightings
        news.doubtful[:0] = backlog.doubtful
        return news

    def _put_back(self, news: NeighbourNews) -> None:
        """Keep what could not be stored; what came since is newer."""
        self._news.gone = list(dict.fromkeys([*news.gone, *self._news.gone]))
        self._news.events = bounded_events([*news.events, *self._news.events], MOST_UNSTORED)
        self._news.doubtful = bounded_events([*news.doubtful, *self._news.doubtful], MOST_UNSTORED)
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
