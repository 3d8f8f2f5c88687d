"""What all scans say of one address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Text, and_, func, select, type_coerce

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.comparison import UNANSWERED, PortFacts, PortKey
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.selection import visible_to

_HOSTS = records.hosts.c
_PORTS = records.ports.c
_SCANS = records.scans.c


class ScanScope(NamedTuple):
    """A completed scan, and what it asked for, as JSON text: equal texts need be read once."""

    scan_id: int
    time: datetime
    targets: str
    command: str
    scaninfo: str
    skipped: str
    """Addresses that were given up while it ran."""
    imported: bool


class HostLook(NamedTuple):
    """What a scan lists of an address."""

    ordinal: int
    status: str
    reason: str
    finished: float | None
    """POSIX time."""
    whole: bool
    open_ports: int


class HistoryQueries:
    """Scans, hosts and ports by address. Every call takes the actor and reads what is theirs to see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def scopes(self, actor: Actor) -> list[ScanScope]:
        """Return every completed scan."""
        columns = (
            _SCANS.id,
            func.coalesce(_SCANS.finished, _SCANS.started, _SCANS.created, type_=_SCANS.created.type),
            *(
                type_coerce(column, Text)
                for column in (_SCANS.targets, _SCANS.command, _SCANS.scaninfo, _SCANS.skipped)
            ),
            _SCANS.imported,
        )
        query = select(*columns).where(
            visible_to(actor, _SCANS.owner_id), _SCANS.state == JobState.COMPLETED.value
        )
        with self._database.read() as connection:
            return [ScanScope(*row) for row in connection.execute(query).all()]

    def hosts(self, address: str) -> dict[int, HostLook]:
        """Return what each scan, whosesoever, lists of an address, by scan."""
        columns = (
            _HOSTS.scan_id, _HOSTS.ordinal, _HOSTS.status, _HOSTS.reason, _HOSTS.finished,
            _HOSTS.timed_out, _HOSTS.partial, _HOSTS.open_ports,
        )  # fmt: skip
        query = select(*columns).where(_HOSTS.address_key == packed_sort_key(address))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(_HOSTS.scan_id, _HOSTS.ordinal)).all()
        return {
            scan: HostLook(ordinal, status, reason, finished, not (timed_out or partial), count)
            for scan, ordinal, status, reason, finished, timed_out, partial, count in rows
        }

    def ports(self, address: str) -> Mapping[tuple[int, int], dict[PortKey, PortFacts]]:
        """Return the ports of an address that were open or did not answer, by (scan, ordinal)."""
        columns = (
            _PORTS.scan_id, _PORTS.ordinal, _PORTS.protocol, _PORTS.number, _PORTS.state, _PORTS.service,
            _PORTS.product, _PORTS.version, _PORTS.extrainfo, _PORTS.tunnel, _PORTS.method,
        )  # fmt: skip
        joined = records.hosts.join(
            records.ports, and_(_PORTS.scan_id == _HOSTS.scan_id, _PORTS.ordinal == _HOSTS.ordinal)
        )
        query = (
            select(*columns)
            .select_from(joined)
            .where(_HOSTS.address_key == packed_sort_key(address), _PORTS.state.in_(("open", UNANSWERED)))
        )
        with self._database.read() as connection:
            return _by_host(connection.execute(query).all())


def _by_host(rows: Iterable[Any]) -> dict[tuple[int, int], dict[PortKey, PortFacts]]:
    """Sort rows of ports by host; what many scans found is one value."""
    found: dict[tuple[int, int], dict[PortKey, PortFacts]] = {}
    same: dict[tuple[Any, ...], PortFacts] = {}
    for scan, ordinal, protocol, number, *texts in rows:
        key = tuple(texts)
        facts = same.get(key)
        if facts is None:
            state, service, product, version, extrainfo, tunnel, method = texts
            same[key] = facts = PortFacts(
                state, service or "", product, version, extrainfo, tunnel, method == "probed"
            )
        found.setdefault((scan, ordinal), {})[protocol, number] = facts
    return found
