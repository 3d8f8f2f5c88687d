"""Sweeps: which addresses of a local network are asked, and by which scan.

IPv4 networks are asked address by address. Of an IPv6 network, which is too wide for that, those are asked that
somebody is known to have, and those that follow from known lladdrs (EUI-64). nmap's scripts that ask all nodes
by multicast would find more, but reach hosts that must never be scanned, and make hosts of what they find only
with ``newtargets``, which scans what nobody named.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Interface
from netmon_tui.domain.scan import ScanPreview, StartScan
from netmon_tui.domain.schedule import SaveSchedule, When
from netmon_tui.domain.sweep import LocalNetwork, Sweep
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.netlink import dump_neighbours
from netmon_tui.storage.neighbour_repository import NeighbourRepository
from netmon_tui.tools.nmap_exclusions import NeverScan
from netmon_tui.tools.nmap_targets import MAX_TARGETS, Target, parse_target
from netmon_tui.tools.sweep_targets import Known, extent_of, fitting, only_network, worth_asking, zoned

ARGUMENTS = {Family.IPV4: "-sn -PR -n", Family.IPV6: "-sn -n"}
"""nmap asks by ND without being told, and has no option for it."""
MANY = 4_096
"""Addresses above which a sweep is warned of, and an IPv6 network is not counted through."""
_KERNEL_ROOM = 1_024
"""Entries of a kernel's table that nobody has enlarged (gc_thresh3)."""
_BY_CONNECTIONS = (
    "Without root nmap opens connections and the kernel asks for the lladdrs: they stand in its table, not in "
    "the scan"
)


class SweepService:
    """Makes scans of local networks; they start, wait and end as every scan.

    Args:
        neighbours: The memory.
        plan: Returns what a request would run, as :meth:`ScanningService.plan`.
        never: Returns what the scans of a user must never touch; blocks.
        can_scan_raw: Whether nmap may send ARP and ND itself.
    """

    def __init__(
        self,
        neighbours: NeighbourRepository,
        plan: Callable[[Actor, StartScan], Awaitable[ScanPreview]],
        never: Callable[[Actor], NeverScan],
        *,
        can_scan_raw: bool,
    ) -> None:
        self._neighbours = neighbours
        self._plan = plan
        self._never = never
        self._can_scan_raw = can_scan_raw

    async def networks(self, actor: Actor) -> list[LocalNetwork]:
        """Return the networks that can be swept, those of IPv4 first."""
        actor.require(Permission.VIEW)
        found = await asyncio.to_thread(interfaces.list_interfaces)
        return sorted(networks_of(found), key=lambda one: one.network.version)

    async def plan(self, actor: Actor, text: str = "", interface: str = "") -> Sweep:
        """Return the sweep of a network, range or address.

        Args:
            actor: Whose scan it will be.
            text: The network; nothing for the only local one of IPv4.
            interface: Where it is, should several interfaces be in it; nothing for any.

        Raises:
            InvalidInput: It is not on a local segment, which one is meant is not clear, nobody is known in an
                IPv6 network, or the scan is refused.
            NotAllowed: The actor may not scan.
        """
        actor.require(Permission.SCAN)
        networks = await self.networks(actor)
        target = parse_target(text.strip() or only_network(networks, interface).text)
        found = fitting(networks, target, interface)
        local = found[0]
        asked: tuple[str, ...] = (zoned(target.text, local.interface),)
        warnings: list[str] = []
        if local.family is Family.IPV6 and target.count > MANY:
            asked, warnings = await asyncio.to_thread(self._worth_asking, actor, local, target)
        by_interface = f" -e {local.interface}" if interface or len(found) > 1 else ""
        arguments = ARGUMENTS[local.family] + by_interface
        request = StartScan(asked, arguments, name=f"Sweep of {target.text}", staged=False)
        preview = await self._plan(actor, request)
        own = (*warnings, *self._warnings(preview.addresses))
        preview = replace(preview, warnings=(*preview.warnings, *own))
        return Sweep(local, extent_of(target), request, preview, own)

    def repeating(self, sweep: Sweep, when: When) -> SaveSchedule:
        """Return the schedule that repeats a sweep: of an IPv6 network, with the addresses that are known now."""
        request, local = sweep.request, sweep.network
        name = f"{request.name.partition('/')[0].partition('%')[0]} on {local.interface}"
        return SaveSchedule(name, request.targets, when, arguments=request.arguments, staged=request.staged)

    def _warnings(self, addresses: int) -> Iterator[str]:
        if addresses > MANY:
            yield f"{addresses:,} addresses take minutes, and each is a question to the whole segment"
        if not self._can_scan_raw:
            yield _BY_CONNECTIONS
            if addresses > _KERNEL_ROOM:
                yield f"The kernel's table may have no room for more than {_KERNEL_ROOM:,}: sweep smaller networks"

    def _worth_asking(
        self, actor: Actor, local: LocalNetwork, target: Target
    ) -> tuple[tuple[str, ...], list[str]]:
        """Return the targets in an IPv6 network, and what to say of them (blocking)."""
        never = self._never(actor)
        asked = worth_asking(local, extent_of(target), self._known(), never.covers)
        if not asked:
            raise InvalidInput(
                f"nobody is known in {target.text} yet",
                why=f"its {'64 bits' if target.count >= 2**64 else 'addresses'} cannot be counted through",
                fix="sweep the IPv4 network of the segment first: lladdrs tell IPv6 addresses too",
            )
        warnings = [f"Only addresses that are known, or follow from known lladdrs, are asked: {len(asked):,}"]
        if len(asked) > MAX_TARGETS:
            warnings.append(f"Of these the {MAX_TARGETS:,} that were seen last")
        return tuple(asked[:MAX_TARGETS]), warnings

    def _known(self) -> Iterable[Known]:
        """Yield everybody that was ever resolved, those that were seen last first."""
        yield from (Known(one.interface, one.address, one.lladdr) for one in dump_neighbours() if one.lladdr)
        remembered = sorted(
            self._neighbours.remembered().items(), key=lambda item: item[1].last_seen, reverse=True
        )
        yield from (Known(*key, memory.lladdr) for key, memory in remembered)


def networks_of(found: Iterable[Interface]) -> Iterator[LocalNetwork]:
    """Yield the networks of interfaces that have neighbours: up, with an lladdr, and not alone in the network."""
    for one in found:
        if not one.up or one.loopback or not one.lladdr:
            continue
        networks = (
            ipaddress.ip_network(f"{address.address}/{address.prefix}", strict=False)
            for address in one.addresses
        )
        for network in dict.fromkeys(networks):
            if network.num_addresses > 1:
                yield LocalNetwork(one.name, network)
