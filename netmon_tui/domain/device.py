"""Devices: what is known of one lladdr across all its addresses, and what people say about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LONGEST_NAME = 64
LONGEST_NOTE = 1000


@dataclass(frozen=True, slots=True)
class DeviceMarks:
    """What people say about the device with one lladdr."""

    lladdr: str
    """Lower case with colons."""
    name: str = ""
    note: str = ""
    known: bool = False
    """Somebody knows whose it is: its appearing is nothing to report."""
    must_be_up: bool = False
    """It is reported when it does not answer any more; for that, it is spoken to when it is silent."""
    shares_addresses: bool = False
    """Part of a cluster: addresses may pass between all devices that say so."""
    changed_by: str = ""
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """A time during which a lladdr answered for an address."""

    interface: str
    address: str
    lladdr: str
    started: datetime
    """UTC."""
    ended: datetime
    """UTC; when it was last seen."""
    ending: str = ""
    """``quiet`` (nothing was heard for long), ``gone`` (it did not answer), ``replaced`` (by another lladdr)
    or empty for a time that lasts."""


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """One address that a device has or had."""

    interface: str
    address: str
    first_seen: datetime
    last_seen: datetime
    present: bool
    """It is the lladdr's now."""


@dataclass(frozen=True, slots=True)
class Device:
    """One lladdr with everything remembered of it."""

    lladdr: str
    vendor: str
    private: bool
    """The lladdr is locally administered (randomised)."""
    marks: DeviceMarks
    addresses: tuple[DeviceAddress, ...]
    """The latest first."""

    @property
    def first_seen(self) -> datetime | None:
        """UTC; None for one that is only marked."""
        return min((address.first_seen for address in self.addresses), default=None)

    @property
    def last_seen(self) -> datetime | None:
        """UTC; None for one that is only marked."""
        return max((address.last_seen for address in self.addresses), default=None)
