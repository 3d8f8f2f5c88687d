"""Which hosts the detection looks at together, and on which ports."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from .joining import closed_port, open_ports, port_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .hosts import Spool
    from .plan import Plan

ATTEMPTS = 2
"""How often a batch whose nmap died is tried."""


class Batch(NamedTuple):
    """Hosts that one nmap looks at."""

    hosts: Sequence[str]
    attempt: int = 1


class Batches:
    """The batches that wait.

    Args:
        plan: What is asked.
        discovered: The hosts with their names.
        scanned: The hosts with their ports.
        addresses: Those to look at, in order.
        parallel: How many nmaps share them.
    """

    def __init__(
        self, plan: Plan, discovered: Spool, scanned: Spool, addresses: Iterable[str], parallel: int
    ) -> None:
        self._plan = plan
        self._discovered = discovered
        self._scanned = scanned
        wanted = [address for address in addresses if plan.every_host or self._ports_of(address)]
        size = max(1, min(plan.batch, -(-len(wanted) // parallel)))
        self.waiting = deque(Batch(wanted[n : n + size]) for n in range(0, len(wanted), size))
        self.total = len(wanted)
        """Hosts of all batches."""
        self.lost: list[str] = []
        """Hosts whose nmap died as often as it was tried."""

    def ports(self, batch: Batch, asked: Mapping[str, str]) -> str:
        """Return what ``-p`` gets: every port that is open on one of the hosts.

        Args:
            batch: The hosts.
            asked: Ports of the scan by protocol, as ``<scaninfo>`` has them.
        """
        ports = {port for address in batch.hosts for port in self._ports_of(address)}
        if self._plan.closed_port or not ports:
            hosts = (self._scanned.get(address) for address in batch.hosts)
            closed = (closed_port(host, asked.get("tcp", "")) for host in hosts if host is not None)
            ports |= {("tcp", next((number for number in closed if number), 1))}
        return port_list(ports)

    def has_names(self, batch: Batch) -> bool:
        """Whether a host of the batch has a name: else to ask for names again would be but to wait again."""
        return any(
            host is not None and host.find("hostnames/hostname") is not None
            for address in batch.hosts
            for host in (self._discovered.get(address), self._scanned.get(address))
        )

    def give_back(self, left: Sequence[str], attempt: int) -> None:
        """Take back hosts that an nmap said nothing of.

        Args:
            left: The hosts.
            attempt: Which one the next is.
        """
        if left and attempt <= ATTEMPTS:
            self.waiting.append(Batch(left, attempt))
        else:
            self.lost += left

    def _ports_of(self, address: str) -> list[tuple[str, int]]:
        host = self._scanned.get(address)
        return [] if host is None else open_ports(host)
