"""Store a scan of any size at once, the same for the same arguments: what opening a large scan is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

from netmon_tui.domain.host import Hop, Host, HostAddress, Port, Service
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor
from netmon_tui.storage.database import Database
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults

FIRST = int(IPv4Address("10.0.0.0"))
SERVICES = (
    Port(22, "tcp", "open", "syn-ack", 60, Service("ssh", "OpenSSH", "9.2p1")),
    Port(80, "tcp", "open", "syn-ack", 60, Service("http", "nginx", "1.22.1")),
    Port(443, "tcp", "closed", "reset", 60, Service("https")),
)


def host(number: int, hops: int) -> Host:
    """One host behind so many hops, the last of which is that of its 16 subnets."""
    address = str(IPv4Address(FIRST + number))
    near = [Hop(ttl, f"192.0.2.{ttl}", f"core-{ttl}.example.net", ttl * 0.7) for ttl in range(1, hops)]
    last = [Hop(hops, f"198.51.100.{number >> 12 & 255}", "edge.example.net", 5.1)] if hops else []
    itself = [Hop(hops + 1, address, "", 6.0)] if hops else []
    return Host(
        address,
        status="up",
        reason="echo-reply",
        addresses=(HostAddress(address, "ipv4"),),
        hostnames=((f"host-{number}.example.net", "PTR"),),
        ports=SERVICES[: 1 + number % 3],
        hops=(*near, *last, *itself),
        distance=hops + 1,
    )


def store_scan(
    database: Database, actor: Actor, hosts: int, *, hops: int = 5, jobs: Path = Path("/nowhere")
) -> int:
    """Store a completed scan of so many hosts, each behind so many hops; return its id."""
    scans, results = ScanRepository(database), ScanResults(database)
    scan_id = scans.create(
        actor, targets=("10.0.0.0/16",), profile="", arguments="-T4", jobs=Path("/nowhere")
    )
    for start in range(0, hosts, 4096):
        results.store(scan_id, _numbered(start, min(hosts, start + 4096), hops))
    now = datetime.now(UTC)
    scans.update(
        scan_id, state=JobState.COMPLETED.value, percent=100.0, started=now, finished=now, hosts_total=hosts
    )
    return scan_id


def _numbered(start: int, stop: int, hops: int) -> Iterator[tuple[int, Host]]:
    return ((number, host(number, hops)) for number in range(start, stop))
