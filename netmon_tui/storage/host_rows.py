"""Hosts as rows of their tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.host import ExtraPorts, Host, Port, Script
from netmon_tui.storage import records
from netmon_tui.storage.database import bulk_insert

_EMPTY = "[]"
_NO_TIMES = (None, None, None)
_NO_SERVICE = (None, "", "", "", "", "", 0, _EMPTY, "", "", "")
MOST_SCRIPTS = 20
"""So many scripts are kept of a port that comes several times."""
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
        self.port_details: Rows = []
        self.os_ports: Rows = []
        self.os_fingerprints: Rows = []
        self.sequences: Rows = []
        self.port_lists: dict[str, str] = {}
        """Text by digest."""
        self.up = 0
        self.down = 0
        self.open_ports = 0

    def add(self, ordinal: int, host: Host) -> None:
        """Add one host under its ordinal."""
        key = (self.scan_id, ordinal)
        if len({(port.protocol, port.number) for port in host.ports}) < len(host.ports):
            host = replace(host, ports=joined_ports(host.ports))  # nmap never does, other writers might
        open_ports = host.open_ports
        self.open_ports += open_ports
        self.up += host.status == "up"
        self.down += host.status == "down"
        self.hosts.append(_host_row(key, host, open_ports))
        seen = {a.address: a for a in host.addresses}
        self.addresses += [(*key, a.address, a.kind, a.vendor) for a in seen.values()]
        for port in host.ports:
            self.ports.append(port_row(key, port))
            if port.scripts:
                self.scripts += script_rows(key, port.protocol, port.number, port.scripts)
            if port.detail:
                self.port_details.append((*key, port.protocol, port.number, *port.detail))
        if host.scripts:
            self.scripts += script_rows(key, "", -1, host.scripts)
        if host.extraports:
            self._add_extraports(key, host.extraports)
        if host.hops:
            self.hops += [(*key, n, h.ttl, h.address, h.hostname, h.rtt) for n, h in enumerate(host.hops)]
        if host.os or host.os_ports or host.os_fingerprints or host.sequences:
            self._add_system(key, host)

    def _add_extraports(self, key: tuple[int, int], found: Sequence[ExtraPorts]) -> None:
        for n, extra in enumerate(found):
            places = [(protocol, self._digest(ports)) for protocol, ports in extra.where]
            self.extraports.append((*key, n, extra.state, extra.total, _json(extra.reasons), _json(places)))

    def _digest(self, ports: str) -> str:
        digest = hashlib.blake2b(ports.encode(), digest_size=8).hexdigest()
        self.port_lists[digest] = ports
        return digest

    def _add_system(self, key: tuple[int, int], host: Host) -> None:
        """Add what was found out of the operating system."""
        self.os_matches += [
            (*key, n, m.name, m.accuracy, _json(m.cpe), _json(m.classes), m.line)
            for n, m in enumerate(host.os)
        ]
        self.os_ports += [(*key, n, *used) for n, used in enumerate(host.os_ports)]
        self.os_fingerprints += [(*key, n, text) for n, text in enumerate(host.os_fingerprints)]
        self.sequences += [(*key, *test) for test in host.sequences]

    def insert(self, connection: Connection) -> None:
        """Insert all rows, parents first."""
        bulk_insert(connection, records.hosts, self.hosts)
        bulk_insert(connection, records.addresses, self.addresses)
        bulk_insert(connection, records.ports, self.ports)
        bulk_insert(connection, records.extraports, self.extraports)
        bulk_insert(connection, records.os_matches, self.os_matches)
        bulk_insert(connection, records.hops, self.hops)
        bulk_insert(connection, records.scripts, self.scripts)
        bulk_insert(connection, records.port_details, self.port_details)
        bulk_insert(connection, records.os_ports, self.os_ports)
        bulk_insert(connection, records.os_fingerprints, self.os_fingerprints)
        bulk_insert(connection, records.sequences, self.sequences)
        if self.port_lists:
            self._insert_port_lists(connection)

    def _insert_port_lists(self, connection: Connection) -> None:
        """Insert those that the scan does not have yet."""
        table = records.port_lists
        query = select(table.c.digest).where(
            table.c.scan_id == self.scan_id, table.c.digest.in_(self.port_lists)
        )
        have = set(connection.execute(query).scalars())
        rows = [(self.scan_id, *item) for item in self.port_lists.items() if item[0] not in have]
        bulk_insert(connection, table, rows)


def joined_ports(ports: Iterable[Port]) -> tuple[Port, ...]:
    """Return each port once, with the first service and all scripts that were said of it."""
    found: dict[tuple[str, int], Port] = {}
    for port in ports:
        have = found.setdefault((port.protocol, port.number), port)
        if have is not port:
            scripts = tuple(dict.fromkeys((*have.scripts, *port.scripts)))[:MOST_SCRIPTS]
            service = have.service or port.service
            found[port.protocol, port.number] = have._replace(service=service, scripts=scripts)
    return tuple(found.values())


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
        host.comment,
        host.last_boot,
        host.trace_protocol,
        host.smurf_responses,
        host.trace_port,
        *(host.round_trip or _NO_TIMES),
    )


def port_row(key: tuple[int, int], port: Port) -> tuple[Any, ...]:
    """Return a port's row."""
    number, protocol, state, reason, ttl, service, _, _ = port
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


def script_rows(
    key: tuple[int, int], protocol: str, number: int, scripts: Sequence[Script], *, first: int = 0
) -> Rows:
    """Return the rows of scripts, counted from ``first``."""
    return [
        (*key, protocol, number, n, s.id, s.output, None if s.data is None else _json(s.data) or _EMPTY)
        for n, s in enumerate(scripts, first)
    ]
