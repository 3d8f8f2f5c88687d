"""Devices: what is known of one lladdr across all its addresses, and what people say about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import NamedTuple

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

    @property
    def words(self) -> tuple[str, ...]:
        """The marks that are set, each as a word."""
        marks = (("known", self.known), ("must be up", self.must_be_up), ("cluster", self.shares_addresses))
        return tuple(word for word, is_set in marks if is_set)

    @property
    def said(self) -> tuple[str | bool, ...]:
        """All that people can say, without who said it when."""
        return self.name, self.note, self.known, self.must_be_up, self.shares_addresses

    @property
    def says_something(self) -> bool:
        """Whether anything is said at all."""
        return any(self.said)


@dataclass(frozen=True, slots=True)
class MarksChange:
    """What is to be said from now on; None for what stays as it is."""

    name: str | None = None
    note: str | None = None
    known: bool | None = None
    must_be_up: bool | None = None
    shares_addresses: bool | None = None

    def of(self, marks: DeviceMarks) -> DeviceMarks:
        """Return the marks of a device with this change."""
        changed = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(marks, **{name: value for name, value in changed.items() if value is not None})


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
    or empty for a time that lasts, or whose end nobody has stored."""

    def lasts(self, now: datetime) -> bool:
        """Whether it was seen lately, and neither gone nor replaced since."""
        return not self.ending and self.ended >= now - LATELY


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


def differing_marks(before: Mapping[str, DeviceMarks], after: Mapping[str, DeviceMarks]) -> frozenset[str]:
    """Return the lladdrs of which not the same is said."""
    if before is after:
        return frozenset()
    return frozenset(
        lladdr for lladdr in before.keys() | after.keys() if before.get(lladdr) != after.get(lladdr)
    )


class DeviceFilter(NamedTuple):
    """Which devices are asked for."""

    known: bool | None = None
    """Only those that are, or are not; None for both."""
    present: bool = False
    """Only those that are present."""


ALL_DEVICES = DeviceFilter()


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One lladdr in the list of devices."""

    lladdr: str
    vendor: str
    private: bool
    """The lladdr is locally administered (randomised)."""
    marks: DeviceMarks
    interface: str
    address: str
    """The one to speak to it at; empty for a device that is only marked."""
    addresses: int
    """How many it has or had."""
    present: bool
    """Seen lately, and neither gone nor replaced."""
    first_seen: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class DevicePage:
    """One lladdr with the times at which it had each of its addresses."""

    device: Device
    presences: tuple[Presence, ...]
    """The latest first."""
    present: bool


LATELY = timedelta(hours=1)
"""Addresses seen within so long of each other are in use together; without a sign for so long, none is present."""


class SeenAt(NamedTuple):
    """An address of a device, and when it was last seen there."""

    interface: str
    address: str
    last_seen: datetime


def main_address(places: Iterable[SeenAt]) -> SeenAt | None:
    """Return the address to speak to a device at: of those seen lately IPv4 before IPv6, link-local last."""
    known = sorted(places, key=lambda place: place.last_seen, reverse=True)
    if not known:
        return None
    return min((place for place in known if place.last_seen > known[0].last_seen - LATELY), key=_rank)


def _rank(place: SeenAt) -> tuple[bool, bool]:
    return place.address.startswith("fe80"), ":" in place.address


_MOMENT = timedelta(seconds=1)
"""How long what was seen once counts."""


def presence_shares(
    presences: Iterable[Presence], start: datetime, end: datetime, parts: int
) -> tuple[float, ...]:
    """Return of each of so many equal parts of a time the share, 0 to 1, in which one of the presences lasted."""
    length = (end - start) / parts
    shares = [0.0] * parts
    for began, ended in _joined(presences, start, end):
        for part in range(int((began - start) / length), min(parts - 1, int((ended - start) / length)) + 1):
            left, right = start + part * length, start + (part + 1) * length
            shares[part] += max(_MOMENT, min(right, ended) - max(left, began)) / length
    return tuple(min(1.0, share) for share in shares)


def _joined(presences: Iterable[Presence], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the times within a time, those that overlap as one."""
    cut = sorted(
        (max(start, one.started), min(end, one.ended))
        for one in presences
        if one.ended >= start and one.started <= end
    )
    joined: list[tuple[datetime, datetime]] = []
    for began, ended in cut:
        if joined and began <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], ended)
        else:
            joined.append((began, ended))
    return joined
