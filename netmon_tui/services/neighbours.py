"""The neighbour table: the kernel's entries joined with what is remembered of them."""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from itertools import takewhile

from netmon_tui.domain.address import address_sort_key
from netmon_tui.domain.device import DeviceMarks, differing_marks
from netmon_tui.domain.known_address import Key
from netmon_tui.domain.neighbour import NeighbourRecord, NudState
from netmon_tui.domain.neighbour_event import NeighbourEvent
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import NetmonError, StorageError
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.neighbour_table import Resync
from netmon_tui.runtime.netlink import NeighbourMonitor, dump_table
from netmon_tui.runtime.session_route import session_carriers
from netmon_tui.services.neighbour_memory import (
    LOOK_SECONDS,
    REACHABLE_SECONDS,
    STORE_SECONDS,
    NeighbourMemory,
)
from netmon_tui.services.neighbour_rows import LiveEntry, NeighbourRows
from netmon_tui.services.neighbour_watch import EventQueue, ShownTable, WatchedEvents, WatchedTable
from netmon_tui.storage.neighbour_repository import NeighbourRepository
from netmon_tui.tools.oui import VendorTable
from netmon_tui.tools.rtnetlink import LinkGone, LinkSeen, NeighbourDeleted, NeighbourSeen
from netmon_tui.tools.rtnetlink_entries import read_ages

_log = logging.getLogger(__name__)
_UNREADABLE = (OSError, ValueError, LookupError, struct.error)
"""What reading and parsing what the kernel tells can fail with; once must not end the memory for good."""
_JUMP_SECONDS = 10.0
"""More than this between two looks at the clock is no ordinary delay."""


