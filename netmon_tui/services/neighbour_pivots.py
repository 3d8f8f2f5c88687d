"""From a neighbour to the scans that found it, and from a scanned host to what the neighbours know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from netmon_tui.domain.address import Family, address_sort_key, is_private_lladdr, normalise_lladdr, parse_ip
from netmon_tui.domain.device import DeviceMarks
from netmon_tui.domain.neighbour import REMEMBERED, NeighbourRecord
from netmon_tui.domain.neighbour_facts import CaptureNaming, LladdrSpan, NeighbourFacts, ScanOfHost
from netmon_tui.domain.scan import Scan
from netmon_tui.domain.sweep import Sweep
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.live_times import LiveTimes
from netmon_tui.services.neighbours import NeighbourService
from netmon_tui.storage.neighbour_queries import NeighbourQueries
from netmon_tui.storage.neighbour_repository import NeighbourRepository
from netmon_tui.tools.oui import VendorTable
from netmon_tui.tools.sweep_targets import zoned

_LONGEST_SHOWN = 100


class NeighbourPivots:
    """Joins neighbours and scans by address and by lladdr.

    Args:
        neighbours: The live table.
        queries: Scans and memory.
        memory: Whatever was ever resolved.
        vendors: MAC prefixes.
        marks: Returns what people say of devices, by lladdr.
    """

    def __init__(
        self,
        neighbours: NeighbourService,
        queries: NeighbourQueries,
        memory: NeighbourRepository,
        vendors: VendorTable,
        marks: Callable[[], Mapping[str, DeviceMarks]],
    ) -> None:
        self._neighbours = neighbours
        self._queries = queries
        self._memory = memory
        self._vendors = vendors
        self._marks = marks

    async def of_host(self, actor: Actor, address: str) -> NeighbourFacts:
        """Return what the neighbours know of a scanned host: its live entries, and the lladdrs it had."""
        plain = address.partition("%")[0]
        live = self._neighbours.entries_of(actor, address=plain)
        spans = await asyncio.to_thread(self._queries.lladdrs_of, plain)
        return NeighbourFacts(tuple(live), _as_heard(spans, live))

    async def scans_elsewhere(self, actor: Actor, lladdr: str, address: str) -> list[ScanOfHost]:
        """Return the scans that found an lladdr at other addresses: its host has moved, or has several."""
        actor.require(Permission.VIEW)
        if not lladdr:
            return []
        found = await asyncio.to_thread(self._queries.scans_of_lladdr, actor, lladdr)
        return [one for one in found if one.address != address]

    async def captures_naming(self, actor: Actor, address: str) -> list[CaptureNaming]:
        """Return the captures whose filter names an address, the latest first."""
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._queries.captures_naming, actor, address.partition("%")[0])

    async def about(self, actor: Actor, asked: str) -> tuple[str, NeighbourFacts]:
        """Return an address or lladdr in normal form, and everything that is known of it.

        The live table must have been read: by :meth:`NeighbourService.once`, or because it is followed.

        Raises:
            InvalidInput: It is neither.
        """
        actor.require(Permission.VIEW)
        lladdr = normalise_lladdr(asked)
        if lladdr is not None:
            spans = await asyncio.to_thread(self._queries.addresses_of, lladdr)
            scans = await asyncio.to_thread(self._queries.scans_of_lladdr, actor, lladdr)
            captures = await asyncio.to_thread(self._queries.captures_naming, actor, lladdr)
            live = self._neighbours.entries_of(actor, lladdr=lladdr)
            return lladdr, NeighbourFacts(tuple(live), _as_heard(spans, live), tuple(scans), tuple(captures))
        parsed = parse_ip(asked.partition("%")[0])
        if parsed is None:
            what = f"{clean(asked, _LONGEST_SHOWN)} is neither an address nor an lladdr"
            raise InvalidInput(what, fix="as 192.0.2.7, fe80::1 or b8:27:eb:00:00:10")
        facts = await self.of_host(actor, str(parsed))
        scans = await asyncio.to_thread(self._queries.scans_of_address, actor, str(parsed))
        captures = await asyncio.to_thread(self._queries.captures_naming, actor, str(parsed))
        return str(parsed), replace(facts, scans=tuple(scans), captures=tuple(captures))

    async def answers(
        self, actor: Actor, sweep: Sweep, scan: Scan, up: Collection[str]
    ) -> list[NeighbourRecord]:
        """Return who answered a sweep: nmap, as its scan tells, or the kernel since then.

        Args:
            actor: Whose scan it is.
            sweep: What was asked.
            scan: The sweep's scan, when it has ended.
            up: Addresses that the scan found up.
        """
        began = (datetime.now(UTC) - (scan.started or scan.created)).total_seconds()
        live = [
            record
            for record in await self._neighbours.once(actor)
            if record.address in up
            or (not record.lladdr_remembered and record.lladdr and record.age <= began)
        ]
        gone = [record for record in await self.remembered(actor) if record.address in up]
        found = [
            record
            for record in (*live, *gone)
            if record.interface == sweep.network.interface and sweep.extent.holds(record.address)
        ]
        return sorted(found, key=lambda record: address_sort_key(record.address))

    async def scan_target(self, actor: Actor, address: str, interface: str = "") -> str:
        """Return an address as a scan reaches it: a link-local one with the zone in which it was seen last."""
        parsed = parse_ip(address)
        if parsed is None or "%" in address or not (parsed.version == 6 and parsed.is_link_local):
            return address
        if not interface:
            facts = await self.of_host(actor, address)
            seen = [one.interface for one in facts.live] + [one.interface for one in facts.spans]
            interface = next(iter(seen), "")
        return zoned(address, interface)

    async def remembered(self, actor: Actor) -> list[NeighbourRecord]:
        """Return the addresses that were resolved once and are not in the kernel's table now, by address."""
        actor.require(Permission.VIEW)
        live = frozenset(self._neighbours.keys(actor))
        return await asyncio.to_thread(self._remembered, live)

    def _remembered(self, live: frozenset[tuple[str, str]]) -> list[NeighbourRecord]:
        self._vendors.load()
        now, marks, unmarked = datetime.now(UTC), self._marks(), DeviceMarks("")
        records = [
            NeighbourRecord(
                address=address,
                family=Family(memory.family),
                interface=interface,
                lladdr=memory.lladdr,
                vendor=self._vendors.lookup(memory.lladdr),
                state=REMEMBERED,
                router=memory.router,
                private=is_private_lladdr(memory.lladdr),
                hostname="",
                first_seen=memory.first_seen,
                last_seen=memory.last_seen,
                age=(now - memory.last_seen).total_seconds(),
                name=marks.get(memory.lladdr, unmarked).name,
                known=marks.get(memory.lladdr, unmarked).known,
            )
            for (interface, address), memory in self._memory.remembered().items()
            if (interface, address) not in live
        ]
        return sorted(records, key=lambda record: address_sort_key(record.address))


def _as_heard(spans: Iterable[LladdrSpan], live: Iterable[NeighbourRecord]) -> tuple[LladdrSpan, ...]:
    """Return what is remembered with the live times, seen last first."""
    times = LiveTimes(live)
    told = [one._replace(last_seen=times.latest(one[:3], one.last_seen)) for one in spans]
    return tuple(sorted(told, key=lambda one: one.last_seen, reverse=True))
