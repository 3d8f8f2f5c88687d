"""Services with an administrator, and scans made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netmon_tui.domain.host import Host, HostAddress, Port
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor
from netmon_tui.services.container import Services
from netmon_tui.storage.scan_results import ScanResults

TARGETS = ("10.0.0.0/24",)
ALL_PORTS = [["syn", "tcp", 65_535, "1-65535"]]


class Store:
    """Services with an administrator, and scans made by hand."""

    def __init__(self, services: Services, ada: Actor) -> None:
        self.services, self.ada = services, ada
        self.comparison = services.comparison

    def scan(self, hosts: Sequence[Host], owner: Actor | None = None, **values: Any) -> int:
        repository, results = self.services.transfers._scans, ScanResults(self.services.database)
        targets = values.pop("targets", TARGETS)
        scan_id = repository.create(
            owner or self.ada, targets=targets, profile="", arguments=values.pop("arguments", "-sS"),
            imported=values.pop("imported", False), jobs=self.services.paths.jobs,
        )  # fmt: skip
        results.store(scan_id, enumerate(hosts))
        repository.update(scan_id, **{"state": JobState.COMPLETED.value, "scaninfo": ALL_PORTS} | values)
        return scan_id

    async def lines(self, a: int, b: int) -> list[tuple[str, str, str, str, str]]:
        compared = await self.comparison.compare(self.ada, a, b)
        return [
            (str(one.change), one.address, one.subject, one.before, one.after) for one in compared.lines()
        ]


def host(address: str, *ports: Port | int, lladdr: str = "", **values: Any) -> Host:
    found = tuple(port if isinstance(port, Port) else Port(port, "tcp", "open") for port in ports)
    hardware = (HostAddress(lladdr, "mac"),) if lladdr else ()
    return Host(
        address, status="up", addresses=(HostAddress(address, "ipv4"), *hardware), ports=found, **values
    )
