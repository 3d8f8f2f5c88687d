"""Telling what matters in the neighbour table, as arpwatch does, but without its false alarms.

Pure and without a clock: whoever follows the table says what was seen and when, and is answered with events.
All moments are POSIX seconds.

What is no alarm:

- many addresses of one lladdr: a router that answers for others (proxy ARP), a host with many addresses;
- an address that is, or was, at a virtual router's lladdr (VRRP, CARP, HSRP, GLBP), or that passes between devices
  marked as a cluster;
- an address that passes to another lladdr after its holder was silent, did not answer for a while, or got another
  address: DHCP. One packet from there does not show that, for anybody can send it: the holder has to be seen there
  for a minute, or to have been asked at the address that it left without an answer. Who keeps that up is not told
  from DHCP;
- two addresses whose holders swapped them: see :mod:`netmon_tui.domain.swapping`;
- an entry that the kernel forgot, was told to forget, or lost with the link: only an address that was asked and
  did not answer is gone;
- the temporary addresses that IPv6 hosts make for themselves (RFC 8981).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from netmon_tui.domain.address import Family
from netmon_tui.domain.device import DeviceMarks
from netmon_tui.domain.known_address import Key, KnownAddress, are_alike
from netmon_tui.domain.neighbour import Neighbour
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.swapping import OpenChange, Swaps, Verdict

_VIRTUAL_ROUTER = re.compile(
    r"00:00:5e:00:0[12]:"  # VRRP, CARP: RFC 5798 section 7.3
    r"|00:00:0c:07:ac:|00:00:0c:9f:f|00:05:73:a0:0"  # HSRP versions 1 and 2, and for IPv6
    r"|00:07:b4:0"  # GLBP
)
_LLADDRS_KEPT = 16
"""Of one address: an address that had more of them is flooded, and the oldest say nothing any more."""
_CHANGES_KEPT = 1_000
"""Of one address: more tell nothing more."""
_EDITED_SECONDS = 1.0
"""An entry that fails and leaves within so short a time was deleted by somebody: nobody was asked."""


@dataclass(frozen=True, slots=True)
class NoticingLimits:
    """When something counts; all in seconds but the numbers of changes and addresses."""

    silent: float = 300.0
    """After so long without a sign of its holder, an address may pass on without suspicion."""
    returning: float = 86_400.0
    """A lladdr that comes back to an address within this time makes a flip-flop."""
    flapping: float = 600.0
    """Within it, so many changes to and fro make a duplicate address."""
    flaps: int = 3
    unanswered: float = 30.0
    """A holder that was asked and did not answer for so long has left."""
    settled: float = 60.0
    """A holder that was seen at another address for so long has got it; a swap is shown after so long."""
    gone: float = 300.0
    """Without an answer for so long, an address is gone."""
    down: float = 60.0
    """Without an answer for so long, a device that must be up is down."""
    forgotten: float = 180 * 86_400.0
    """Who comes back after so long is told of."""
    many: int = 8
    """A lladdr with more addresses answers for others: its next one is no news."""


class Held(NamedTuple):
    """One lladdr that an address has or had, as remembered."""

    interface: str
    address: str
    lladdr: str
    since: float
    """When it was first seen there."""
    last_seen: float
    first_seen: float
    """Of the address, whatever lladdr it had."""
    gone: bool
    """It was told to be gone."""


class Noticing:
    """Keeps what the rules need to know of every address, and tells events.

    Args:
        limits: When something counts.
    """

    def __init__(self, limits: NoticingLimits | None = None) -> None:
        self._limits = limits or NoticingLimits()
        self._addresses: dict[Key, KnownAddress] = {}
        self._swaps = Swaps(self._addresses, self._limits.settled)
        self._stations: dict[str, set[Key]] = {}
        """lladdr -> where it is now; none for one that is nowhere."""
        self._lladdrs: set[str] = set()
        """All there ever were."""
        self._failing: dict[Key, float] = {}
        """Addresses that do not answer -> since when."""
        self._down: set[str] = set()
        self.interfaces: set[str] = set()
        """Those that something is known of; not to be changed."""
        self._lost: set[str] = set()
        """Interfaces that are down, or gone."""
        self._pinned: set[Key] = set()
        """Those with a permanent entry: nobody is ever asked there, so nobody can fail to answer."""
        self.gateways: Collection[Key] = frozenset()
        self.marks: Mapping[str, DeviceMarks] = {}
        """What people say, by lladdr."""

    def load(self, held: Iterable[Held], down: Collection[str]) -> None:
        """Take what is remembered.

        Args:
            held: The one in force of an address last.
            down: lladdrs that were told to be down.
        """
        for interface, address, lladdr, since, last_seen, first_seen, gone in held:
            known = self._hold((interface, address), lladdr, last_seen)
            known.since, known.first_seen, known.gone = since, first_seen, gone
        self._down = set(down)

    def known(self, key: Key) -> KnownAddress | None:
        """Return what is known of an address; not to be changed."""
        return self._addresses.get(key)

    def known_since(self, key: Key, moment: float) -> None:
        """Take that somebody else saw an address earlier."""
        address = self._addresses[key]
        address.first_seen = min(address.first_seen, moment)

    def misses(self, key: Key, lladdr: str) -> bool:
        """Whether any sign from there is news: nobody answers, or that was told already."""
        address = self._addresses.get(key)
        return key in self._failing or lladdr in self._down or (address is not None and address.gone)

    def pinned(self, key: Key, *, is_pinned: bool) -> None:
        """Take whether an entry is permanent: it is no sign of its holder, and none can be missed."""
        if is_pinned:
            self._pinned.add(key)
        else:
            self._pinned.discard(key)

    def seen(
        self, neighbour: Neighbour, now: float, *, sign: float, quietly: bool = False
    ) -> list[NeighbourEvent]:
        """Take an entry that has a lladdr.

        Args:
            neighbour: The entry.
            now: The moment.
            sign: When that lladdr last gave a sign of life, at most ``now``.
            quietly: Learn it, without a word: nothing was known of its interface before.
        """
        key, lladdr = (neighbour.interface, neighbour.address), neighbour.lladdr
        before = self._addresses.get(key)
        if before is None:
            events = [] if quietly else self._first(neighbour, now)
        elif before.lladdr != lladdr:
            events = self._changed(before, neighbour, now)
        elif before.gone:
            events = [_event(NeighbourEventKind.BACK, key, lladdr, now)]
        elif (silence := now - before.last_seen) >= self._limits.forgotten:
            events = [_event(NeighbourEventKind.BACK, key, lladdr, now, detail=f"after {_span(silence)}")]
        else:
            events = []
        self._failing.pop(key, None)
        self._lost.discard(key[0])
        self._hold(key, lladdr, sign).gone = False
        if lladdr in self._down and key not in self._pinned:
            self._down.discard(lladdr)
            events = [_event(NeighbourEventKind.BACK, key, lladdr, now, detail="the device was down")]
        return events

    def _hold(self, key: Key, lladdr: str, sign: float) -> KnownAddress:
        address = self._addresses.get(key)
        if address is None:
            address = self._addresses[key] = KnownAddress(lladdr, sign, sign)
            self.interfaces.add(key[0])
        elif address.lladdr != lladdr:
            self._leave(address.lladdr, key)
            address.lladdr, address.since = lladdr, sign
        address.held[lladdr] = max(sign, address.held.get(lladdr, 0.0))
        if len(address.held) > _LLADDRS_KEPT:
            former = (held for held in address.held if held != lladdr)
            del address.held[min(former, key=address.held.__getitem__)]
        self._stations.setdefault(lladdr, set()).add(key)
        self._lladdrs.add(lladdr)
        return address

    def _leave(self, lladdr: str, key: Key) -> None:
        places = self._stations[lladdr]
        places.remove(key)
        if not places:
            del self._stations[lladdr]

    def _first(self, neighbour: Neighbour, now: float) -> list[NeighbourEvent]:
        """Tell of an address that nobody had before."""
        key, lladdr = (neighbour.interface, neighbour.address), neighbour.lladdr
        if lladdr not in self._lladdrs:
            marks = self.marks.get(lladdr)
            if marks is not None and marks.known:
                return []
            detail = "a virtual router" if _is_virtual_router(lladdr) else ""
            return [_event(NeighbourEventKind.NEW, key, lladdr, now, detail=detail)]
        if neighbour.family is Family.IPV6 or len(self._stations.get(lladdr, ())) >= self._limits.many:
            return []
        return [_event(NeighbourEventKind.NEW_ADDRESS, key, lladdr, now)]

    def _changed(self, address: KnownAddress, neighbour: Neighbour, now: float) -> list[NeighbourEvent]:
        key, lladdr, previous = (neighbour.interface, neighbour.address), neighbour.lladdr, address.lladdr
        before = self._swaps.interrupted(key)
        events = [_late(before, now)] if before is not None else []
        kind, detail = self._judge(address, key, lladdr, now)
        is_open = kind is NeighbourEventKind.CHANGED and self._swaps.may_be_one(
            key, lladdr, self._elsewhere(lladdr, key), now
        )
        return (
            events if is_open else [*events, _event(kind, key, lladdr, now, previous=previous, detail=detail)]
        )

    def _judge(
        self, address: KnownAddress, key: Key, lladdr: str, now: float
    ) -> tuple[NeighbourEventKind, str]:
        """Return what kind of change it is, and why."""
        if reason := self._shared(address, lladdr):
            return NeighbourEventKind.MOVED, reason
        limits = self._limits
        changes = (*(moment for moment in address.changes if moment >= now - limits.flapping), now)
        address.changes = changes[-_CHANGES_KEPT:]
        returned = now - address.held.get(lladdr, -limits.returning) < limits.returning
        if returned and len(changes) >= limits.flaps:
            minutes = max(1, round((now - changes[0]) / 60))
            return NeighbourEventKind.DUPLICATE, f"{len(changes)} changes within {minutes} min"
        if key in self.gateways:
            return NeighbourEventKind.GATEWAY_CHANGED, ""
        if reason := self._left(address, key, now):
            return NeighbourEventKind.MOVED, reason
        return (NeighbourEventKind.FLIP_FLOP if returned else NeighbourEventKind.CHANGED), ""

    def _shared(self, address: KnownAddress, lladdr: str) -> str:
        """Return why both lladdrs may have one address, or nothing.

        Anybody can call himself a virtual router: one that is new to the address is no reason.
        """
        pair = address.lladdr, lladdr
        virtual = [_is_virtual_router(one) for one in pair]
        if all(virtual) or (any(virtual) and lladdr in address.held):
            return "a virtual router"
        both = [self.marks.get(one) for one in pair]
        return "devices of a cluster" if all(marks and marks.shares_addresses for marks in both) else ""

    def _left(self, address: KnownAddress, key: Key, now: float) -> str:
        """Return why the holder of an address may be taken to have left it, or nothing."""
        last = address.last_seen
        if now - last >= self._limits.silent:
            return f"its holder was silent for {_span(now - last)}"
        if (failing := now - self._failing.get(key, now)) >= self._limits.unanswered:
            return f"its holder did not answer for {_span(failing)}"
        others = self._elsewhere(address.lladdr, key)
        for place in others:
            other = self._addresses[place]
            # IPv6 hosts make new addresses for themselves all the time, and keep those they have.
            is_instead = len(others) == 1 or (other.since > last and ":" not in key[1])
            has_settled = other.last_seen - max(last, other.since) >= self._limits.settled
            if is_instead and other.last_seen > last and (has_settled or key in self._failing):
                return f"its holder has {place[1]} now"
        return ""

    def _elsewhere(self, lladdr: str, key: Key) -> list[Key]:
        """Return where else a lladdr is, on the same interface and of the same family."""
        return [one for one in self._stations.get(lladdr, ()) if one != key and are_alike(one, key)]

    def answered(self, key: Key, lladdr: str, sign: float) -> None:
        """Take that the holder of an address gave a sign there, without anything new about it."""
        address = self._addresses.get(key)
        if address is not None and address.lladdr == lladdr:
            address.held[lladdr] = max(sign, address.last_seen)

    def failed(self, key: Key, now: float) -> None:
        """Take that an address was asked and did not answer: its entry is not permanent any more."""
        self._pinned.discard(key)
        address = self._addresses.get(key)
        if address is not None and (not address.gone or self._must_tell_down(address.lladdr)):
            self._failing.setdefault(key, now)

    def removed(self, key: Key, now: float) -> None:
        """Take that an entry left the table: that alone says nothing."""
        self._pinned.discard(key)
        since = self._failing.get(key)
        if since is not None and now - since < _EDITED_SECONDS:
            del self._failing[key]

    def link_lost(self, interface: str) -> None:
        """Take that an interface is down: nobody there can answer."""
        self._lost.add(interface)
        self._failing = {key: since for key, since in self._failing.items() if key[0] != interface}

    def passed(self, now: float) -> list[NeighbourEvent]:
        """Return what the mere passing of time has to tell: who is gone or down, and who did not swap.

        Call it every few seconds.
        """
        events = [_verdict(verdict, now) for verdict in self._swaps.judged(now)]
        for key, since in list(self._failing.items()):
            address = self._addresses[key]
            if now - since >= self._limits.down and self._is_down(address.lladdr):
                self._down.add(address.lladdr)
                events.append(_event(NeighbourEventKind.DOWN, key, address.lladdr, now))
            if now - since >= self._limits.gone:
                del self._failing[key]
                if not address.gone:
                    address.gone = True
                    events.append(_event(NeighbourEventKind.GONE, key, address.lladdr, now))
        return events

    def undecided(self, now: float) -> list[NeighbourEvent]:
        """Return what would be told later, when nobody calls :meth:`passed` any more."""
        return [_late(change, now) for change in self._swaps.all_open()]

    def _is_down(self, lladdr: str) -> bool:
        """Whether a device that must be up, and is not yet told to be down, answers nowhere.

        Places where it was long ago do not count, nor those behind a link that is down, nor permanent entries:
        nothing can fail there.
        """
        if not self._must_tell_down(lladdr):
            return False
        signs = {key: self._addresses[key].held[lladdr] for key in self._stations[lladdr]}
        recent = max(signs.values()) - self._limits.returning
        here = [key for key in signs if key[0] not in self._lost and key not in self._pinned]
        places = [key for key in here if signs[key] >= recent]
        return bool(places) and all(key in self._failing or self._addresses[key].gone for key in places)

    def _must_tell_down(self, lladdr: str) -> bool:
        marks = self.marks.get(lladdr)
        return marks is not None and marks.must_be_up and lladdr not in self._down

    def clock_jumped(self, now: float) -> None:
        """Wait anew for whoever does not answer: the time since cannot be told."""
        self._failing = dict.fromkeys(self._failing, now)
        self._swaps.clock_jumped(now)

    def to_be_asked(self, now: float) -> list[Key]:
        """Return the addresses of devices that must be up and gave no sign for half the time they have.

        And those whose holder tells whether others were swapped.
        """
        limit = now - self._limits.down / 2
        return [
            *self._swaps.to_be_asked(),
            *(
                key
                for lladdr, marks in self.marks.items()
                if marks.must_be_up
                for key in self._stations.get(lladdr, ())
                if key not in self._pinned and self._addresses[key].held[lladdr] < limit
            ),
        ]


def _is_virtual_router(lladdr: str) -> bool:
    return _VIRTUAL_ROUTER.match(lladdr) is not None


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _event(
    kind: NeighbourEventKind, key: Key, lladdr: str, now: float, *, previous: str = "", detail: str = ""
) -> NeighbourEvent:
    return NeighbourEvent(datetime.fromtimestamp(now, UTC), kind, key[1], key[0], lladdr, previous, detail)


def _late(change: OpenChange, now: float, detail: str = "") -> NeighbourEvent:
    """Return a change that was not told when it happened."""
    said = f"first seen there {_span(now - change.since)} ago"
    detail = f"{said}; {detail}" if detail else said
    kind = NeighbourEventKind.CHANGED
    return _event(kind, change.key, change.lladdr, now, previous=change.previous, detail=detail)


def _verdict(verdict: Verdict, now: float) -> NeighbourEvent:
    change = verdict.change
    if verdict.swapped is None:
        return _late(change, now, f"it has {verdict.kept[1]} too" if verdict.kept else "")
    detail = f"swapped: its holder has {verdict.swapped[1]} now"
    kind = NeighbourEventKind.MOVED
    return _event(kind, change.key, change.lladdr, now, previous=change.previous, detail=detail)
