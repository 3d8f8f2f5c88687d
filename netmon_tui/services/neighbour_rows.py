"""Rows of the neighbour table: the kernel's entries joined with what is remembered and said of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from netmon_tui.domain.address import is_private_lladdr
from netmon_tui.domain.device import DeviceMarks
from netmon_tui.domain.known_address import Key, KnownAddress
from netmon_tui.domain.neighbour import Neighbour, NeighbourRecord, NudState
from netmon_tui.services.neighbour_memory import NeighbourMemory
from netmon_tui.tools.oui import VendorTable
from netmon_tui.tools.rtnetlink_entries import read_ages

_NO_MARKS = DeviceMarks("")


@dataclass(slots=True)
class LiveEntry:
    """One entry of the kernel's table."""

    neighbour: Neighbour
    cacheinfo: bytes
    """For :func:`read_ages`."""
    at: float
    """When it was reported, monotonic seconds."""
    revision: int
    """Of the table when it was reported."""


class NeighbourRows:
    """Makes rows.

    Args:
        memory: What is remembered and said.
        vendors: MAC prefixes; loaded by others.
        name_of: Returns the host name of an address as far as it is known, empty otherwise; asks nobody.
    """

    def __init__(self, memory: NeighbourMemory, vendors: VendorTable, name_of: Callable[[str], str]) -> None:
        self._memory = memory
        self._vendors = vendors
        self._name_of = name_of
        self.carriers: frozenset[Key] = frozenset()
        """The entries that carry an SSH session to here; an empty interface stands for any."""

    def lladdr(self, entry: LiveEntry) -> str:
        """Return the lladdr of an entry, or the one that its address had last."""
        neighbour = entry.neighbour
        memory = (
            self._memory.known((neighbour.interface, neighbour.address)) if not neighbour.lladdr else None
        )
        return memory.lladdr if memory is not None else neighbour.lladdr

    def record(self, entry: LiveEntry, now: float) -> NeighbourRecord:
        """Return an entry as it is at a moment, in monotonic seconds."""
        neighbour, ages, since = entry.neighbour, read_ages(entry.cacheinfo), now - entry.at
        key = (neighbour.interface, neighbour.address)
        memory = self._memory.known(key)
        lladdr = self.lladdr(entry)
        marks = self._memory.marks.get(lladdr, _NO_MARKS)
        return NeighbourRecord(
            address=neighbour.address,
            family=neighbour.family,
            interface=neighbour.interface,
            lladdr=lladdr,
            lladdr_remembered=bool(lladdr) and not neighbour.lladdr,
            vendor=self._vendors.lookup(lladdr) if lladdr else "",
            state=neighbour.state.value,
            router=neighbour.router,
            private=bool(lladdr) and is_private_lladdr(lladdr),
            hostname=self._name_of(neighbour.address),
            first_seen=datetime.fromtimestamp(memory.first_seen, UTC) if memory else None,
            last_seen=_last_seen(neighbour, memory, ages.confirmed + since) if memory else None,
            age=min(ages.confirmed, ages.updated) + since,
            used=ages.used + since,
            confirmed=ages.confirmed + since,
            updated=ages.updated + since,
            probes=neighbour.probes,
            gateway=key in self._memory.noticing.gateways,
            own=key in self.carriers or ("", neighbour.address) in self.carriers,
            name=marks.name,
            known=marks.known,
        )


def _last_seen(neighbour: Neighbour, memory: KnownAddress, confirmed: float) -> datetime:
    """Return when the holder of an entry gave its last sign: now, as long as the kernel knows it to be reachable.

    Args:
        neighbour: The entry.
        memory: What is remembered of its address: the last sign that was news.
        confirmed: Seconds since the kernel last knew it to be reachable.
    """
    now, remembered = datetime.now(UTC), datetime.fromtimestamp(memory.last_seen, UTC)
    if neighbour.state is NudState.REACHABLE:
        return now
    if neighbour.lladdr != memory.lladdr or neighbour.state is NudState.PERMANENT:
        return remembered
    return max(remembered, now - timedelta(seconds=confirmed))
