"""Waking machines that sleep, by their lladdr (Wake-on-LAN)."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netmon_tui.domain.address import Family, normalise_lladdr, parse_ip, plain_address
from netmon_tui.domain.neighbour import Interface
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.netlink import dump_neighbours
from netmon_tui.runtime.wake_on_lan import send_magic_packet
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.neighbour_repository import NeighbourRepository


@dataclass(frozen=True, slots=True)
class Woken:
    """One magic packet that was sent."""

    lladdr: str
    interface: str
    broadcast: str
    """The address it was sent to."""


class WakeService:
    """Sends magic packets; needs no privileges.

    Args:
        memory: Knows the lladdrs of neighbours that are gone.
        audit: The audit trail.
    """

    def __init__(self, memory: NeighbourRepository, audit: AuditRepository) -> None:
        self._memory = memory
        self._audit = audit

    async def wake(self, actor: Actor, name: str, interface: str = "") -> list[Woken]:
        """Send a magic packet by every interface at which the machine was seen.

        Args:
            actor: Who wakes it.
            name: A lladdr, or an address that has or had one.
            interface: By this one alone; for a lladdr that was never seen, empty means all.

        Returns:
            What was sent.

        Raises:
            InvalidInput: Neither lladdr nor address; or an interface that has no broadcast address.
            NotFound: The address never had a lladdr here.
            NetmonError: Nothing could be sent.
        """
        actor.require(Permission.SCAN)
        return await asyncio.to_thread(self._wake, actor, name.strip(), interface)

    def _wake(self, actor: Actor, name: str, interface: str) -> list[Woken]:
        found = interfaces.list_interfaces()
        stations = self._stations(name, interface, found)
        ways = {one.name: broadcast for one in found if one.resolves and (broadcast := _broadcast(one))}
        sent = [Woken(lladdr, one, ways[one]) for one, lladdr in dict.fromkeys(stations) if one in ways]
        if not sent:
            names = ", ".join(dict.fromkeys(one for one, _ in stations)) or "no interface"
            raise InvalidInput(f"{names} has no IPv4 network to send a broadcast in")
        for packet in sent:
            send_magic_packet(packet.lladdr, packet.interface, packet.broadcast)
            told = f"magic packet to {packet.broadcast} on {packet.interface}"
            self._audit.record(actor, "neighbour.wake", packet.lladdr, told)
        return sent

    def _stations(self, name: str, interface: str, found: Sequence[Interface]) -> list[tuple[str, str]]:
        """Return (interface, lladdr) of what a name means."""
        if interface and interface not in {one.name for one in found}:
            raise InvalidInput(f"there is no interface {interface}")
        lladdr = normalise_lladdr(name)
        address = plain_address(name)
        if lladdr is None and parse_ip(address) is None:
            raise InvalidInput(f"{name} is neither a lladdr nor an address")
        known = [
            (place, station)
            for place, at, station in self._known()
            if (station == lladdr if lladdr else at == address) and interface in ("", place)
        ]
        if known:
            return known
        if lladdr is None:
            raise NotFound(f"no lladdr is known of {address}", fix="give the lladdr itself")
        return [(interface, lladdr)] if interface else [(one.name, lladdr) for one in found if one.up]

    def _known(self) -> Iterable[tuple[str, str, str]]:
        """Yield (interface, address, lladdr) of the table, then of what is remembered and not in it."""
        live = {(one.interface, one.address): one.lladdr for one in dump_neighbours() if one.lladdr}
        remembered = {key: one.lladdr for key, one in self._memory.remembered().items()}
        for (interface, address), lladdr in (remembered | live).items():
            yield interface, address, lladdr


def _broadcast(interface: Interface) -> str:
    """Return the broadcast address of an interface's first IPv4 network; empty for none."""
    for own in interface.addresses:
        if own.family is Family.IPV4 and own.prefix < 31:
            return str(ipaddress.ip_interface(f"{own.address}/{own.prefix}").network.broadcast_address)
    return ""
