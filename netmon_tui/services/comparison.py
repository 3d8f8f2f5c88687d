"""What changed since last time: any two scans, and each run against the one before it or a pinned baseline."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from netmon_tui.domain.comparing import HostHead, Pair, compare_facts, compare_ports, match_hosts
from netmon_tui.domain.comparison import (
    Change,
    Comparison,
    HostChange,
    PortChange,
    PortFacts,
    PortKey,
    Severity,
)
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.comparison_queries import ComparisonQueries
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.tools.nmap_coverage import AddressCoverage, PortCoverage, excluded_by

_PAGE = 2_000
"""Hosts whose ports are in memory at once."""


class ComparisonService:
    """Compares scans; every call takes the actor and refuses what is not theirs."""

    def __init__(self, *, scans: ScanRepository, queries: ComparisonQueries, audit: AuditRepository) -> None:
        self._scans = scans
        self._queries = queries
        self._audit = audit

    async def compare(self, actor: Actor, a: int, b: int) -> Comparison:
        """Return what changed from scan ``a`` to scan ``b``.

        Raises:
            NotFound: One is not there, or not the actor's.
            InvalidInput: They are one scan.
        """
        if a == b:
            raise InvalidInput(f"scan {a} cannot differ from itself", fix="choose two scans")
        for scan_id in (a, b):
            await asyncio.to_thread(self._scans.get, actor, scan_id)
        return await asyncio.to_thread(self._compare, a, b)

    async def predecessor(self, actor: Actor, scan_id: int) -> Scan | None:
        """Return what a scan is compared with by itself: the pinned scan of its targets, or the run before."""
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        found = await asyncio.to_thread(self._queries.predecessor, scan_id)
        return None if found is None else await asyncio.to_thread(self._scans.get, actor, found)

    async def pin(self, actor: Actor, scan_id: int, *, pinned: bool) -> Scan:
        """Make a scan the baseline that later runs of its targets are compared with, or no longer.

        Raises:
            NotFound, NotAllowed: Not the actor's to change.
            InvalidInput: It is not completed.
        """
        scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
        actor.require(Permission.SCAN)
        if pinned and scan.state is not JobState.COMPLETED:
            raise InvalidInput(
                f"scan {scan_id} is {scan.state}", why="only a completed scan can be a baseline"
            )
        await asyncio.to_thread(self._scans.update, scan_id, pinned=pinned)
        verb = "scan.pin" if pinned else "scan.unpin"
        await asyncio.to_thread(self._audit.record, actor, verb, f"scan {scan_id}", "")
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    def note_changes(self, scan_id: int) -> None:
        """Compare a scan that has ended with its predecessor, and keep how much changed (blocking)."""
        found = self._queries.predecessor(scan_id)
        if found is not None:
            counts = self._compare(found, scan_id).counts
            self._scans.update(scan_id, compared_with=found, changes=list(counts))

    def _compare(self, a: int, b: int) -> Comparison:
        old, new = _Side(self._queries, a), _Side(self._queries, b)
        return Comparison(a, b, tuple(_changes(old, new)), (*old.notes(), *new.notes()))


class _Side:
    """One of the two scans."""

    def __init__(self, queries: ComparisonQueries, scan_id: int) -> None:
        self._queries = queries
        self._subject = queries.subject(scan_id)
        self.heads = queries.heads(scan_id)
        on_the_segment = all(head.lladdr for head in self.heads)
        self.keys = (
            {} if on_the_segment else queries.identities(scan_id)
        )  # a lladdr says it better, and sooner
        self._ports = PortCoverage(self._subject.scaninfo)
        self._addresses = AddressCoverage(self._subject.targets, excluded_by(self._subject.command))
        self._complete = self._subject.state is JobState.COMPLETED

    def asked_for(self, key: PortKey) -> bool:
        """Whether the scan was about a port."""
        return self._ports.covers(*key)

    def would_list(self, head: HostHead) -> bool:
        """Whether a host of the other scan would be listed here if it was up."""
        return self._complete and self._addresses.covers(head.address, head.asked)

    def notes(self) -> Iterator[str]:
        """Yield what cannot be compared."""
        if not self._complete:
            yield f"Scan {self._subject.scan_id} is {self._subject.state}: hosts it does not list are not compared"

    def ports(self, heads: Sequence[HostHead | None]) -> dict[int, dict[PortKey, PortFacts]]:
        """Return the listed ports of some of its hosts, by ordinal."""
        return self._queries.ports(
            self._subject.scan_id, [head.ordinal for head in heads if head is not None]
        )


def _changes(old: _Side, new: _Side) -> Iterator[HostChange]:
    pairs = match_hosts(old.heads, new.heads, old.keys, new.keys)
    for start in range(0, len(pairs), _PAGE):
        page = pairs[start : start + _PAGE]
        before, after = old.ports([pair[0] for pair in page]), new.ports([pair[1] for pair in page])
        for pair in page:
            ports = (
                (before.get(pair[0].ordinal, {}) if pair[0] else {}),
                (after.get(pair[1].ordinal, {}) if pair[1] else {}),
            )
            if (change := _host_change(old, new, pair, *ports)) is not None:
                yield change


def _host_change(
    old: _Side,
    new: _Side,
    pair: Pair,
    before: dict[PortKey, PortFacts],
    after: dict[PortKey, PortFacts],
) -> HostChange | None:
    match pair:
        case HostHead() as was, HostHead() as now:
            ports = compare_ports(
                before,
                after,
                lambda key: old.asked_for(key) and new.asked_for(key),
                whole_before=not was.unfinished,
                whole_after=not now.unfinished,
            )
            facts = compare_facts(was, now)
            if ports or facts:
                return HostChange(now.address, Change.CHANGED, now.ordinal, ports, facts)
        case None, HostHead() as now if old.would_list(now):
            return HostChange(now.address, Change.ADDED, now.ordinal, _all_open(after, Change.ADDED))
        case HostHead() as was, None if new.would_list(was):
            return HostChange(was.address, Change.REMOVED, was.ordinal, _all_open(before, Change.REMOVED))
    return None


def _all_open(ports: dict[PortKey, PortFacts], change: Change) -> tuple[PortChange, ...]:
    """Return the open ports of a host that came or went."""
    came = change is Change.ADDED
    severity = Severity.HIGH if came else Severity.LOW
    return tuple(
        PortChange(number, protocol, change, None if came else facts, facts if came else None, severity)
        for (protocol, number), facts in sorted(ports.items())
        if facts.is_open
    )
