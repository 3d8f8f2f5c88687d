"""What scans and the neighbours' memory know of each other."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.neighbour_facts import CaptureNaming, LladdrSpan, ScanOfHost
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NotFound
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.selection import visible_to

MOST_SPANS = 200
MOST_SCANS = 50
MOST_CAPTURES = 50
_HOSTS = records.hosts.c
_SCANS = records.scans.c
_HISTORY = records.neighbour_history.c


class ResolvedHost(NamedTuple):
    """A host whose lladdr a scan saw."""

    address: str
    lladdr: str
    reason: str
    """Why nmap takes it to be up, such as ``arp-response``."""
    started: float | None
    """POSIX time; None where nmap does not tell, as in a ping scan."""


class SweptScan(NamedTuple):
    """What a scan was asked to do, and when it was over."""

    imported: bool
    targets: tuple[str, ...]
    arguments: str
    finished: datetime | None


class NeighbourQueries:
    """Reads hosts by lladdr, and lladdrs by address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lladdrs_of(self, address: str) -> list[LladdrSpan]:
        """Return the lladdrs that an address had on any interface, seen last first."""
        return self._spans(_HISTORY.address == address)

    def addresses_of(self, lladdr: str) -> list[LladdrSpan]:
        """Return the addresses that an lladdr had, seen last first."""
        return self._spans(_HISTORY.lladdr == lladdr)

    def _spans(self, condition: ColumnElement[bool]) -> list[LladdrSpan]:
        columns = (
            _HISTORY.interface, _HISTORY.address, _HISTORY.lladdr, _HISTORY.first_seen, _HISTORY.last_seen,
        )  # fmt: skip
        query = select(*columns).where(condition).order_by(_HISTORY.last_seen.desc()).limit(MOST_SPANS)
        with self._database.read() as connection:
            return [LladdrSpan(*row) for row in connection.execute(query)]

    def scans_of_address(self, actor: Actor, address: str) -> list[ScanOfHost]:
        """Return the scans that found an address up, the latest first."""
        return self._scans(actor, _HOSTS.address_key == packed_sort_key(address))

    def scans_of_lladdr(self, actor: Actor, lladdr: str) -> list[ScanOfHost]:
        """Return the scans that found an lladdr, whatever address it had, the latest first."""
        return self._scans(actor, _HOSTS.lladdr == lladdr, _HOSTS.lladdr != "")

    def _scans(self, actor: Actor, *conditions: ColumnElement[bool]) -> list[ScanOfHost]:
        begun = func.coalesce(_SCANS.finished, _SCANS.started, _SCANS.created, type_=_SCANS.created.type)
        query: Select[Any] = (
            select(_SCANS.id, _SCANS.name, begun, _HOSTS.address, _HOSTS.lladdr, _HOSTS.open_ports)
            .join(records.scans, _SCANS.id == _HOSTS.scan_id)
            .where(*conditions, _HOSTS.status == "up", visible_to(actor, _SCANS.owner_id))
            .order_by(_SCANS.id.desc(), _HOSTS.ordinal)
            .limit(MOST_SCANS)
        )
        with self._database.read() as connection:
            return [ScanOfHost(*row) for row in connection.execute(query)]

    def captures_naming(self, actor: Actor, address: str) -> list[CaptureNaming]:
        """Return the captures whose filter names an address or lladdr, the latest first."""
        captures = records.captures.c
        begun = func.coalesce(captures.started, captures.created, type_=captures.created.type)
        query = (
            select(captures.id, captures.name, begun, captures.interface, captures.filter, captures.packets)
            .where(
                func.lower(captures.filter).contains(address, autoescape=True),
                visible_to(actor, captures.owner_id),
            )
            .order_by(captures.id.desc())
        )
        word = re.compile(rf"(?<![\w.:]){re.escape(address)}(?![\w.:])", re.IGNORECASE)
        with self._database.read() as connection:
            found = (CaptureNaming(*row) for row in connection.execute(query))
            return list(islice((one for one in found if word.search(one.filter)), MOST_CAPTURES))

    def swept(self, scan_id: int) -> SweptScan:
        """Return what a scan was asked to do; NotFound when it was deleted meanwhile."""
        query = select(_SCANS.imported, _SCANS.targets, _SCANS.arguments, _SCANS.finished)
        with self._database.read() as connection:
            row = connection.execute(query.where(_SCANS.id == scan_id)).one_or_none()
        if row is None:
            raise NotFound(f"no scan {scan_id}")
        return SweptScan(row.imported, tuple(row.targets), row.arguments, row.finished)

    def resolved_by(self, scan_id: int) -> list[ResolvedHost]:
        """Return the hosts of a scan that are up and whose lladdr it saw."""
        query = select(_HOSTS.address, _HOSTS.lladdr, _HOSTS.reason, _HOSTS.started).where(
            _HOSTS.scan_id == scan_id, _HOSTS.status == "up", _HOSTS.lladdr != ""
        )
        with self._database.read() as connection:
            return [ResolvedHost(*row) for row in connection.execute(query)]
