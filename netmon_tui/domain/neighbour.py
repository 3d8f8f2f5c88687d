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
    """One entry of the table as the kernel reports it, but for its ages, which are never the same twice.

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
    probes: int = 0
    """Questions that were sent when it was last asked for; the kernel leaves the number when one is answered."""


class NeighbourAges(NamedTuple):
    """How long ago things happened to an entry, at the time of the report, in seconds."""

    used: float
    """Since it was last used."""
    confirmed: float
    """Since the kernel last knew it to be reachable."""
    updated: float
    """Since its state or lladdr last changed."""


REMEMBERED = "GONE"
"""State of a record that is not in the kernel's table."""


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
    """Carries an SSH session to this machine: the other end of it, or the gateway on the way there."""
    name: str = ""
    """What people call the device."""
    known: bool = False
    """Somebody knows whose it is."""
    used: float = 0.0
    """Seconds since the kernel last used it, as of now."""
    confirmed: float = 0.0
    """Seconds since the kernel last knew it to be reachable."""
    updated: float = 0.0
    """Seconds since its state or lladdr last changed."""
    probes: int = 0
    """Questions that were sent when it was last asked for."""
    lladdr_remembered: bool = False
    """The kernel has no lladdr for it: this is the one that it had last."""


NOT_MISSED = "at a permanent entry nobody is asked, so nobody is missed there"
"""Why a device that must be up is not told to be down."""


@dataclass(frozen=True, slots=True)
class NeighbourLimits:
    """How much room the kernel gives to the neighbours of one address family (gc_thresh1 to 3)."""

    family: Family
    entries: int
    """On the whole machine, all network namespaces together; permanent ones too, which count for no limit."""
    idle: int
    """gc_thresh1: below so many entries nothing is ever dropped."""
    soft: int
    """gc_thresh2: above so many, old entries are dropped at once."""
    hard: int
    """gc_thresh3: above so many, new entries are refused."""
    refused: int
    """New entries for which there was no room, since the machine started."""


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
