"""What two scans are compared by, read without what is not compared.

Callers have checked that the scans are the actor's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, case, func, or_, select

from netmon_tui.domain.comparing import HostHead, HostKeys
from netmon_tui.domain.comparison import PortFacts, PortKey
from netmon_tui.domain.host import ONLY_LISTED
from netmon_tui.domain.job import JobState
from netmon_tui.errors import NotFound
from netmon_tui.storage import records
from netmon_tui.storage.database import Database

_HOSTS = records.hosts.c
_PORTS = records.ports.c
_SCANS = records.scans.c
_SCRIPTS = records.scripts.c
_PROBED = "probed"
_NOT_PINGED = "user-set"
_KEY_SCRIPTS = ("ssh-hostkey", "ssl-cert")
"""In the order of the fields of HostKeys."""


class Subject(NamedTuple):
    """What a scan was about."""

    scan_id: int
    state: JobState
    targets: tuple[str, ...]
    scaninfo: list[list[Any]]
    """Its ``<scaninfo>`` elements: (type, protocol, how many, ports)."""
    command: tuple[str, ...]
    """Empty for an import."""
    imported: bool
    skipped: tuple[str, ...]
    """Addresses that were given up."""
    nmap_version: str


class ComparisonQueries:
    """Heads, ports and keys of the hosts of a scan, and which scan to compare it with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def subject(self, scan_id: int) -> Subject:
        """Return what a scan was about; NotFound when it was deleted meanwhile."""
        row = self._one(select(records.scans).where(_SCANS.id == scan_id), scan_id)
        return Subject(
            row.id,
            JobState(row.state),
            tuple(row.targets),
            row.scaninfo,
            tuple(row.command),
            row.imported,
            tuple(row.skipped),
            row.nmap_version,
        )

    def only_listed(self, scan_id: int) -> bool:
        """Return whether a scan sent nothing to its targets (``-sL``)."""
        with self._database.read() as connection:
            return connection.execute(select(_first_status_of(scan_id))).scalar_one() == ONLY_LISTED

    def predecessor(self, scan_id: int) -> int | None:
        """Return what a scan is compared with by itself.

        That is, of the completed scans before it with the same owner and targets, the latest pinned one, or else
        the latest with the same options, or else the latest.
        """
        columns = (_SCANS.owner_id, _SCANS.targets, _SCANS.arguments, _SCANS.imported)
        this = self._one(select(*columns).where(_SCANS.id == scan_id), scan_id)
        if this.imported or self.only_listed(scan_id):
            return None
        same_options = case((_SCANS.arguments == this.arguments, 1), else_=0)
        query = (
            select(_SCANS.id)
            .where(*_alike(this), _SCANS.id < scan_id)
            .order_by(_SCANS.pinned.desc(), same_options.desc(), _SCANS.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else int(found)

    def successors(self, scan_id: int, limit: int) -> list[int]:
        """Return the latest completed scans of the same owner and targets after a scan."""
        this = self._one(select(_SCANS.owner_id, _SCANS.targets).where(_SCANS.id == scan_id), scan_id)
        query = select(_SCANS.id).where(*_alike(this), _SCANS.id > scan_id).order_by(_SCANS.id.desc())
        with self._database.read() as connection:
            return list(connection.execute(query.limit(limit)).scalars())

    def owner(self, scan_id: int) -> int:
        """Return whose a scan is."""
        return int(self._one(select(_SCANS.owner_id).where(_SCANS.id == scan_id), scan_id).owner_id)

    def compared(self, owner_id: int | None, limit: int) -> list[tuple[int, int, int]]:
        """Return (earlier, later, owner) of the latest scans with counts, of one owner or of all."""
        earlier = _SCANS.compared_with
        query = select(earlier, _SCANS.id, _SCANS.owner_id).where(earlier.is_not(None))
        if owner_id is not None:
            query = query.where(_SCANS.owner_id == owner_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(_SCANS.id.desc()).limit(limit))
            return [(row[0], row[1], row[2]) for row in rows]

    def _one(self, query: Select[Any], scan_id: int) -> Any:
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"no scan {scan_id}")
        return row

    def heads(self, scan_id: int) -> list[HostHead]:
        """Return every host that was up, once, in the order of addresses.

        Without a ping (``-Pn``) every address counts as up: one that showed no open port was not seen.
        """
        columns = (
            _HOSTS.ordinal, _HOSTS.address, _HOSTS.address_key, _HOSTS.lladdr, _HOSTS.hostnames,
            _HOSTS.timed_out, _HOSTS.partial,
        )  # fmt: skip
        seen = or_(_HOSTS.reason != _NOT_PINGED, _HOSTS.open_ports > 0)
        query = select(*columns).where(_HOSTS.scan_id == scan_id, _HOSTS.status == "up", seen)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(_HOSTS.address_key)).all()
            systems = self._sure_systems(connection, scan_id)
        return list({row.address: _head(row, systems.get(row.ordinal, "")) for row in rows}.values())

    def _sure_systems(self, connection: Connection, scan_id: int) -> dict[int, str]:
        best = records.os_matches.c
        query = select(best.ordinal, best.name).where(
            best.scan_id == scan_id, best.position == 0, best.accuracy == 100
        )
        return {row.ordinal: row.name for row in connection.execute(query)}

    def ports(self, scan_id: int, ordinals: Sequence[int]) -> dict[int, dict[PortKey, PortFacts]]:
        """Return the listed ports of some hosts, by ordinal."""
        if not ordinals:
            return {}
        columns = (
            _PORTS.ordinal, _PORTS.protocol, _PORTS.number, _PORTS.state, _PORTS.service, _PORTS.product,
            _PORTS.version, _PORTS.extrainfo, _PORTS.tunnel, _PORTS.method,
        )  # fmt: skip
        query = select(*columns).where(_PORTS.scan_id == scan_id, _PORTS.ordinal.in_(ordinals))
        found: dict[int, dict[PortKey, PortFacts]] = {}
        with self._database.read() as connection:
            rows = connection.execute(query).all()  # twice as fast as one by one
        for ordinal, protocol, number, state, service, product, version, extrainfo, tunnel, method in rows:
            found.setdefault(ordinal, {})[protocol, number] = PortFacts(
                state, service or "", product, version, extrainfo, tunnel, method == _PROBED
            )
        return found

    def keys(self, scan_id: int) -> dict[int, HostKeys]:
        """Return SSH host keys and TLS certificates by ordinal, where some were found."""
        query = (
            select(_SCRIPTS.ordinal, _SCRIPTS.script, _SCRIPTS.data)
            .where(_SCRIPTS.scan_id == scan_id, _SCRIPTS.script.in_(_KEY_SCRIPTS))
            .order_by(_SCRIPTS.ordinal, _SCRIPTS.number)
        )
        found: dict[int, dict[str, str]] = {}
        with self._database.read() as connection:
            for ordinal, script, data in connection.execute(query):
                if mark := min(_fingerprints(data), default=""):
                    found.setdefault(ordinal, {}).setdefault(script, mark)
        return {
            ordinal: HostKeys(*(marks.get(script, "") for script in _KEY_SCRIPTS))
            for ordinal, marks in found.items()
        }


