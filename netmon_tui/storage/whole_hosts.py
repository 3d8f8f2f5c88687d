"""Hosts put together from their rows in every table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, select

from netmon_tui.domain.host import ExtraPorts, Hop, Host, HostAddress, OsMatch, Port, Script, Service
from netmon_tui.storage import records

Among = Callable[[Any], ColumnElement[bool]]
"""A condition on a column of ordinals."""


def is_one_of(ordinals: Sequence[int], column: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that an ordinal is one of these."""
    return column.in_(ordinals)


def is_between(first: int, last: int, column: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that an ordinal is within a range, both ends included."""
    return column.between(first, last)


def whole_hosts_of(connection: Connection, scan_id: int, among: Among) -> Iterator[Host]:
    """Yield hosts in the order of their ordinals, joined in Python: one query a table, not one a host."""

    def children(table: Table) -> dict[int, list[Row[Any]]]:
        query = (
            select(table)
            .where(table.c.scan_id == scan_id, among(table.c.ordinal))
            .order_by(*table.primary_key.columns)
        )
        grouped: dict[int, list[Row[Any]]] = {}
        for row in connection.execute(query):
            grouped.setdefault(row.ordinal, []).append(row)
        return grouped

    query = select(records.hosts).where(records.hosts.c.scan_id == scan_id, among(records.hosts.c.ordinal))
    parts = {table.name: children(table) for table in _CHILDREN}
    for row in connection.execute(query.order_by(records.hosts.c.ordinal)):
        yield _host(row, {name: grouped.get(row.ordinal, []) for name, grouped in parts.items()})


_CHILDREN = (
    records.addresses,
    records.ports,
    records.extraports,
    records.os_matches,
    records.hops,
    records.scripts,
)


def _host(row: Row[Any], parts: dict[str, list[Row[Any]]]) -> Host:
    scripts: dict[tuple[str, int], list[Script]] = {}
    for line in parts["scripts"]:
        scripts.setdefault((line.protocol, line.number), []).append(
            Script(line.script, line.output, line.data)
        )
    addresses = [HostAddress(a.address, a.kind, a.vendor) for a in parts["addresses"]]
    addresses.sort(key=lambda a: (a.address != row.address, a.kind))
    ports = (_port(p, tuple(scripts.get((p.protocol, p.number), ()))) for p in parts["ports"])
    return Host(
        address=row.address,
        status=row.status,
        reason=row.reason,
        reason_ttl=row.reason_ttl,
        addresses=tuple(addresses),
        hostnames=tuple((name, kind) for name, kind in row.hostnames),
        ports=tuple(sorted(ports, key=lambda p: (p.protocol, p.number))),
        extraports=tuple(
            ExtraPorts(e.state, e.total, tuple((r, n) for r, n in e.reasons)) for e in parts["extraports"]
        ),
        scripts=tuple(scripts.get(("", -1), ())),
        os=tuple(
            OsMatch(m.name, m.accuracy, tuple(m.cpe), tuple(tuple(c) for c in m.classes))
            for m in parts["os_matches"]
        ),
        hops=tuple(Hop(h.ttl, h.address, h.hostname, h.rtt) for h in parts["hops"]),
        distance=row.distance,
        uptime=row.uptime,
        started=row.started,
        finished=row.finished,
        timed_out=row.timed_out,
        partial=row.partial,
    )


def _port(row: Row[Any], scripts: tuple[Script, ...]) -> Port:
    return Port(row.number, row.protocol, row.state, row.reason, row.reason_ttl, service_of(row), scripts)


def service_of(row: Row[Any]) -> Service | None:
    """Return the service of a row that has the columns of ports."""
    if row.service is None:
        return None
    return Service(
        row.service,
        row.product,
        row.version,
        row.extrainfo,
        row.tunnel,
        row.method,
        row.confidence,
        tuple(row.cpe),
        row.hostname,
        row.ostype,
        row.devicetype,
    )