class NeighbourService:
    """Follows the kernel's table for as long as it is started.

    Args:
        repository: What was remembered.
        memory: What is remembered and noticed from now on.
        vendors: MAC prefixes, loaded off the event loop on the first use.
        environ: Where the SSH session of this program is read from.
        name_of: Returns the host name of an address as far as it is known, empty otherwise; asks nobody.
    """

    def __init__(
        self,
        repository: NeighbourRepository,
        memory: NeighbourMemory,
        vendors: VendorTable,
        environ: Mapping[str, str] = os.environ,
        name_of: Callable[[str], str] = lambda address: "",
    ) -> None:
        self._rows = NeighbourRows(memory, vendors, name_of)
        self._repository = repository
        self._memory = memory
        self._vendors = vendors
        self._session = interfaces.ssh_session(environ)
        self._shown_marks: Mapping[str, DeviceMarks] = {}
        self._entries: dict[Key, LiveEntry] = {}
        """The one that was reported last stands last."""
        self._removals: dict[Key, int] = {}
        """Revision of the table in which each was removed, the latest last."""
        self._listeners: set[EventQueue] = set()
        self._task: asyncio.Task[None] | None = None
        self._storing: asyncio.Future[None] | None = None
        self._monitor: NeighbourMonitor | None = None
        self._looked_at = 0.0
        """When the SSH sessions were looked for, monotonic seconds."""
        self._ready = asyncio.Event()
        self.changed = asyncio.Event()
        """Set by every change of the table; who waits for the next one clears it before."""
        self.revision = 0
        """Rises with every change of the table."""
        self.error = ""
        """Why the table is not followed; empty while it is."""

    async def start(self) -> None:
        """Begin to follow the table; returns when the first dump is in (or failed, see :attr:`error`)."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="neighbour monitor")
        await self._ready.wait()

    async def close(self) -> None:
        """Stop following and store what is pending."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._tell(self._memory.undecided(time.time()))
        await self._store(all_of_it=True)
        self._memory.release()

    def refresh(self) -> None:
        """Ask the kernel for the whole table again; if it is not followed any more, try to follow it again."""
        if self._monitor is not None:
            self._monitor.refresh()
        elif self._task is not None and self._task.done():
            self._task, self.error = None, ""
            self._ready.clear()

    async def local_networks(self) -> list[str]:
        """Return the networks this machine is in, as suggestions for a scan."""
        return await asyncio.to_thread(interfaces.local_networks)

    def snapshot(self, actor: Actor) -> list[NeighbourRecord]:
        """Return the live table, ordered by address."""
        actor.require(Permission.VIEW)
        now = time.monotonic()
        records = [self._rows.record(entry, now) for entry in self._entries.values()]
        records.sort(key=lambda record: address_sort_key(record.address))
        return records

    def changed_since(self, actor: Actor, revision: int) -> list[NeighbourRecord]:
        """Return the entries that were reported after a revision of the table, in no order; -1 for all."""
        return self.of(actor, self.keys(actor, revision))

    def of(self, actor: Actor, keys: Iterable[Key]) -> list[NeighbourRecord]:
        """Return the live entries among these, in no order."""
        actor.require(Permission.VIEW)
        now = time.monotonic()
        return [self._rows.record(self._entries[key], now) for key in keys if key in self._entries]

    def keys(self, actor: Actor, after: int = -1) -> list[Key]:
        """Return (interface, address) of the entries reported after a revision of the table; -1 for all."""
        actor.require(Permission.VIEW)
        latest = takewhile(lambda item: item[1].revision > after, reversed(self._entries.items()))
        return [key for key, _ in latest]

    def removed_since(self, actor: Actor, revision: int) -> list[Key]:
        """Return what left the table after a revision of it, and did not come back."""
        actor.require(Permission.VIEW)
        latest = takewhile(lambda removal: removal[1] > revision, reversed(self._removals.items()))
        return [key for key, _ in latest]

    def entries_of(self, actor: Actor, *, address: str = "", lladdr: str = "") -> list[NeighbourRecord]:
        """Return the live entries of an address, or of an lladdr."""
        actor.require(Permission.VIEW)
        now = time.monotonic()
        return [
            self._rows.record(entry, now)
            for (_, known), entry in self._entries.items()
            if (known == address if address else self._rows.lladdr(entry) == lladdr)
        ]

    async def once(self, actor: Actor) -> list[NeighbourRecord]:
        """Return the table by one dump, for a command that does not stay; remembers what it saw."""
        actor.require(Permission.VIEW)
        await self._load()
        self._fold([await asyncio.to_thread(dump_table)])
        self._ready.set()
        if self._task is None:
            self._memory.undecided(time.time())
        await self._store(all_of_it=True)
        if self._task is None:
            self._memory.release()  # whoever prints for long must not keep others from storing
        return self.snapshot(actor)

    async def watch(self, actor: Actor) -> AsyncIterator[WatchedEvents]:
        """Yield what happens from now on, with who did it by an edit; the service must be started."""
        actor.require(Permission.VIEW)
        queue = EventQueue()
        self._listeners.add(queue)
        try:
            while True:
                taken = await queue.take()
                with suppress(StorageError):  # who did it is not worth losing what happened
                    named = await asyncio.to_thread(self._repository.with_editors, taken.events)
                    taken = taken._replace(events=named)
                yield taken
        finally:
            self._listeners.discard(queue)

    async def watch_table(self, actor: Actor) -> AsyncIterator[WatchedTable]:
        """Yield what changes in the table from now on; the service must be started."""
        shown, revision = ShownTable(self.snapshot(actor)), self.revision
        while True:
            self.changed.clear()
            if self.revision == revision:
                await self.changed.wait()
            before, revision = revision, self.revision
            watched = shown.take(self.changed_since(actor, before), self.removed_since(actor, before))
            if watched.seen or watched.removed:
                yield watched

    async def show_marks(self) -> None:
        """Let the entries count as changed of whose devices something else is said than was shown."""
        before, self._shown_marks = self._shown_marks, self._memory.marks
        changed = await asyncio.to_thread(differing_marks, before, self._shown_marks)
        keys = [key for key, entry in self._entries.items() if self._rows.lladdr(entry) in changed]
        if keys:
            self.revision += 1
            self.changed.set()
        for key in keys:
            entry = self._entries[key] = self._entries.pop(key)  # the latest change comes last
            entry.revision = self.revision

    async def _load(self) -> None:
        await self._memory.load()
        await asyncio.to_thread(self._vendors.load)
        try:
            await self._look_for_session()
        except _UNREADABLE:  # which entries carry it is a mark on them, and no reason to show none
            _log.exception("looking for the SSH session: the neighbour table is followed without it")

    async def _follow(self) -> None:
        storing: asyncio.Task[None] | None = None
        try:
            await self._load()
            async with NeighbourMonitor() as monitor:
                self._monitor = monitor
                storing = asyncio.create_task(self._store_for_ever(), name="neighbour memory")
                async for batch in monitor.batches():
                    self._fold(batch)
                    self._ready.set()
        except NetmonError as error:
            self.error = str(error)
            _log.error("the neighbour table is not followed: %s", error)
        except Exception as error:
            self.error = f"the neighbour table is no longer followed: {error!r}"
            _log.exception("following the neighbour table")
            raise
        finally:
            self._monitor = None
            self._ready.set()
            if storing is not None:
                storing.cancel()

    def _fold(self, batch: Iterable[object]) -> None:
        """Apply changes to the table."""
        self.revision += 1
        self.changed.set()
        now = time.time()
        for change in batch:
            if isinstance(change, Resync):
                self._resync(change, now)
            elif isinstance(change, NeighbourSeen):
                self._seen(change, now)
            elif isinstance(change, NeighbourDeleted):
                self._removed((change.neighbour.interface, change.neighbour.address), now)
            elif isinstance(change, LinkGone) or (isinstance(change, LinkSeen) and not change.up):
                self._memory.noticing.link_lost(change.name)

    def _resync(self, table: Resync, now: float) -> None:
        """Take the whole table; the first one of an interface that nothing is known of is how things are.

        Of an entry that is as it was, only the ages are new.
        """
        self.revision += 1  # no entry that was reported before has it
        entries, at, revision = self._entries, time.monotonic(), self.revision
        changed = []
        for neighbour, cacheinfo in zip(table.neighbours, table.cacheinfos, strict=True):
            entry = entries.get((neighbour.interface, neighbour.address))
            if entry is not None:
                entry.revision = revision
            if entry is None or entry.neighbour != neighbour or neighbour.state is NudState.REACHABLE:
                changed.append(NeighbourSeen(neighbour, cacheinfo))
            else:
                entry.neighbour, entry.cacheinfo, entry.at = neighbour, cacheinfo, at
        for key in [key for key, entry in entries.items() if entry.revision != revision]:
            self._removed(key, now)
        known = frozenset(self._memory.noticing.interfaces) if changed else frozenset()
        for seen in changed:
            quietly = seen.neighbour.interface not in known and not self._ready.is_set()
            self._seen(seen, now, found=True, quietly=quietly)

    def _seen(self, seen: NeighbourSeen, now: float, *, found: bool = False, quietly: bool = False) -> None:
        """Take an entry that the kernel reports, or that was found when its table was looked through."""
        neighbour = seen.neighbour
        if neighbour.state is NudState.NOARP or neighbour.interface == "lo":
            return  # multicast and loopback need no resolution: nobody's neighbours
        key = (neighbour.interface, neighbour.address)
        before = self._entries.pop(key, None)
        if before is not None and before.neighbour.state is NudState.REACHABLE:
            self._memory.noticing.answered(key, before.neighbour.lladdr, now - REACHABLE_SECONDS)
        self._removals.pop(key, None)
        self._entries[key] = LiveEntry(neighbour, seen.cacheinfo, time.monotonic(), self.revision)
        if neighbour.lladdr:
            confirmed = read_ages(seen.cacheinfo).confirmed if found else None
            self._tell(
                self._memory.seen(neighbour, now, anew=before is None, confirmed=confirmed, quietly=quietly)
            )
        elif neighbour.state is NudState.FAILED:
            self._memory.noticing.failed(key, now)

    def _removed(self, key: Key, now: float) -> None:
        if self._entries.pop(key, None) is not None:
            self._removals[key] = self.revision
            self._memory.noticing.removed(key, now)

    def _tell(self, events: Iterable[NeighbourEvent]) -> None:
        told = list(events)
        for queue in self._listeners:
            queue.put(told)

    async def _look_for_session(self) -> None:
        """Ask the kernel by which entries the packets of SSH sessions go now."""
        self._looked_at = time.monotonic()
        named, others = await asyncio.to_thread(session_carriers, self._session)
        self._rows.carriers = named | others

    async def _store_for_ever(self) -> None:
        while True:
            before = time.time() - time.monotonic(), time.monotonic()
            await asyncio.sleep(STORE_SECONDS)
            try:
                if _stood_still(*before):
                    self._memory.noticing.clock_jumped(time.time())
                else:
                    self._memory.vouch((entry.neighbour for entry in self._entries.values()), time.time())
                self._tell(self._memory.passed(time.time()))
                if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                    await self._look_for_session()
                self._tell(await self._memory.look_around(time.time()))
                await self.show_marks()
                await self._store()
                await asyncio.to_thread(self._memory.has_stored, time.time() - STORE_SECONDS)
            except NetmonError as error:
                _log.warning("remembering neighbours: %s", error)
            except _UNREADABLE:
                _log.exception("remembering neighbours: it goes on at the next turn")

    async def _store(self, *, all_of_it: bool = False) -> None:
        """Store what is due; what has begun is brought to its end, whoever is cancelled meanwhile."""
        if self._storing is not None:
            await asyncio.wait({self._storing})
        self._storing = asyncio.ensure_future(self._memory.store(time.time(), all_of_it=all_of_it))
        self._storing.add_done_callback(_heard)
        await asyncio.shield(self._storing)


def _stood_still(offset: float, since: float) -> bool:
    """Whether the clock was set, or the machine slept, in a time that should have been short.

    Args:
        offset: Between the clock and the monotonic one, before.
        since: When that was, monotonic seconds.
    """
    drift = abs(time.time() - time.monotonic() - offset)
    return drift > _JUMP_SECONDS or time.monotonic() - since > STORE_SECONDS + _JUMP_SECONDS


def _heard(storing: asyncio.Future[None]) -> None:
    """Take the outcome of a store that nobody waits for any more: what failed stays due."""
    if not storing.cancelled():
        storing.exception()
