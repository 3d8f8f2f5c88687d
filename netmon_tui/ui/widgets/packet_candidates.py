"""The packets of a list before words are looked for: all of a file, or those that a display filter lets through."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from netmon_tui.services.packet_list import PacketList


class Candidates:
    """Numbers of packets, rising.

    Args:
        packets: The file.
    """

    def __init__(self, packets: PacketList) -> None:
        self._packets = packets
        self.chosen: array[int] | None = None
        """What a display filter has let through so far; None when there is none."""

    def __len__(self) -> int:
        """How many there are, as far as known."""
        return self._packets.count if self.chosen is None else len(self.chosen)

    def numbers(self, start: int, stop: int) -> Sequence[int]:
        """Return the numbers at some places, from 0."""
        return range(start + 1, stop + 1) if self.chosen is None else self.chosen[start:stop]


def place_near(number: int, numbers: Sequence[int] | None) -> int:
    """Return where the first number stands that is not lower, or how many there are when all are."""
    return number - 1 if numbers is None else bisect_left(numbers, number)


def place_of(number: int, numbers: Sequence[int] | None) -> int | None:
    """Return where a number stands among others that rise; None of them means all numbers from 1."""
    if numbers is None:
        return number - 1
    place = bisect_left(numbers, number)
    return place if place < len(numbers) and numbers[place] == number else None
