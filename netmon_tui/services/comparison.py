"""What changed since last time: any two scans, and each run against the one before it or a pinned baseline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from netmon_tui.domain.comparing import HostHead, HostKeys, Pair, compare_facts, compare_ports, match_hosts
from netmon_tui.domain.comparing_scripts import difference
from netmon_tui.domain.comparison import (
    Change,
    ChangeLine,
    Comparison,
    HostChange,
    PortChange,
    PortFacts,
    PortKey,
    ScriptChange,
    Severity,
)
from netmon_tui.domain.counted import counted
from netmon_tui.domain.ignoring import Sifted, sift
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.services.script_comparison import ScriptComparison, ScriptSide
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.comparison_queries import ComparisonQueries
from netmon_tui.storage.ignore_repository import IgnoreRepository
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.script_queries import ScriptQueries
from netmon_tui.tools.nmap_coverage import PortCoverage, TargetCoverage, excluded_by

_COUNTED_AGAIN = 5
"""Later runs whose counts follow a pin; older ones keep what was true when they ended."""
_SIFTED_AGAIN = 20
"""Latest scans whose counts follow a change of rules, as far as time allows."""
_SIFTING_SECONDS = 3.0
"""Somebody waits for it; what is left keeps what was true when it ended."""
_PAGE = 2_000
"""Hosts whose ports are in memory at once."""
_LONGEST_OUTPUT = 65_536
"""Characters of a script's output that are told in full."""


class ComparisonService:
    """Compares scans; every call takes the actor and refuses what is not theirs."""

    def __init__(
        self,
        *,
        scans: ScanRepository,
        queries: ComparisonQueries,
        scripts: ScriptQueries,
        rules: IgnoreRepository,
        audit: AuditRepository,
    ) -> None:
        self._scans = scans
        self._queries = queries
        self._scripts = scripts
        self._rules = rules
        self._audit = audit

    async def compare(self, actor: Actor, a: int, b: int) -> Comparison:
        """Return what changed from scan ``a`` to scan ``b``.

        Raises:
            NotFound: One is not there, or not the actor's.
            InvalidInput: They are one scan, or one only listed its targets.
        """
        if a == b:
            raise InvalidInput(f"scan {a} cannot differ from itself", fix="choose two scans")
        await self._check(actor, a, b)
        await self._check_asked(a, b)
        return await asyncio.to_thread(self._compare, a, b)

    async def _check(self, actor: Actor, *scans: int) -> None:
        for scan_id in scans:
            await asyncio.to_thread(self._scans.get, actor, scan_id)

    async def _check_asked(self, *scans: int) -> None:
        for scan_id in scans:
            if await asyncio.to_thread(self._queries.only_listed, scan_id):
                raise InvalidInput(
                    f"scan {scan_id} cannot be compared",
                    why="it only listed its targets (-sL) and asked none of them",
                    fix="compare scans that asked their hosts, at the least with -sn",
                )

    async def difference(self, actor: Actor, a: int, b: int, line: ChangeLine) -> list[str]:
        """Return what a script said in two scans as a unified diff, raw; empty for a line of no script.

        Args:
            actor: Who asks.
            a, b: The scans that were compared.
            line: Of their comparison.

        Raises:
            NotFound: One is not there, or not the actor's.
        """
        await self._check(actor, a, b)
        return await asyncio.to_thread(self._difference, a, b, line)

    def _difference(self, a: int, b: int, line: ChangeLine) -> list[str]:
        if (script := line.script) is None:
            return []
        sides = []
        for scan_id, ordinal in ((a, script.earlier), (b, line.ordinal)):
            texts = self._scripts.texts(scan_id, [ordinal], {script.script}, _LONGEST_OUTPUT)
            sides.append(texts.get(ordinal, {}).get(script.key))
        return difference(*sides)

    async def sifted(self, actor: Actor, a: int, b: int) -> Sifted:
        """Return :meth:`compare`, with what the actor's ignore rules and everybody's leave out set apart."""
        comparison = await self.compare(actor, a, b)
        return await asyncio.to_thread(
            lambda: sift(comparison, self._rules.rules_for(actor.user_id)),
        )

    async def predecessor(self, actor: Actor, scan_id: int) -> Scan | None:
        """Return what a scan is compared with by itself: the pinned scan of its targets, or the run before.

        Raises:
            NotFound: It is not there, or not the actor's.
            InvalidInput: It only listed its targets.
        """
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        await self._check_asked(scan_id)
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
        if pinned and scan.imported:
            raise InvalidInput(
                f"scan {scan_id} was imported",
                why="no later run has its targets",
                fix="compare it with another",
            )
        if pinned and scan.state is not JobState.COMPLETED:
            raise InvalidInput(
                f"scan {scan_id} is {scan.state}", why="only a completed scan can be a baseline"
            )
        await asyncio.to_thread(self._scans.update, scan_id, pinned=pinned)
        verb = "scan.pin" if pinned else "scan.unpin"
        await asyncio.to_thread(self._audit.record, actor, verb, f"scan {scan_id}", "")
        await asyncio.to_thread(self._count_again, scan_id)
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    def _count_again(self, scan_id: int) -> None:
        """Bring the counts of later runs in line with a baseline that came or went."""
        for later in self._queries.successors(scan_id, _COUNTED_AGAIN):
            self.note_changes(later)

    def note_changes(self, scan_id: int) -> None:
        """Compare a scan that has ended with its predecessor, and keep how much changed (blocking).

        What the ignore rules of its owner and everybody's leave out does not count.
        """
        found = self._queries.predecessor(scan_id)
        if found is not None:
            self._note(found, scan_id, self._queries.owner(scan_id))

    def sift_again(self, owner_id: int | None) -> None:
        """Count again in the latest scans of an owner, None for all, after ignore rules changed (blocking)."""
        end = time.monotonic() + _SIFTING_SECONDS
        for earlier, later, owner in self._queries.compared(owner_id, _SIFTED_AGAIN):
            self._note(earlier, later, owner)
            if time.monotonic() > end:
                break

    def _note(self, earlier: int, later: int, owner: int) -> None:
        try:
            kept = sift(self._compare(earlier, later), self._rules.rules_for(owner)).kept
        except NotFound:
            return  # one of them was deleted meanwhile
        self._scans.update(later, compared_with=earlier, changes=list(kept.counts))

    def _compare(self, a: int, b: int) -> Comparison:
        old, new = _Side(self._queries, a), _Side(self._queries, b)
        notes = [*old.notes(), *new.notes()]
        if old.covered_ports != new.covered_ports:
            notes.append("they asked for different ports: only those of both are compared")
        scripts = ScriptComparison(
            old.scripts(self._scripts),
            new.scripts(self._scripts),
            lambda key: old.asked_for(key) and new.asked_for(key),
        )
        hosts = tuple(_changes(old, new, scripts))
        return Comparison(a, b, hosts, (*notes, *scripts.notes()))


