"""Hosts that come in pieces: masscan writes an element a port, in the order in which answers arrive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.host import Host, Port
from netmon_tui.storage import records
from netmon_tui.storage.host_rows import MOST_SCRIPTS, HostRows, joined_ports, port_row, script_rows

_PORTS = records.ports.c
_SCRIPTS = records.scripts.c
_SERVICE_COLUMNS = [column.name for column in records.ports.c][7:]


def merge_hosts(connection: Connection, scan_id: int, found: Iterable[tuple[int, Host]]) -> None:
    """Add hosts by ordinal; one whose address is stored already adds its ports to that one."""
    pieces: dict[str, list[tuple[int, Host]]] = {}
    last = -1
    for last, host in found:
        pieces.setdefault(host.address, []).append((last, host))
    known = _ordinals(connection, scan_id, list(pieces))
    rows = HostRows(scan_id)
    for address, elements in pieces.items():
        host = replace(elements[0][1], ports=joined_ports(port for _, one in elements for port in one.ports))
        if address in known:
            _extend(connection, rows, (scan_id, known[address]), host.ports)
        else:
            rows.add(elements[0][0], host)
    rows.insert(connection)
    table = records.scans.c
    totals = {
        "hosts_stored": last + 1,
        "hosts_up": table.hosts_up + rows.up,
        "ports_open": table.ports_open + rows.open_ports,
    }
    connection.execute(update(records.scans).where(table.id == scan_id).values(**totals))


def _ordinals(connection: Connection, scan_id: int, addresses: Sequence[str]) -> dict[str, int]:
    table = records.hosts.c
    query = select(table.address, table.ordinal).where(
        table.scan_id == scan_id, table.address_key.in_([packed_sort_key(one) for one in addresses])
    )
    return {row.address: row.ordinal for row in connection.execute(query)}


def _extend(connection: Connection, rows: HostRows, key: tuple[int, int], ports: Sequence[Port]) -> None:
    """Add ports to a host that is stored."""
    mine = and_(_PORTS.scan_id == key[0], _PORTS.ordinal == key[1])
    query = select(_PORTS.protocol, _PORTS.number, _PORTS.service).where(
        mine, _PORTS.number.in_([port.number for port in ports])
    )
    have = {(protocol, number): service for protocol, number, service in connection.execute(query)}
    opened = 0
    for port in ports:
        this = (port.protocol, port.number)
        if this not in have:
            rows.ports.append(port_row(key, port))
            rows.scripts += script_rows(key, *this, port.scripts)
            opened += port.state == "open"
            continue
        if port.service and not have[this]:
            told = dict(zip(_SERVICE_COLUMNS, port_row(key, port)[7:], strict=True))
            where = and_(mine, _PORTS.protocol == port.protocol, _PORTS.number == port.number)
            connection.execute(update(records.ports).where(where).values(**told))
        if port.scripts:
            _add_scripts(connection, rows, key, port)
    rows.open_ports += opened
    if opened:
        hosts = records.hosts.c
        where = and_(hosts.scan_id == key[0], hosts.ordinal == key[1])
        connection.execute(update(records.hosts).where(where).values(open_ports=hosts.open_ports + opened))


def _add_scripts(connection: Connection, rows: HostRows, key: tuple[int, int], port: Port) -> None:
    """Add what was said of a port that is stored, behind what is there."""
    where: ColumnElement[bool] = and_(
        _SCRIPTS.scan_id == key[0],
        _SCRIPTS.ordinal == key[1],
        _SCRIPTS.protocol == port.protocol,
        _SCRIPTS.number == port.number,
    )
    have = set(connection.execute(select(_SCRIPTS.output).where(where)).scalars())
    count = int(
        connection.execute(select(func.count()).select_from(records.scripts).where(where)).scalar_one()
    )
    new = [script for script in port.scripts if script.output not in have][: max(0, MOST_SCRIPTS - count)]
    rows.scripts += script_rows(key, port.protocol, port.number, new, first=count)
