"""The history of one host among many scans.

``python tests/bench/bench_history.py [SCANS] [HOSTS] [PORTS]``; 1,000 scans of 100 hosts with 10 ports unless told,
which is a million ports.

Printed: seconds of the history of one host from a cold and a warm database, of its ports' intervals, of its state
at a time, and whether SQLite finds its rows by an index (exit 1 when it does not, or when what is found is wrong).
Never fails because of time.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.host import Host, HostAddress, Port, Service
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor
from netmon_tui.services.container import Services, open_services
from netmon_tui.storage.scan_results import ScanResults

SCANS, HOSTS, PORTS = 1_000, 100, 10
SSH = Service("ssh", "OpenSSH", "9.2p1", method="probed")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = "10.0.0.50"


def host(number: int, scan: int, ports: int) -> Host:
    """A host whose last port is open in every second hundred of scans."""
    address = f"10.0.{number // 250}.{number % 250}"
    shown = ports if scan // 100 % 2 == 0 else ports - 1
    found = tuple(Port(22 + n, "tcp", "open", "syn-ack", 64, SSH) for n in range(shown))
    return Host(address, status="up", reason="arp", addresses=(HostAddress(address, "ipv4"),), ports=found)


def fill(services: Services, ada: Actor, scans: int, hosts: int, ports: int) -> None:
    repository, results = services.transfers._scans, ScanResults(services.database)
    for scan in range(scans):
        scan_id = repository.create(
            ada, targets=("10.0.0.0/16",), profile="", arguments="-sS", jobs=services.paths.jobs
        )
        results.store(scan_id, enumerate(host(number, scan, ports) for number in range(hosts)))
        repository.update(
            scan_id,
            state=JobState.COMPLETED.value,
            scaninfo=[["syn", "tcp", 1_000, "1-1000"]],
            command=[
                "nmap",
                "-sS",
                "-oX",
                f"/var/lib/netmon-tui/jobs/{scan}/result.xml",
                "--",
                "10.0.0.0/16",
            ],
            finished=BEGIN + timedelta(hours=scan),
        )


async def measure(services: Services, ada: Actor, scans: int, ports: int) -> int:
    """Print seconds; return whether anything was wrong."""
    for name in ("first", "again"):
        began = time.perf_counter()
        history = await services.history.of(ada, ADDRESS)
        read = time.perf_counter()
        intervals, up = history.ports, history.up
        counted = time.perf_counter()
        then = history.at(BEGIN + timedelta(hours=scans // 2, minutes=1))
        ended = time.perf_counter()
        print(
            f"{name}: read in {(read - began) * 1e3:.1f} ms, intervals {(counted - read) * 1e3:.1f} ms,"
            f" state at a time {(ended - counted) * 1e3:.1f} ms; together {(ended - began) * 1e3:.1f} ms"
        )
    last = intervals["tcp", 22 + ports - 1]
    right = (
        len(history.looks) == scans
        and len(up) == 1
        and len(intervals) == ports
        and len(last) == -(-scans // 200)
        and {port.seen.scan_id for port in then.ports} == {scans // 2 + 1}
    )
    print(f"what was found is right: {'yes' if right else 'NO'}")
    return int(not right)


def plan(services: Services) -> int:
    """Print how SQLite finds a host's ports; return whether it reads a whole table."""
    query = (
        "EXPLAIN QUERY PLAN SELECT ports.number FROM hosts JOIN ports ON ports.scan_id = hosts.scan_id"
        " AND ports.ordinal = hosts.ordinal WHERE hosts.address_key = x'04' AND ports.state IN ('open')"
    )
    with services.database.read() as connection:
        steps = [row[-1] for row in connection.exec_driver_sql(query)]
        pages = connection.exec_driver_sql(
            "SELECT sum(pgsize), (SELECT page_count FROM pragma_page_count()) * 4096 FROM dbstat"
            " WHERE name = 'ix_hosts_address_key'"
        )
        try:
            index, whole = pages.one()
            print(f"the index by address takes {index / 1e6:.1f} MB of {whole / 1e6:.1f} MB")
        except TypeError:
            print("the size of the index is not known")
    print("; ".join(steps))
    return int(any(step.startswith("SCAN") for step in steps))


async def run(folder: Path, scans: int, hosts: int, ports: int) -> int:
    services = open_services(load_settings(environ={}), find_paths(data_dir=folder))
    user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
    ada = Actor(user.id, user.name, user.role)
    began = time.perf_counter()
    await asyncio.to_thread(fill, services, ada, scans, hosts, ports)
    print(
        f"{scans:,} scans with {scans * hosts * ports:,} ports stored in {time.perf_counter() - began:.1f} s"
    )
    try:
        return await measure(services, ada, scans, ports) | plan(services)
    finally:
        await services.close()


def main(scans: int = SCANS, hosts: int = HOSTS, ports: int = PORTS) -> int:
    """Fill a store, measure and print."""
    with tempfile.TemporaryDirectory(prefix="netmon-bench-") as name:
        return asyncio.run(run(Path(name), scans, hosts, ports))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