def _alike(this: Any) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a completed scan with the same owner and targets that asked them something."""
    return (
        _SCANS.owner_id == this.owner_id,
        _SCANS.targets == this.targets,
        _SCANS.state == JobState.COMPLETED.value,
        func.coalesce(_first_status_of(_SCANS.id), "") != ONLY_LISTED,
    )


def _first_status_of(scan_id: ColumnElement[int] | int) -> ScalarSelect[str]:
    """Return the status of the first host that a scan lists."""
    query = select(_HOSTS.status).where(_HOSTS.scan_id == scan_id)
    return query.order_by(_HOSTS.ordinal).limit(1).scalar_subquery()


def _head(row: Any, system: str) -> HostHead:
    names = {kind: name.lower() for name, kind in reversed(row.hostnames)}
    return HostHead(
        row.ordinal,
        row.address,
        row.address_key,
        row.lladdr,
        tuple(name for name, kind in row.hostnames if kind == "PTR"),
        names.get("user", ""),
        system,
        row.timed_out or row.partial,
    )


def _fingerprints(data: Any) -> Iterator[str]:
    """Yield what ssh-hostkey calls ``fingerprint`` and ssl-cert ``sha1``, wherever it stands."""
    for entry in data if isinstance(data, list) else [data]:
        if isinstance(entry, dict):
            yield from (
                str(entry[name]) for name in ("fingerprint", "sha1") if isinstance(entry.get(name), str)
            )
