"""What is looked for in the packets of a capture, and how far a search through them is."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from netmon_tui.errors import InvalidInput

LONGEST_PATTERN = 500
"""Characters of a pattern."""


class FindKind(StrEnum):
    """How a pattern is read."""

    TEXT = "text"
    REGEX = "regex"
    """In RE2's language: Perl's without back references and look-around."""
    HEX = "hex"
    """Bytes such as ``de ad be ef``; a ``?`` is any half of one."""


class FindIn(StrEnum):
    """Where a pattern is looked for."""

    LIST = "list"
    """The line of the list: source, destination, protocol, length and info."""
    TREE = "tree"
    """The field tree, as tshark words it."""
    BYTES = "bytes"
    """The captured bytes, not what was decrypted or put together of them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pattern and where it is looked for."""

    text: str
    kind: FindKind = FindKind.TEXT
    place: FindIn = FindIn.BYTES
    ignore_case: bool = False
    by_tshark: bool = False
    """Lines are meant that have protocol and info in tshark's words."""

    def check(self) -> None:
        """Refuse what cannot be looked for at all, with InvalidInput."""
        if not self.text:
            raise InvalidInput("there is nothing to find", fix="type what is looked for")
        if len(self.text) > LONGEST_PATTERN:
            raise InvalidInput(
                "the pattern is too long",
                why=f"{len(self.text):,} characters, {LONGEST_PATTERN} are possible",
            )
        if self.kind is FindKind.HEX and self.place is not FindIn.BYTES:
            raise InvalidInput("hex digits are looked for in the bytes only", fix="look for text instead")

    def words(self) -> str:
        """Return how and where, such as ``text in bytes, any case``."""
        case = ", any case" if self.ignore_case and self.kind is not FindKind.HEX else ""
        return f"{self.kind} in {self.place}{case}"


@dataclass(frozen=True, slots=True)
class Match:
    """A packet with the pattern in it."""

    number: int
    """From 1."""
    offset: int = -1
    """First byte of the first place in the packet; -1 when it was not looked for in the bytes."""
    size: int = 0
    """Bytes of that place."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of a search brings."""

    first: int
    after: int
    """Packets ``first`` to ``after`` - 1 have been looked through."""
    matches: Sequence[Match]
    """Ascending."""


class FoundPackets:
    """The packets that a search has found so far, and which of them is next without doubt.

    A search goes from some packet to the last one, and on from the first.

    Args:
        start: Where it begins.
        count: Packets there are.
    """

    def __init__(self, start: int, count: int) -> None:
        self.numbers = array("Q")
        """Ascending."""
        self._start = start
        self._count = count
        self._high = start
        """Looked through are ``start`` to here, this one not included..."""
        self._low = 1
        """...and 1 to here."""

    @property
    def complete(self) -> bool:
        """Whether every packet has been looked at."""
        return self._high > self._count and self._low >= self._start

    @property
    def part(self) -> float:
        """How much has been looked at, 0 to 1."""
        return min(1.0, (self._high - self._start + self._low - 1) / max(1, self._count))

    def add(self, batch: Batch) -> None:
        """Take the next batch of the search."""
        at = bisect_left(self.numbers, batch.first)
        self.numbers[at:at] = array("Q", [match.number for match in batch.matches])
        if batch.first >= self._high:
            self._high = batch.after
        else:
            self._low = batch.after

    def after(self, number: int) -> int | None:
        """Return the next packet, after the last one the first; None where that is not known or there is none."""
        at = bisect_right(self.numbers, number)
        if at < len(self.numbers):
            return self._sure(number, self.numbers[at])
        if not self.numbers or not self._is_known(number, self._count + 1):
            return None
        return self._sure(0, self.numbers[0])

    def before(self, number: int) -> int | None:
        """Return the packet before, before the first one the last; None as for :meth:`after`."""
        at = bisect_left(self.numbers, number) - 1
        if at >= 0:
            return self.numbers[at] if self._is_known(self.numbers[at], number) else None
        return self.numbers[-1] if self.numbers and self.complete else None

    def place(self, number: int) -> int:
        """Return how manieth match a packet is, from 1; 0 when it is none."""
        at = bisect_left(self.numbers, number)
        return at + 1 if at < len(self.numbers) and self.numbers[at] == number else 0

    def _sure(self, number: int, following: int) -> int | None:
        return following if self._is_known(number, following) else None

    def _is_known(self, low: int, high: int) -> bool:
        """Whether all packets between two have been looked at."""
        above = low >= self._start - 1 and high <= self._high
        return self.complete or above or high <= self._low
