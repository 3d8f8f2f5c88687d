"""One address over all scans that an actor may see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from netmon_tui.domain.address import parse_ip
from netmon_tui.domain.comparison import PortFacts, PortKey
from netmon_tui.domain.history import HostHistory, Look
from netmon_tui.domain.host import ONLY_LISTED
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.security.hostile_text import clean
from netmon_tui.storage.history_queries import HistoryQueries, HostLook, ScanScope
from netmon_tui.tools.nmap_coverage import PortCoverage, TargetCoverage, excluded_by

_NOT_PINGED = "user-set"
_LONGEST_ADDRESS = 100


class HostHistoryService:
    """Tells since when hosts are up and ports open. Completed scans count, each for what it asked for."""

    def __init__(self, queries: HistoryQueries) -> None:
        self._queries = queries

    async def of(self, actor: Actor, address: str) -> HostHistory:
        """Return what the actor's scans say of an address; empty when none asked for it.

        Raises:
            InvalidInput: It is no address.
        """
        parsed = parse_ip(address.partition("%")[0])  # nmap writes no zones down
        if parsed is None:
            raise InvalidInput(
                f"{clean(address, _LONGEST_ADDRESS)} is no address", fix="as 192.0.2.7 or fe80::1"
            )
        return await asyncio.to_thread(self._read, actor, str(parsed))

    def _read(self, actor: Actor, address: str) -> HostHistory:
        hosts, ports = self._queries.hosts(address), self._queries.ports(address)
        looks = [
            look
            for scope in self._queries.scopes(actor)
            if (look := _look(scope, address, hosts.get(scope.scan_id), ports)) is not None
        ]
        return HostHistory(address, sorted(looks, key=lambda look: (look.time, look.scan_id)))


def _look(
    scope: ScanScope,
    address: str,
    host: HostLook | None,
    ports: Mapping[tuple[int, int], dict[PortKey, PortFacts]],
) -> Look | None:
    """Return what a scan says of an address; None when it did not ask for it, or only listed it."""
    if host is not None and host.status == ONLY_LISTED:
        return None
    covers = _port_coverage(scope.scaninfo, scope.imported)
    if host is None:
        asked = _covers_address(scope.targets, _excluded(scope), address)
        return Look(scope.scan_id, scope.time, False, covers) if asked else None
    time = scope.time if host.finished is None else datetime.fromtimestamp(host.finished, UTC)
    found = ports.get((scope.scan_id, host.ordinal), {})
    return Look(scope.scan_id, time, _is_up(host), covers, found, host.whole)


def _is_up(host: HostLook) -> bool | None:
    if host.status != "up":
        return False
    return None if host.reason == _NOT_PINGED and not host.open_ports else True


def _excluded(scope: ScanScope) -> tuple[str, ...]:
    """Return what a scan left out of its targets."""
    asked = excluded_by(json.loads(scope.command)) if '"--exclude"' in scope.command else ()
    return (*asked, *json.loads(scope.skipped))


@lru_cache(maxsize=1_024)
def _covers_address(targets: str, excluded: tuple[str, ...], address: str) -> bool:
    """Whether a scan surely asked for an address."""
    coverage = _target_coverage(targets, excluded)
    return not coverage.unknown and coverage.covers(address)


@lru_cache(maxsize=256)
def _target_coverage(targets: str, excluded: tuple[str, ...]) -> TargetCoverage:
    return TargetCoverage(json.loads(targets), excluded)


class _KnownPorts(dict[PortKey, bool]):
    """Remembers which ports a scan asked for: many scans ask for the same."""

    def __init__(self, coverage: PortCoverage) -> None:
        super().__init__()
        self._coverage = coverage

    def __missing__(self, key: PortKey) -> bool:
        answer = self[key] = self._coverage.covers(*key)
        return answer


@lru_cache(maxsize=64)
def _port_coverage(scaninfo: str, foreign: bool) -> Callable[[PortKey], bool]:
    return _KnownPorts(PortCoverage(json.loads(scaninfo), foreign=foreign)).__getitem__
