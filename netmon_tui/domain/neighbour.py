"""The kernel's neighbour table (ARP and NDP) and the interfaces it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from netmon_tui.domain.address import Family


class NudState(StrEnum):
    """Neighbour unreachability detection states, as iproute2 spells them."""

    NONE = "NONE"
    INCOMPLETE = "INCOMPLETE"
    REACHABLE = "REACHABLE"
    STALE = "STALE"
    DELAY = "DELAY"
    PROBE = "PROBE"
    FAILED = "FAILED"
    NOARP = "NOARP"
    PERMANENT = "PERMANENT"


class Neighbour(NamedTuple):
    """One entry of the table as the kernel reports it.

    A named tuple, because a dump of a large table makes ten thousand of them at once: as a frozen dataclass
    each took longer to build than to read from the kernel.
    """

    address: str
    family: Family
    ifindex: int
    interface: str
    lladdr: str
    """Lower case with colons; empty while unresolved."""
    state: NudState
    router: bool = False
    used: float = 0.0
    """Seconds since it was last used, at the time of the report."""
    confirmed: float = 0.0
    """Seconds since the kernel last knew it to be reachable."""
    updated: float = 0.0
    """Seconds since its state or lladdr last changed."""
    probes: int = 0
    """Unanswered questions."""


@dataclass(frozen=True, slots=True)
class NeighbourRecord:
    """A neighbour with what is remembered of it; one row of the screen and of the JSON list."""

    address: str
    family: Family
    interface: str
    lladdr: str
    vendor: str
    state: str
    """A NudState, or ``GONE`` for one that is only remembered."""
    router: bool
    private: bool
    """The lladdr is locally administered (randomised)."""
    hostname: str
    first_seen: datetime | None
    last_seen: datetime | None
    age: float
    """Seconds since the kernel last confirmed or changed it."""
    gateway: bool = False
    own: bool = False
    """Carries the user's own SSH session: the other end of it, or the gateway on the way there."""
    name: str = ""
    """What people call the device."""
    known: bool = False
    """Somebody knows whose it is."""


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """One address of an interface."""

    address: str
    prefix: int
    """Prefix length in bits."""
    family: Family


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface."""

    name: str
    lladdr: str = ""
    addresses: tuple[InterfaceAddress, ...] = ()
    up: bool = True
    loopback: bool = False
    gateways: tuple[str, ...] = ()
    """Default gateways reached through it."""
    resolves: bool = True
    """Has neighbours with a 48-bit lladdr: no loopback, no tunnel, no other kind of hardware."""
