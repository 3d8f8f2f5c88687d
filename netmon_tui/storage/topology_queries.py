"""Reading where the hosts of a scan are: routes counted by the database, hosts only when they are wanted.

Callers have checked that the scan is the actor's. Only hosts that are up are on the map.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, String, and_, case, cast, func, or_, select

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.topology import (
    Lot,
    MapHost,
    Place,
    Station,
    hop_addresses,
    steps,
    subnet_of,
    subnet_span,
)
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.selection import contains_text

_HOSTS = records.hosts.c
_HOPS = records.hops.c
_PAGE = 500
"""Values of one IN; databases take some thousands."""
_IPV6 = b"\x06"
_BYTES = {4: 16, 6: 9}
"""Version of IP to the leading bytes of a packed address that say its subnet."""


class TopologyQueries:
    """Routes and places of a scan's hosts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lots(self, scan_id: int) -> tuple[list[Lot], list[int]]:
        """Return where the hosts of a scan are, and ordinals of hosts that together have every route."""
        packed = _HOSTS.address_key
        length = case((func.substr(packed, 1, 1) == _IPV6, _BYTES[6]), else_=_BYTES[4])
        key = (func.substr(packed, 1, length).label("subnet"), *_where())
        counted = (func.count(), func.sum(_HOSTS.open_ports), func.min(_HOSTS.ordinal))
        columns: tuple[ColumnElement[Any], ...] = (*key, *counted)
        query = select(*columns).where(_HOSTS.scan_id == scan_id, _HOSTS.status == "up")
        lots, examples = [], {}
        with self._database.read() as connection:
            for row in connection.execute(query.group_by(*(column.name for column in key))):
                subnet, route, distance, near, hosts, open_ports, example = row
                lots.append(Lot(_place(subnet, route, distance, near), hosts, open_ports))
                examples[route] = example
        return lots, [ordinal for route, ordinal in examples.items() if route]

    def stations(self, scan_id: int, lots: Sequence[Lot], examples: Sequence[int]) -> dict[str, Station]:
        """Return what is known of the hops on the routes, by address."""
        wanted = hop_addresses(lots)
        found = {address: Station() for address in wanted}
        query = select(_HOPS.address, _HOPS.hostname, _HOPS.rtt).where(_HOPS.scan_id == scan_id)
        with self._database.read() as connection:
            for page in _pages(examples):
                for address, hostname, rtt in connection.execute(query.where(_HOPS.ordinal.in_(page))):
                    known = found.get(address)
                    if known is not None:
                        found[address] = Station(known.hostname or hostname, _least(known.rtt, rtt))
        places = {
            ordinal: place
            for keys in _pages([packed_sort_key(address) for address in sorted(wanted)])
            for ordinal, address, place in self._find(scan_id, _HOSTS.address_key.in_(keys))
            if address in wanted
        }
        for host in self.hosts(scan_id, sorted(places)):
            found[host.address] = found[host.address]._replace(host=host, place=places[host.ordinal])
        return found

    def within(self, scan_id: int, subnet: str) -> Iterator[tuple[int, str, Place]]:
        """Yield ordinal, address and place of the hosts of a subnet, by address."""
        return self._find(scan_id, _HOSTS.address_key.between(*subnet_span(subnet)))

    def matching(self, scan_id: int, text: str, most: int) -> Iterator[tuple[int, str, Place]]:
        """Yield ordinal, address and place of at most so many hosts that contain a text, by address."""
        columns = (_HOSTS.address, _HOSTS.hostnames, _HOSTS.vendor, _HOSTS.lladdr)
        chosen = (
            select(_HOSTS.ordinal)
            .where(_HOSTS.scan_id == scan_id, _HOSTS.status == "up", contains_text(text, columns))
            .order_by(_HOSTS.address_key)
            .limit(most)
        )
        return self._find(scan_id, _HOSTS.ordinal.in_(chosen))

    def hosts(self, scan_id: int, ordinals: Sequence[int]) -> list[MapHost]:
        """Return hosts in the order of their ordinals given; those that are gone are left out."""
        found: dict[int, MapHost] = {}
        own = and_(
            _HOPS.scan_id == _HOSTS.scan_id, _HOPS.ordinal == _HOSTS.ordinal, _HOPS.address == _HOSTS.address
        )
        joined = records.hosts.outerjoin(records.hops, own)
        query = select(records.hosts, _HOPS.rtt).select_from(joined).where(_HOSTS.scan_id == scan_id)
        with self._database.read() as connection:
            for page in _pages(ordinals):
                for row in connection.execute(query.where(_HOSTS.ordinal.in_(page))):
                    found.setdefault(row.ordinal, _host(row))
        return [found[ordinal] for ordinal in ordinals if ordinal in found]

    def _find(self, scan_id: int, where: ColumnElement[bool]) -> Iterator[tuple[int, str, Place]]:
        columns: tuple[ColumnElement[Any], ...] = (
            _HOSTS.ordinal,
            _HOSTS.address,
            _HOSTS.address_key,
            *_where(),
        )
        query = select(*columns).where(_HOSTS.scan_id == scan_id, _HOSTS.status == "up", where)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(_HOSTS.address_key, _HOSTS.ordinal)).all()
        for ordinal, address, packed, route, distance, near in rows:
            yield ordinal, address, _place(packed, route, distance, near)


def _where() -> tuple[ColumnElement[Any], ...]:
    """Return columns that say where a host is: route, distance, whether it is near.

    A route is one text, such as ``1 192.0.2.1,2 192.0.2.9,3 ``; the host itself is left empty, so that the routes
    of neighbours are equal. The database does not promise the order of the pieces; ``steps`` sorts them.
    """
    address = case((_HOPS.address != _HOSTS.address, _HOPS.address), else_="")
    route = (
        select(func.aggregate_strings(cast(_HOPS.ttl, String) + " " + address, ","))
        .where(_HOPS.scan_id == _HOSTS.scan_id, _HOPS.ordinal == _HOSTS.ordinal)
        .correlate(records.hosts)
        .scalar_subquery()
    )
    near = or_(_HOSTS.lladdr != "", func.coalesce(_HOSTS.distance, 99) <= 1)
    return route.label("route"), _HOSTS.distance, near.label("near")


def _place(packed: bytes, route: str | None, distance: int | None, near: bool) -> Place:
    pieces = (piece.partition(" ") for piece in (route or "").split(",") if piece)
    hops = [(int(ttl), address) for ttl, _, address in pieces]
    own = min((ttl for ttl, address in hops if not address), default=None)
    if own is None and hops:
        own = distance
    return Place(subnet_of(packed), steps(hops), own, bool(near))


def _host(row: Row[Any]) -> MapHost:
    name = row.hostnames[0][0] if row.hostnames else ""
    return MapHost(row.ordinal, row.address, name, row.lladdr, row.vendor, row.open_ports, row.rtt)


def _least(a: float | None, b: float | None) -> float | None:
    return min((value for value in (a, b) if value is not None), default=None)


def _pages(values: Collection[Any]) -> Iterator[Sequence[Any]]:
    """Yield so many values at a time as fit one query."""
    listed = list(values)
    return (listed[start : start + _PAGE] for start in range(0, len(listed), _PAGE))
