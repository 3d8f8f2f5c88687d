"""Writing what a scan found: tuples in bulk, keyed so that reading a document twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection, delete, select, update

from netmon_tui.domain.host import Host, HostAddress, Port
from netmon_tui.domain.scan_run import ScanRun
from netmon_tui.storage import records
from netmon_tui.storage.database import Database, bulk_insert
from netmon_tui.storage.host_merging import merge_hosts
from netmon_tui.storage.host_removal import delete_hosts
from netmon_tui.storage.host_rows import HostRows, port_row
from netmon_tui.storage.scan_run_rows import write_run


class ScanResults:
    """Stores the results of running and imported scans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stored(self, scan_id: int) -> int:
        """Return how many host elements of the scan's document are stored."""
        with self._database.read() as connection:
            query = select(records.scans.c.hosts_stored).where(records.scans.c.id == scan_id)
            return int(connection.execute(query).scalar_one_or_none() or 0)

    def clear(self, scan_id: int, given_up: Sequence[str] = ()) -> None:
        """Forget the results of a scan: its document will be read from the beginning.

        Args:
            scan_id: The scan.
            given_up: Hosts that will not come again: what live output said of them stays.
        """

        def work(connection: Connection) -> None:
            connection.execute(delete(records.run_scripts).where(records.run_scripts.c.scan_id == scan_id))
            known = _provisional(connection, scan_id)
            left_over = known.keys() - set(given_up)
            _drop_provisional(connection, scan_id, left_over)
            kept = [count for address, (_, count) in known.items() if address not in left_over]
            figures = {"hosts_stored": 0, "hosts_up": len(kept), "hosts_down": 0, "hosts_total": 0}
            scans = records.scans
            connection.execute(
                update(scans).where(scans.c.id == scan_id).values(**figures, ports_open=sum(kept))
            )

        delete_hosts(self._database, scan_id, from_ordinal=0)
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

    def merge(self, scan_id: int, found: Sequence[tuple[int, Host]]) -> None:
        """Store hosts by ordinal, where one host may come in many pieces."""
        self._database.write(lambda connection: merge_hosts(connection, scan_id, found))

    def store_live(self, scan_id: int, found: dict[str, list[Port]]) -> None:
        """Add open ports that nmap reported before it finished their hosts.

        Args:
            scan_id: The scan.
            found: Ports by host address; an empty list for a host that only answered discovery.
        """
        self._database.write(lambda connection: _add_provisional(connection, scan_id, found))

    def store_run(self, scan_id: int, run: ScanRun) -> None:
        """Store what the document says of the run, in place of what was known of it."""
        self._database.write(lambda connection: write_run(connection, scan_id, run))


def _provisional(connection: Connection, scan_id: int) -> dict[str, tuple[int, int]]:
    """Return address -> (ordinal, open ports) of hosts known only from live output."""
    table = records.hosts
    query = select(table.c.address, table.c.ordinal, table.c.open_ports).where(
        table.c.scan_id == scan_id, table.c.ordinal < 0
    )
    return {address: (ordinal, count) for address, ordinal, count in connection.execute(query)}


def _drop_provisional(connection: Connection, scan_id: int, addresses: AbstractSet[str]) -> tuple[int, int]:
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
    bulk_insert(connection, table, [port_row(key, port) for port in new])
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
