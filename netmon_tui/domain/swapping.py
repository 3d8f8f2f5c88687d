"""Telling two hosts that swapped their addresses from one that takes another's: a minute shows which it is.

The first half of a swap looks like spoofing: a lladdr that has an address is seen at another's. But whoever
swaps leaves his own address, and the other one is seen there. So such a change is not judged at once where a swap
is possible; meanwhile the addresses that the newcomer had are asked for. It is a swap if each is seen at the
other's address and stays there for a minute. It is told as any other change

- as soon as the newcomer gives a sign at an address that it had: it takes one in addition to its own;
- as soon as anything else happens to the address: its holder, who is alive there, has it again;
- when a minute has passed and the other one was not seen.

A holder who was heard from within the last minute has hardly left: then it is judged at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from netmon_tui.domain.known_address import Key, KnownAddress, are_alike

_MOST_LEFT = 4
"""A lladdr with more addresses than these besides is a router and no client of DHCP."""


@dataclass(frozen=True, slots=True)
class OpenChange:
    """A change of an address that may be half of a swap."""

    key: Key
    lladdr: str
    """The newcomer."""
    previous: str
    left: tuple[Key, ...]
    """Where else the newcomer was, or is now."""
    since: float
    """POSIX seconds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an open change turned out to be."""

    change: OpenChange
    swapped: Key | None = None
    """The address that the previous holder has instead; None when it is no swap."""
    kept: Key | None = None
    """The address that the newcomer has too."""


class Swaps:
    """The changes that are not judged yet.

    Args:
        addresses: All that is known; it is only read.
        seconds: How long a swap may take, must last, and before it the holder must have been silent.
    """

    def __init__(self, addresses: Mapping[Key, KnownAddress], seconds: float) -> None:
        self._addresses = addresses
        self._seconds = seconds
        self._open: dict[Key, OpenChange] = {}

    def may_be_one(self, key: Key, lladdr: str, places: Collection[Key], now: float) -> bool:
        """Take a change that is about to be made, if it may be half of a swap.

        Args:
            key: Of the address, which still has its previous holder.
            lladdr: The newcomer.
            places: Where else it is, on the same interface and of the same family.
            now: The moment.

        Returns:
            Whether it stays open: it is told by :meth:`judged`.
        """
        before = self._addresses[key]
        halves = [one.key for one in self._open.values() if _is_other_half(one, key, lladdr, before.lladdr)]
        is_first = 0 < len(places) <= _MOST_LEFT and now - before.last_seen >= self._seconds
        if ":" in key[1] or not (halves or is_first) or self._takes_more(key, lladdr):
            return False
        self._open[key] = OpenChange(key, lladdr, before.lladdr, tuple(halves or places), now)
        return True

    def _takes_more(self, key: Key, lladdr: str) -> bool:
        """Whether a newcomer is one at another address too; of that it is told then, with the one it has too."""
        others = [one for one in self._open.values() if one.lladdr == lladdr and are_alike(one.key, key)]
        for other in others:
            self._open[other.key] = replace(other, left=(*other.left, key))
        return bool(others)

    def interrupted(self, key: Key) -> OpenChange | None:
        """Take that something else happens to an address; return the change that is told before it."""
        return self._open.pop(key, None)

    def judged(self, now: float) -> Iterator[Verdict]:
        """Yield what turned out by a moment, each once."""
        for change in list(self._open.values()):
            verdict = self._judge(change, now)
            if verdict is not None:
                del self._open[change.key]
                yield verdict

    def all_open(self) -> Iterator[OpenChange]:
        """Yield all that cannot be waited for any longer, each once."""
        while self._open:
            yield self._open.popitem()[1]

    def clock_jumped(self, now: float) -> None:
        """Wait anew: the time since cannot be told."""
        self._open = {key: replace(change, since=now) for key, change in self._open.items()}

    def to_be_asked(self) -> Iterator[Key]:
        """Yield the addresses whose holder tells more."""
        for change in self._open.values():
            yield from change.left

    def _judge(self, change: OpenChange, now: float) -> Verdict | None:
        swapped, since = None, change.since
        for place in change.left:
            other = self._addresses[place]
            if other.held.get(change.lladdr, 0.0) >= change.since:
                return Verdict(change, kept=place)
            if other.lladdr == change.previous:
                swapped, since = place, max(since, other.since)
        return Verdict(change, swapped=swapped) if now - since >= self._seconds else None


def _is_other_half(change: OpenChange, key: Key, lladdr: str, previous: str) -> bool:
    return key in change.left and (lladdr, previous) == (change.previous, change.lladdr)
