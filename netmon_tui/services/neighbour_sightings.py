"""What scans saw of neighbours, for the neighbours' memory: nmap's own questions never reach the kernel's table."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from netmon_tui.domain.address import Family, parse_ip
from netmon_tui.domain.sweep import LocalNetwork
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime import interfaces
from netmon_tui.services.sweeping import networks_of
from netmon_tui.storage.neighbour_queries import NeighbourQueries, SweptScan
from netmon_tui.storage.neighbour_repository import NeighbourRepository, Sighting
from netmon_tui.tools.nmap_arguments import parse_options

_ANSWERS = frozenset({"arp-response", "nd-response"})
"""Reasons for which a host is up that say whose lladdr it is; others may show a router's."""
_AT_ONCE = 1_000
"""Sightings stored in one transaction: nobody else can write meanwhile."""


class NeighbourSightings:
    """Hands the memory what scans of this machine resolved.

    Args:
        queries: What scans found.
        neighbours: The memory.
    """

    def __init__(self, queries: NeighbourQueries, neighbours: NeighbourRepository) -> None:
        self._queries = queries
        self._neighbours = neighbours

    def note(self, scan_id: int) -> None:
        """Remember every address of a local segment that a scan resolved (blocking).

        An imported scan tells nothing of this machine's segments.

        Raises:
            NetmonError: The scan is gone, the interfaces cannot be listed, or nothing can be stored.
        """
        scan = self._queries.swept(scan_id)
        hosts = [] if scan.imported else self._queries.resolved_by(scan_id)
        answered = [host for host in hosts if host.reason in _ANSWERS]
        if not answered:
            return
        segments = Segments(list(networks_of(interfaces.list_interfaces())), scan)
        ended = scan.finished or datetime.now(UTC)
        sightings = []
        for host in answered:
            if interface := segments.interface_of(host.address):
                time = datetime.fromtimestamp(host.started, UTC) if host.started else ended
                family = Family.IPV6 if ":" in host.address else Family.IPV4
                sightings.append(
                    Sighting(interface, host.address, family.value, host.lladdr, False, min(time, ended))
                )
        for start in range(0, len(sightings), _AT_ONCE):
            self._neighbours.remember(sightings[start : start + _AT_ONCE])


class Segments:
    """Tells where an address is: nmap's documents do not, and leave zones out.

    Args:
        networks: The local ones.
        scan: What was asked.
    """

    def __init__(self, networks: Sequence[LocalNetwork], scan: SweptScan) -> None:
        self._networks = networks
        self._chosen = _chosen_interface(scan.arguments)
        self._zones = dict(_zones(scan.targets))

    def interface_of(self, address: str) -> str:
        """Return the interface; empty for an address of no local network, or of several that are alike."""
        parsed = parse_ip(address)
        if parsed is None:
            return ""
        named = self._chosen or self._zones.get(address, "")
        found = [
            one.interface for one in self._networks if parsed in one.network and named in ("", one.interface)
        ]
        return found[0] if len(found) == 1 or (found and not parsed.is_link_local) else ""


def _chosen_interface(arguments: str) -> str:
    """Return what ``-e`` of a scan names; empty without one."""
    try:
        return parse_options(arguments).value("-e")
    except InvalidInput:  # another version's grammar
        return ""


def _zones(targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    for target in targets:
        address, percent, zone = target.partition("%")
        if percent:
            yield str(ipaddress.ip_address(address)), zone.partition("/")[0]
