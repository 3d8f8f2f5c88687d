"""Hosts put together from their rows in every table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, select

from netmon_tui.domain.host import (
    ExtraPorts,
    Hop,
    Host,
    HostAddress,
    OsMatch,
    Port,
    PortDetail,
    RoundTrip,
    Script,
    SequenceTest,
    Service,
)
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
    lists = _port_lists(connection, scan_id, parts["extraports"])
    for row in connection.execute(query.order_by(records.hosts.c.ordinal)):
        yield _host(row, {name: grouped.get(row.ordinal, []) for name, grouped in parts.items()}, lists)


def _port_lists(
    connection: Connection, scan_id: int, extraports: dict[int, list[Row[Any]]]
) -> dict[str, str]:
    """Return the lists of ports that these rows speak of, by digest."""
    wanted = {digest for lines in extraports.values() for line in lines for _, digest in line.places}
    if not wanted:
        return {}
    table = records.port_lists
    query = select(table.c.digest, table.c.ports).where(
        table.c.scan_id == scan_id, table.c.digest.in_(wanted)
    )
    return {row.digest: row.ports for row in connection.execute(query)}


_KINDS = ("tcp", "ipid", "tcpts")
_CHILDREN = (
    records.addresses,
    records.ports,
    records.extraports,
    records.os_matches,
    records.hops,
    records.scripts,
    records.port_details,
    records.os_ports,
    records.os_fingerprints,
    records.sequences,
)


def _host(row: Row[Any], parts: dict[str, list[Row[Any]]], lists: dict[str, str]) -> Host:
    scripts = _scripts(parts["scripts"])
    details = {(d.protocol, d.number): PortDetail(*d[4:]) for d in parts["port_details"]}
    addresses = [HostAddress(a.address, a.kind, a.vendor) for a in parts["addresses"]]
    addresses.sort(key=lambda a: (a.address != row.address, a.kind))
    ports = (
        _port(p, tuple(scripts.get((p.protocol, p.number), ())), details.get((p.protocol, p.number)))
        for p in parts["ports"]
    )
    return Host(
        address=row.address,
        status=row.status,
        reason=row.reason,
        reason_ttl=row.reason_ttl,
        addresses=tuple(addresses),
        hostnames=tuple((name, kind) for name, kind in row.hostnames),
        ports=tuple(sorted(ports, key=lambda p: (p.protocol, p.number))),
        extraports=tuple(
            ExtraPorts(
                e.state,
                e.total,
                tuple((r, n) for r, n in e.reasons),
                tuple((protocol, lists[digest]) for protocol, digest in e.places),
            )
            for e in parts["extraports"]
        ),
        scripts=tuple(scripts.get(("", -1), ())),
        os=tuple(
            OsMatch(m.name, m.accuracy, tuple(m.cpe), tuple(tuple(c) for c in m.classes), m.line)
            for m in parts["os_matches"]
        ),
        hops=tuple(Hop(h.ttl, h.address, h.hostname, h.rtt) for h in parts["hops"]),
        distance=row.distance,
        uptime=row.uptime,
        started=row.started,
        finished=row.finished,
        timed_out=row.timed_out,
        partial=row.partial,
        sequences=tuple(sorted(map(_sequence, parts["sequences"]), key=lambda s: _KINDS.index(s.kind))),
        os_ports=tuple((p.state, p.protocol, p.number) for p in parts["os_ports"]),
        os_fingerprints=tuple(f.fingerprint for f in parts["os_fingerprints"]),
        last_boot=row.last_boot,
        smurf_responses=row.smurf_responses,
        trace_protocol=row.trace_protocol,
        trace_port=row.trace_port,
        round_trip=_round_trip(row),
        comment=row.comment,
    )


def _scripts(rows: list[Row[Any]]) -> dict[tuple[str, int], list[Script]]:
    """Return scripts by protocol and number."""
    found: dict[tuple[str, int], list[Script]] = {}
    for row in rows:
        found.setdefault((row.protocol, row.number), []).append(Script(row.script, row.output, row.data))
    return found


def _sequence(row: Row[Any]) -> SequenceTest:
    return SequenceTest(row.kind, row.grade, row.samples, row.tcp_index)


def _round_trip(row: Row[Any]) -> RoundTrip | None:
    times = RoundTrip(row.rtt_smoothed, row.rtt_variance, row.rtt_timeout)
    return times if any(time is not None for time in times) else None


def _port(row: Row[Any], scripts: tuple[Script, ...], detail: PortDetail | None) -> Port:
    service = service_of(row)
    return Port(row.number, row.protocol, row.state, row.reason, row.reason_ttl, service, scripts, detail)


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
