"""One address over all scans: since when it is up, since when a port is open, and how it was at any time.

Hosts are matched by address alone here; which lladdr had the address is the neighbours' matter. A scan says
something of a port only if it asked for it: one that did not look neither ends an interval nor counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from netmon_tui.domain.comparison import UNANSWERED, PortFacts, PortKey


class Seen(NamedTuple):
    """Where something is known from."""

    scan_id: int
    time: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What one completed scan that asked for an address says of it."""

    scan_id: int
    time: datetime
    """When the scan was done with the host."""
    up: bool | None
    """None where the scan did not ping and found no open port."""
    covers: Callable[[PortKey], bool]
    """Whether the scan asked for a port."""
    ports: Mapping[PortKey, PortFacts] = field(default_factory=dict)
    """At least those that were open or did not answer."""
    whole: bool = True
    """Whether a port that was asked for and is not among them was surely not open."""

    @property
    def seen(self) -> Seen:
        """Itself, as where something is known from."""
        return Seen(self.scan_id, self.time)

    def is_open(self, key: PortKey) -> bool | None:
        """Whether a port was open; None where the scan does not say."""
        facts = self.ports.get(key)
        if facts is not None:
            return None if facts.state == UNANSWERED else facts.is_open
        return False if self.whole and self.covers(key) else None


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in which something was found again and again, without a scan that says otherwise."""

    first: Seen
    last: Seen
    scans: int
    """How many found it."""
    ended: Seen | None = None
    """The scan that did not find it any more; None while nothing says otherwise."""
    service: str = ""
    """Of a port: the latest service that answered a probe, or else the latest guess."""

    def holds(self, moment: datetime) -> bool:
        """Whether it was found before and after an instant, or then."""
        return self.first.time <= moment <= self.last.time


Intervals = tuple[Interval, ...]


class PortThen(NamedTuple):
    """An open port at some time."""

    number: int
    protocol: str
    facts: PortFacts
    seen: Seen
    """The last scan before that time that asked for it."""


@dataclass(frozen=True, slots=True)
class HostThen:
    """A host at some time, as far as the scans before it tell."""

    moment: datetime
    up: bool | None
    """None when no scan had asked for it."""
    seen: Seen | None
    """The last scan that asked for the host."""
    ports: tuple[PortThen, ...]
    """Open ports by protocol and number."""


@dataclass(frozen=True, slots=True)
class HostHistory:
    """What all scans say of one address, in the order of time."""

    address: str
    looks: Sequence[Look]

    @property
    def up(self) -> Intervals:
        """Return when the host was up."""
        found = _Intervals()
        for look in self.looks:
            if look.up:
                found.go_on(look)
            elif look.up is False:
                found.end(look)
        return found.all

    @property
    def ports(self) -> dict[PortKey, Intervals]:
        """Return when each port was open that ever was, by protocol and number."""
        found: dict[PortKey, _Intervals] = {}
        running: set[PortKey] = set()
        for look in self.looks:
            missing = [key for key in running if key not in look.ports or not look.ports[key].is_open]
            for key in [key for key in missing if look.is_open(key) is False]:
                found[key].end(look)
                running.discard(key)
            for key, facts in look.ports.items():
                if facts.is_open:
                    if key not in running:
                        running.add(key)
                        found.setdefault(key, _Intervals())
                    found[key].go_on(look, facts)
        return {key: found[key].all for key in sorted(found)}

    def open_since(self, scan_id: int) -> dict[PortKey, Interval]:
        """Return for each port the interval in which a scan found it open.

        For a scan that does not count, as one that runs, those that nothing has ended yet.
        """
        then = next((look.time for look in self.looks if look.scan_id == scan_id), None)
        return {
            key: interval
            for key, found in self.ports.items()
            for interval in found
            if (interval.ended is None if then is None else interval.holds(then))
        }

    def at(self, moment: datetime) -> HostThen:
        """Return what the scans until then tell: of each port the last one that asked for it."""
        before = [look for look in self.looks if look.time <= moment]
        undecided = {key for look in before for key, facts in look.ports.items() if facts.is_open}
        open_ports: list[PortThen] = []
        for look in reversed(before):
            for key in list(undecided):
                if (answer := look.is_open(key)) is None:
                    continue
                undecided.discard(key)
                if answer:
                    open_ports.append(PortThen(key[1], key[0], look.ports[key], look.seen))
            if not undecided:
                break
        ports = tuple(sorted(open_ports, key=lambda port: (port.protocol, port.number)))
        host = next((look for look in reversed(before) if look.up is not None), None)
        if host is None:
            return HostThen(moment, None, None, ports)
        return HostThen(moment, host.up, host.seen, ports)


class _Intervals:
    """The intervals of one thing, while they are found."""

    def __init__(self) -> None:
        self._ended: list[Interval] = []
        self._first: Look | None = None
        self._last: Look | None = None
        self._scans = 0
        self._service: PortFacts | None = None

    @property
    def all(self) -> Intervals:
        """What was found, the last one perhaps not ended."""
        return tuple(self._ended) if self._first is None else (*self._ended, self._interval(None))

    def go_on(self, look: Look, facts: PortFacts | None = None) -> None:
        """Take a scan that found it."""
        if self._first is None:
            self._first, self._scans, self._service = look, 0, facts
        self._last = look
        self._scans += 1
        if facts is not None and (facts.probed or self._service is None or not self._service.probed):
            self._service = facts

    def end(self, look: Look) -> None:
        """Take a scan that says otherwise."""
        if self._first is not None:
            self._ended.append(self._interval(look))
            self._first = None

    def _interval(self, ended: Look | None) -> Interval:
        assert self._first is not None
        assert self._last is not None
        words = self._service.words if self._service else ""
        return Interval(self._first.seen, self._last.seen, self._scans, ended.seen if ended else None, words)