_HOW = {
    JobState.CANCELLED: "was stopped",
    JobState.FAILED: "has failed",
    JobState.INTERRUPTED: "was interrupted",
}
"""How a scan that was not completed has ended; one that has not is what it is."""


class _Side:
    """One of the two scans."""

    def __init__(self, queries: ComparisonQueries, scan_id: int) -> None:
        self._queries = queries
        self._subject = subject = queries.subject(scan_id)
        self.heads = queries.heads(scan_id)
        self.covered_ports = PortCoverage(subject.scaninfo, foreign=subject.imported)
        self._addresses = TargetCoverage(subject.targets, (*excluded_by(subject.command), *subject.skipped))
        self._looked = subject.state is JobState.COMPLETED

    @property
    def on_the_segment(self) -> bool:
        """Whether the lladdr of every host is known."""
        return all(head.lladdr for head in self.heads)

    def keys(self) -> dict[int, HostKeys]:
        """Return what tells its hosts apart beside lladdrs."""
        return self._queries.keys(self._subject.scan_id)

    def scripts(self, queries: ScriptQueries) -> ScriptSide:
        """Return what its scripts said."""
        subject = self._subject
        return ScriptSide(queries, subject.scan_id, subject.command, subject.nmap_version)

    def asked_for(self, key: PortKey) -> bool:
        """Whether the scan was about a port."""
        return self.covered_ports.covers(*key)

    def would_list(self, head: HostHead) -> bool:
        """Whether a host of the other scan would be listed here if it was up."""
        return self._looked and self._addresses.covers(head.address, head.asked)

    def notes(self) -> Iterator[str]:
        """Yield what cannot be compared."""
        name = f"scan {self._subject.scan_id}"
        if not self._looked:
            how = _HOW.get(self._subject.state, f"is {self._subject.state}")
            yield f"{name} {how}: hosts it does not list are not compared"
        if self._addresses.unknown:
            yield f"the targets of {name} are not known: every host it does not list counts as gone"
        if given_up := sum(head.unfinished for head in self.heads):
            hosts = counted(given_up, "host", f"{given_up:,}")
            yield f"{name} did not finish {hosts}: ports it does not list there are not compared"

    def ports(self, heads: Sequence[HostHead | None]) -> dict[int, dict[PortKey, PortFacts]]:
        """Return the listed ports of some of its hosts, by ordinal."""
        return self._queries.ports(
            self._subject.scan_id, [head.ordinal for head in heads if head is not None]
        )


def _changes(old: _Side, new: _Side, scripts: ScriptComparison) -> Iterator[HostChange]:
    both_on_the_segment = old.on_the_segment and new.on_the_segment  # then lladdrs say it, and sooner
    keys = ({}, {}) if both_on_the_segment else (old.keys(), new.keys())
    pairs = match_hosts(old.heads, new.heads, *keys)
    for start in range(0, len(pairs), _PAGE):
        page = pairs[start : start + _PAGE]
        before, after = old.ports([pair[0] for pair in page]), new.ports([pair[1] for pair in page])
        said = scripts.changes(page, before, after)
        for pair in page:
            ports = (
                (before.get(pair[0].ordinal, {}) if pair[0] else {}),
                (after.get(pair[1].ordinal, {}) if pair[1] else {}),
            )
            of_scripts = said.get(pair[1].ordinal, ()) if pair[1] else ()
            if (change := _host_change(old, new, pair, *ports, of_scripts)) is not None:
                yield change


def _host_change(
    old: _Side,
    new: _Side,
    pair: Pair,
    before: dict[PortKey, PortFacts],
    after: dict[PortKey, PortFacts],
    scripts: tuple[ScriptChange, ...],
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
            if ports or facts or scripts:
                return HostChange(now.address, Change.CHANGED, now.ordinal, ports, facts, scripts)
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
