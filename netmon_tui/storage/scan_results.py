"""Writing what a scan found: tuples in bulk, keyed so that reading a document twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.host import Host, HostAddress, Port, Script
from netmon_tui.storage import records
from netmon_tui.storage.database import Database, bulk_insert

_EMPTY = "[]"
_NO_SERVICE = (None, "", "", "", "", "", 0, _EMPTY, "", "", "")
Rows = list[tuple[Any, ...]]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) if value else _EMPTY


class HostRows:
    """The rows of a batch of hosts, one list a table."""

    def __init__(self, scan_id: int) -> None:
        self.scan_id = scan_id
        self.hosts: Rows = []
        self.addresses: Rows = []
        self.ports: Rows = []
        self.extraports: Rows = []
        self.os_matches: Rows = []
        self.hops: Rows = []
        self.scripts: Rows = []
        self.up = 0
        self.down = 0
        self.open_ports = 0

    def add(self, ordinal: int, host: Host) -> None:
        """Add one host under its ordinal."""
        key = (self.scan_id, ordinal)
        open_ports = host.open_ports
        self.open_ports += open_ports
        self.up += host.status == "up"
        self.down += host.status == "down"
        self.hosts.append(_host_row(key, host, open_ports))
        seen = dict.fromkeys(host.addresses)
        self.addresses += [(*key, a.address, a.kind, a.vendor) for a in seen]
        for port in host.ports:
            self.ports.append(_port_row(key, port))
            if port.scripts:
                self.scripts += _script_rows(key, port.protocol, port.number, port.scripts)
        if host.scripts:
            self.scripts += _script_rows(key, "", -1, host.scripts)
        if host.extraports:
            self.extraports += [
                (*key, n, e.state, e.total, _json(e.reasons)) for n, e in enumerate(host.extraports)
            ]
        if host.os:
            self.os_matches += [
                (*key, n, m.name, m.accuracy, _json(m.cpe), _json(m.classes)) for n, m in enumerate(host.os)
            ]
        if host.hops:
            self.hops += [(*key, n, h.ttl, h.address, h.hostname, h.rtt) for n, h in enumerate(host.hops)]

    def insert(self, connection: Connection) -> None:
        """Insert all rows, parents first."""
        bulk_insert(connection, records.hosts, self.hosts)
        bulk_insert(connection, records.addresses, self.addresses)
        bulk_insert(connection, records.ports, self.ports)
        bulk_insert(connection, records.extraports, self.extraports)
        bulk_insert(connection, records.os_matches, self.os_matches)
        bulk_insert(connection, records.hops, self.hops)
        bulk_insert(connection, records.scripts, self.scripts)


def _host_row(key: tuple[int, int], host: Host, open_ports: int) -> tuple[Any, ...]:
    lladdr = vendor = ""
    for address in host.addresses:
        if address.kind == "mac":
            lladdr, vendor = address.address.lower(), address.vendor
            break
    return (
        *key,
        host.address,
        packed_sort_key(host.address),
        host.status,
        host.reason,
        host.reason_ttl,
        lladdr,
        vendor,
        _json(host.hostnames),
        host.os[0].name if host.os else "",
        open_ports,
        host.distance,
        host.uptime,
        host.started,
        host.finished,
        host.timed_out,
        host.partial,
    )


def _port_row(key: tuple[int, int], port: Port) -> tuple[Any, ...]:
    number, protocol, state, reason, ttl, service, _ = port
    if service is None:
        return (*key, protocol, number, state, reason, ttl, *_NO_SERVICE)
    name, product, version, extrainfo, tunnel, method, confidence, cpe, hostname, ostype, devicetype = service
    return (
        *key,
        protocol,
        number,
        state,
        reason,
        ttl,
        name,
        product,
        version,
        extrainfo,
        tunnel,
        method,
        confidence,
        _json(cpe) if cpe else _EMPTY,
        hostname,
        ostype,
        devicetype,
    )


def _script_rows(key: tuple[int, int], protocol: str, number: int, scripts: Sequence[Script]) -> Rows:
    return [
        (*key, protocol, number, n, s.id, s.output, None if s.data is None else _json(s.data) or _EMPTY)
        for n, s in enumerate(scripts)
    ]


class ScanResults:
    """Stores the results of running and imported scans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stored(self, scan_id: int) -> int:
        """Return how many host elements of the scan's document are stored."""
        with self._database.read() as connection:
            query = select(records.scans.c.hosts_stored).where(records.scans.c.id == scan_id)
            return int(connection.execute(query).scalar_one_or_none() or 0)

    def clear(self, scan_id: int) -> None:
        """Forget all results of a scan: its document will be read from the beginning."""
        scans = records.scans

        def work(connection: Connection) -> None:
            for table in (records.hosts, records.run_scripts):
                connection.execute(delete(table).where(table.c.scan_id == scan_id))
            nothing = {"hosts_stored": 0, "hosts_up": 0, "hosts_down": 0, "hosts_total": 0, "ports_open": 0}
            connection.execute(update(scans).where(scans.c.id == scan_id).values(percent=0.0, **nothing))

        self._database.write(work)

    def store(self, scan_id: int, found: Iterable[tuple[int, Host]]) -> None:
        """Store finished hosts by ordinal; they replace what was known of them from live output."""
        rows = HostRows(scan_id)
        last = -1
        for ordinal, host in found:
            rows.add(ordinal, host)
            last = ordinal
        if last < 0:
            return
        addresses = {row[2] for row in rows.hosts}

        def work(connection: Connection) -> None:
            gone_ports, gone_hosts = _drop_provisional(connection, scan_id, addresses)
            rows.insert(connection)
            table = records.scans
            connection.execute(
                update(table)
                .where(table.c.id == scan_id)
                .values(
                    hosts_stored=last + 1,
                    hosts_up=table.c.hosts_up + rows.up - gone_hosts,
                    hosts_down=table.c.hosts_down + rows.down,
                    ports_open=table.c.ports_open + rows.open_ports - gone_ports,
                )
            )

        self._database.write(work)

    def store_live(self, scan_id: int, found: dict[str, list[Port]]) -> None:
        """Add open ports that nmap reported before it finished their hosts.

        Args:
            scan_id: The scan.
            found: Ports by host address; an empty list for a host that only answered discovery.
        """
        self._database.write(lambda connection: _add_provisional(connection, scan_id, found))

    def store_run_scripts(self, scan_id: int, found: Sequence[tuple[str, Script]]) -> None:
        """Replace the pre- and post-scan scripts by (stage, script) pairs."""
        table = records.run_scripts
        rows = [
            (scan_id, n, stage, s.id, s.output, None if s.data is None else _json(s.data))
            for n, (stage, s) in enumerate(found)
        ]

        def work(connection: Connection) -> None:
            connection.execute(delete(table).where(table.c.scan_id == scan_id))
            bulk_insert(connection, table, rows)

        self._database.write(work)


