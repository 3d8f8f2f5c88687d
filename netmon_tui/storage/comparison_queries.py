"""What two scans are compared by, read without what is not compared.

Callers have checked that the scans are the actor's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from netmon_tui.domain.comparing import HostHead
from netmon_tui.domain.comparison import PortFacts, PortKey
from netmon_tui.domain.job import JobState
from netmon_tui.storage import records
from netmon_tui.storage.database import Database

_HOSTS = records.hosts.c
_PORTS = records.ports.c
_SCANS = records.scans.c
_SCRIPTS = records.scripts.c
_PROBED = "probed"
_KEY_SCRIPTS = ("ssh-hostkey", "ssl-cert")


class Subject(NamedTuple):
    """What a scan was about."""

    scan_id: int
    state: JobState
    targets: tuple[str, ...]
    scaninfo: list[list[Any]]
    """Its ``<scaninfo>`` elements: (type, protocol, how many, ports)."""
    command: tuple[str, ...]
    """Empty for an import."""


class ComparisonQueries:
    """Heads, ports and keys of the hosts of a scan, and which scan to compare it with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def subject(self, scan_id: int) -> Subject:
        """Return what a scan was about."""
        query = select(_SCANS.id, _SCANS.state, _SCANS.targets, _SCANS.scaninfo, _SCANS.command).where(
            _SCANS.id == scan_id
        )
        with self._database.read() as connection:
            row = connection.execute(query).one()
        return Subject(row.id, JobState(row.state), tuple(row.targets), row.scaninfo, tuple(row.command))

    def predecessor(self, scan_id: int) -> int | None:
        """Return the latest pinned scan of the same owner and targets, else the latest completed one before."""
        with self._database.read() as connection:
            this = connection.execute(
                select(_SCANS.owner_id, _SCANS.targets, _SCANS.imported).where(_SCANS.id == scan_id)
            ).one()
            alike = (
                _SCANS.owner_id == this.owner_id,
                _SCANS.targets == this.targets,
                _SCANS.id < scan_id,
                _SCANS.state == JobState.COMPLETED.value,
            )
            query = select(_SCANS.id).where(*alike).order_by(_SCANS.pinned.desc(), _SCANS.id.desc()).limit(1)
            found = None if this.imported else connection.execute(query).scalar_one_or_none()
        return None if found is None else int(found)

    def heads(self, scan_id: int) -> list[HostHead]:
        """Return every host that was up, in the order of addresses."""
        columns = (
            _HOSTS.ordinal, _HOSTS.address, _HOSTS.address_key, _HOSTS.lladdr, _HOSTS.hostnames, _HOSTS.os_name,
            _HOSTS.timed_out, _HOSTS.partial,
        )  # fmt: skip
        query = select(*columns).where(_HOSTS.scan_id == scan_id, _HOSTS.status == "up")
        with self._database.read() as connection:
            return [_head(row) for row in connection.execute(query.order_by(_HOSTS.address_key)).all()]

    def ports(self, scan_id: int, ordinals: Sequence[int]) -> dict[int, dict[PortKey, PortFacts]]:
        """Return the listed ports of some hosts, by ordinal."""
        if not ordinals:
            return {}
        columns = (
            _PORTS.ordinal, _PORTS.protocol, _PORTS.number, _PORTS.state, _PORTS.service, _PORTS.product,
            _PORTS.version, _PORTS.extrainfo, _PORTS.tunnel, _PORTS.method,
        )  # fmt: skip
        wanted = set(ordinals)
        query = select(*columns).where(
            _PORTS.scan_id == scan_id, _PORTS.ordinal.between(min(ordinals), max(ordinals))
        )
        found: dict[int, dict[PortKey, PortFacts]] = {}
        with self._database.read() as connection:
            rows = connection.execute(query).all()  # twice as fast as one by one
        for ordinal, protocol, number, state, service, product, version, extrainfo, tunnel, method in rows:
            if ordinal in wanted:
                found.setdefault(ordinal, {})[protocol, number] = PortFacts(
                    state, service or "", product, version, extrainfo, tunnel, method == _PROBED
                )
        return found

    def identities(self, scan_id: int) -> dict[int, str]:
        """Return, by ordinal, the fingerprint of an SSH host key, or else of a TLS certificate, if found."""
        query = (
            select(_SCRIPTS.ordinal, _SCRIPTS.script, _SCRIPTS.data)
            .where(_SCRIPTS.scan_id == scan_id, _SCRIPTS.script.in_(_KEY_SCRIPTS))
            .order_by(_SCRIPTS.ordinal, _SCRIPTS.number)
        )
        found: dict[int, dict[str, str]] = {}
        with self._database.read() as connection:
            for ordinal, script, data in connection.execute(query):
                mark = min(_fingerprints(data), default="")
                if mark:
                    found.setdefault(ordinal, {}).setdefault(script, mark)
        return {
            ordinal: next(f"{script} {marks[script]}" for script in _KEY_SCRIPTS if script in marks)
            for ordinal, marks in found.items()
        }


def _head(row: Any) -> HostHead:
    names = {kind: name.lower() for name, kind in reversed(row.hostnames)}
    return HostHead(
        row.ordinal,
        row.address,
        row.address_key,
        row.lladdr,
        tuple(name for name, kind in row.hostnames if kind == "PTR"),
        names.get("user", ""),
        row.os_name,
        row.timed_out or row.partial,
    )


def _fingerprints(data: Any) -> Iterator[str]:
    """Yield what ssh-hostkey calls ``fingerprint`` and ssl-cert ``sha1``, wherever it stands."""
    for entry in data if isinstance(data, list) else [data]:
        if isinstance(entry, dict):
            yield from (
                str(entry[name]) for name in ("fingerprint", "sha1") if isinstance(entry.get(name), str)
            )
