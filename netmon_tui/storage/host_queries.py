"""Reading what scans found, by the window that is looked at.

Callers have checked that the scan is the actor's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row, Select, and_, func, select

from netmon_tui.domain.export import HostSelection
from netmon_tui.domain.host import Host, HostLine, KnownHost, ServiceLine
from netmon_tui.domain.scan_run import ScanRun
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import NotFound
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.scan_run_rows import read_run
from netmon_tui.storage.search_conditions import matching
from netmon_tui.storage.selection import in_window, visible_to
from netmon_tui.storage.whole_hosts import Among, is_between, is_one_of, whole_hosts_of
from netmon_tui.tools.scan_query import parse_query

_HOSTS = records.hosts.c
_PORTS = records.ports.c
_HOST_SORTS: dict[str, Any] = {
    "address": _HOSTS.address_key,
    "status": _HOSTS.status,
    "hostname": _HOSTS.hostnames,
    "vendor": _HOSTS.vendor,
    "os": _HOSTS.os_name,
    "open": _HOSTS.open_ports,
}
_SERVICE_SORTS: dict[str, Any] = {
    "address": _HOSTS.address_key,
    "number": _PORTS.number,
    "protocol": _PORTS.protocol,
    "state": _PORTS.state,
    "service": _PORTS.service,
    "product": _PORTS.product,
}
_KNOWN_SORTS = {
    "address": "address_key",
    "hostname": "hostnames",
    "vendor": "vendor",
    "open": "open_ports",
    "scans": "scans",
    "last_seen": "last_seen",
}


def _first_name(hostnames: list[list[str]]) -> str:
    return hostnames[0][0] if hostnames else ""


class HostQueries:
    """Hosts, ports and services of scans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count_hosts(self, scan_id: int, text: str = "", *, up_only: bool = False) -> int:
        """Return how many lines :meth:`host_lines` has."""
        query = (
            select(func.count()).select_from(records.hosts).where(*self._host_filter(scan_id, text, up_only))
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def host_lines(
        self,
        scan_id: int,
        window: Window = FIRST,
        *,
        up_only: bool = False,
    ) -> list[HostLine]:
        """Return a window of a scan's hosts."""
        query = select(records.hosts).where(*self._host_filter(scan_id, window.text, up_only))
        query = in_window(query, window, _HOST_SORTS, _HOSTS.address_key)
        with self._database.read() as connection:
            return [_host_line(row) for row in connection.execute(query)]

    def _host_filter(self, scan_id: int, text: str, up_only: bool) -> tuple[Any, ...]:
        columns = (
            _HOSTS.address,
            _HOSTS.hostnames,
            _HOSTS.vendor,
            _HOSTS.os_name,
            _HOSTS.lladdr,
            _HOSTS.status,
        )
        up = (_HOSTS.status == "up",) if up_only else ()
        return (_HOSTS.scan_id == scan_id, matching(parse_query(text), (records.hosts,), columns), *up)

    def count_services(self, scan_id: int, text: str = "") -> int:
        """Return how many lines :meth:`service_lines` has."""
        query = self._services(scan_id, text, func.count())
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def service_lines(self, scan_id: int, window: Window = FIRST) -> list[ServiceLine]:
        """Return a window of a scan's ports across hosts."""
        columns = (
            _HOSTS.ordinal,
            _HOSTS.address,
            _PORTS.number,
            _PORTS.protocol,
            _PORTS.state,
            _PORTS.reason,
            func.coalesce(_PORTS.service, ""),
            _PORTS.product,
            _PORTS.version,
        )
        query = self._services(scan_id, window.text, *columns)
        own = () if window.sort else (_PORTS.service,)
        query = in_window(query, window, _SERVICE_SORTS, *own, _HOSTS.address_key, _PORTS.number)
        with self._database.read() as connection:
            return [ServiceLine(*row) for row in connection.execute(query)]

    def _services(self, scan_id: int, text: str, *columns: Any) -> Select[Any]:
        searched = (_HOSTS.address, _PORTS.service, _PORTS.product, _PORTS.version, _PORTS.state)
        joined = records.ports.join(
            records.hosts, and_(_HOSTS.scan_id == _PORTS.scan_id, _HOSTS.ordinal == _PORTS.ordinal)
        )
        tables = (records.hosts, records.ports)
        return (
            select(*columns)
            .select_from(joined)
            .where(_PORTS.scan_id == scan_id, matching(parse_query(text), tables, searched))
        )

    def host(self, scan_id: int, ordinal: int) -> Host:
        """Return one host with everything that is stored of it.

        Raises:
            NotFound: No such host, or its live rows were replaced by its element since.
        """
        with self._database.read() as connection:
            found = list(whole_hosts_of(connection, scan_id, lambda column: column == ordinal))
        if not found:
            raise NotFound(f"no host {ordinal} in scan {scan_id}")
        return found[0]

    def host_by_address(self, scan_id: int, address: str) -> Host:
        """Return the host of a scan that has this address."""
        query = select(_HOSTS.ordinal).where(_HOSTS.scan_id == scan_id, _HOSTS.address == address)
        with self._database.read() as connection:
            ordinal = connection.execute(query.order_by(_HOSTS.ordinal.desc())).scalars().first()
        if ordinal is None:
            raise NotFound(f"no host {address} in scan {scan_id}")
        return self.host(scan_id, ordinal)

    def whole_hosts(
        self, scan_id: int, chosen: Sequence[int] | None = None, *, page: int = 256
    ) -> Iterator[Host]:
        """Yield every host of a scan with all its results, by pages, so that memory does not grow with it.

        Args:
            scan_id: The scan.
            chosen: Ordinals in their order; None for all hosts.
            page: Hosts read at once.
        """
        for among in self._pages(scan_id, chosen, page):
            with self._database.read() as connection:
                found = list(whole_hosts_of(connection, scan_id, among))
            yield from found

    def lines_in_order(
        self, scan_id: int, chosen: Sequence[int] | None = None, *, page: int = 256
    ) -> Iterator[HostLine]:
        """Yield the lines of the hosts that :meth:`whole_hosts` yields, in the same order."""
        for among in self._pages(scan_id, chosen, page):
            query = select(records.hosts).where(_HOSTS.scan_id == scan_id, among(_HOSTS.ordinal))
            with self._database.read() as connection:
                found = [_host_line(row) for row in connection.execute(query.order_by(_HOSTS.ordinal))]
            yield from found

    def ordinals(self, scan_id: int, selection: HostSelection) -> list[int]:
        """Return the ordinals of the hosts that are selected, in their order.

        Raises:
            NotFound: The scan has not one of the addresses, or no host is left.
        """
        query = select(_HOSTS.ordinal, _HOSTS.address).where(
            *self._host_filter(scan_id, selection.text, False)
        )
        wanted, found, known = set(selection.addresses), [], set()
        with self._database.read() as connection:
            for ordinal, address in connection.execute(query.order_by(_HOSTS.ordinal)):
                if not wanted or address in wanted:
                    found.append(ordinal)
                    known.add(address)
        for address in selection.addresses:
            if address not in known:
                raise NotFound(f"no host {address} in scan {scan_id}{_matching(selection.text)}")
        if not found:
            raise NotFound(f"no host in scan {scan_id}{_matching(selection.text)}")
        return found

    def _pages(self, scan_id: int, chosen: Sequence[int] | None, page: int) -> Iterator[Among]:
        """Yield conditions on ordinals that together mean the chosen ones, or all of a scan."""
        if chosen is not None:
            for start in range(0, len(chosen), page):
                yield partial(is_one_of, chosen[start : start + page])
            return
        with self._database.read() as connection:
            ordinals = select(func.min(_HOSTS.ordinal), func.max(_HOSTS.ordinal)).where(
                _HOSTS.scan_id == scan_id
            )
            first, last = connection.execute(ordinals).one()
        if first is None:
            return
        for start in range(first, last + 1, page):
            yield partial(is_between, start, min(start + page - 1, last))

    def run(self, scan_id: int) -> ScanRun:
        """Return what the scan's document says of the run itself."""
        with self._database.read() as connection:
            return read_run(connection, scan_id)

    def known_hosts(self, actor: Actor, window: Window = FIRST) -> list[KnownHost]:
        """Return a window of all addresses that were ever up, each with its latest scan's findings."""
        latest = self._known(actor, window.text)
        sorts = {key: latest.c[name] for key, name in _KNOWN_SORTS.items()}
        query = in_window(select(latest), window, sorts, latest.c.address_key)
        with self._database.read() as connection:
            return [_known_host(row) for row in connection.execute(query)]

    def count_known_hosts(self, actor: Actor, text: str = "") -> int:
        """Return how many lines :meth:`known_hosts` has."""
        with self._database.read() as connection:
            query = select(func.count()).select_from(self._known(actor, text))
            return int(connection.execute(query).scalar_one())

    def _known(self, actor: Actor, text: str) -> Any:
        """The latest row of every address, beside how many scans have it."""
        seen = (
            select(
                _HOSTS.address_key.label("key"),
                func.max(_HOSTS.scan_id).label("last_scan"),
                func.count(_HOSTS.scan_id.distinct()).label("scans"),
            )
            .join(records.scans, records.scans.c.id == _HOSTS.scan_id)
            .where(_HOSTS.status == "up", visible_to(actor, records.scans.c.owner_id))
            .group_by(_HOSTS.address_key)
            .subquery()
        )
        columns = (_HOSTS.address, _HOSTS.hostnames, _HOSTS.vendor, _HOSTS.os_name, _HOSTS.lladdr)
        shown = (*columns, _HOSTS.address_key, seen.c.scans, seen.c.last_scan)
        return (
            select(
                *shown,
                func.max(_HOSTS.open_ports).label("open_ports"),
                func.max(func.coalesce(_HOSTS.finished, _HOSTS.started)).label("last_seen"),
            )
            .join(seen, and_(seen.c.key == _HOSTS.address_key, seen.c.last_scan == _HOSTS.scan_id))
            .where(matching(parse_query(text), (records.hosts,), columns))
            .group_by(*shown)
            .subquery()
        )


def _host_line(row: Row[Any]) -> HostLine:
    return HostLine(
        row.ordinal,
        row.address,
        row.status,
        _first_name(row.hostnames),
        row.lladdr,
        row.vendor,
        row.os_name,
        row.open_ports,
        row.partial,
        row.timed_out,
    )


def _known_host(row: Row[Any]) -> KnownHost:
    return KnownHost(
        row.address,
        _first_name(row.hostnames),
        row.lladdr,
        row.vendor,
        row.os_name,
        row.open_ports,
        row.scans,
        row.last_scan,
        row.last_seen,
    )


def _matching(text: str) -> str:
    return f" matches {text!r}" if text else ""