def _provisional(connection: Connection, scan_id: int) -> dict[str, tuple[int, int]]:
    """Return address -> (ordinal, open ports) of hosts known only from live output."""
    table = records.hosts
    query = select(table.c.address, table.c.ordinal, table.c.open_ports).where(
        table.c.scan_id == scan_id, table.c.ordinal < 0
    )
    return {address: (ordinal, count) for address, ordinal, count in connection.execute(query)}


def _drop_provisional(connection: Connection, scan_id: int, addresses: set[str]) -> tuple[int, int]:
    """Delete provisional rows of these addresses; return how many open ports and hosts that takes away."""
    known = _provisional(connection, scan_id)
    gone = [known[address] for address in addresses & known.keys()]
    table = records.hosts
    for ordinal, _ in gone:
        connection.execute(delete(table).where(table.c.scan_id == scan_id, table.c.ordinal == ordinal))
    return sum(count for _, count in gone), len(gone)


def _add_provisional(connection: Connection, scan_id: int, found: dict[str, list[Port]]) -> None:
    known = _provisional(connection, scan_id)
    final = select(records.hosts.c.address).where(
        records.hosts.c.scan_id == scan_id,
        records.hosts.c.address.in_(list(found)),
        records.hosts.c.ordinal >= 0,
    )
    finished = set(connection.execute(final).scalars())
    lowest = min((ordinal for ordinal, _ in known.values()), default=0)
    rows = HostRows(scan_id)
    for address, ports in found.items():
        if address in finished:
            continue
        if address in known:
            _extend_provisional(connection, (scan_id, known[address][0]), ports)
            continue
        lowest -= 1
        kind = "ipv6" if ":" in address else "ipv4"
        rows.add(
            lowest,
            Host(
                address,
                status="up",
                reason="live",
                addresses=(HostAddress(address, kind),),
                ports=tuple(dict.fromkeys(ports)),
                partial=True,
            ),
        )
    rows.insert(connection)
    _raise_totals(connection, scan_id, rows.up, rows.open_ports)


def _extend_provisional(connection: Connection, key: tuple[int, int], ports: Sequence[Port]) -> None:
    table = records.ports
    mine = (table.c.scan_id == key[0], table.c.ordinal == key[1])
    query = select(table.c.protocol, table.c.number).where(*mine)
    have = {(protocol, number) for protocol, number in connection.execute(query)}
    new = [port for port in dict.fromkeys(ports) if (port.protocol, port.number) not in have]
    bulk_insert(connection, table, [_port_row(key, port) for port in new])
    hosts = records.hosts
    connection.execute(
        update(hosts)
        .where(hosts.c.scan_id == key[0], hosts.c.ordinal == key[1])
        .values(open_ports=hosts.c.open_ports + len(new))
    )
    _raise_totals(connection, key[0], 0, len(new))


def _raise_totals(connection: Connection, scan_id: int, hosts_up: int, ports_open: int) -> None:
    table = records.scans
    connection.execute(
        update(table)
        .where(table.c.id == scan_id)
        .values(hosts_up=table.c.hosts_up + hosts_up, ports_open=table.c.ports_open + ports_open)
    )
