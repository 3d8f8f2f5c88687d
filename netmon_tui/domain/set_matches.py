"""The packets of several files that meet a filter, as one list."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

MOST_MATCHES = 2_000_000
"""Packets that are kept: 16 MB."""


class SetMatch(NamedTuple):
    """A packet of one of several files."""

    file: str
    """Its name."""
    number: int
    """Of the packet in it, from 1."""


class SetMatches:
    """Packets by file, the oldest first, and by number: those of a file together."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._numbers: list[array[int]] = []
        self._starts = [0]
        """At which place the packets of each file begin; one more for the end."""

    def __len__(self) -> int:
        return self._starts[-1]

    @property
    def files(self) -> int:
        """How many files have some."""
        return len(self._paths)

    def add(self, path: Path, numbers: Sequence[int]) -> None:
        """Take more packets of the last file, or the first of a later one, up to :data:`MOST_MATCHES` in all."""
        kept = numbers[: MOST_MATCHES - len(self)]
        if not kept:
            return
        if self._paths[-1:] != [path]:
            self._paths.append(path)
            self._numbers.append(array("Q"))
            self._starts.append(len(self))
        self._numbers[-1].extend(kept)
        self._starts[-1] += len(kept)

    def part(self, start: int, stop: int) -> Iterator[tuple[Path, Sequence[int]]]:
        """Yield the packets at some places, from 0, by file."""
        first = max(0, bisect_right(self._starts, start) - 1)
        for path, numbers, begin in zip(
            self._paths[first:], self._numbers[first:], self._starts[first:], strict=False
        ):
            if begin >= stop:
                return
            yield path, numbers[max(0, start - begin) : stop - begin]

    def place(self, match: SetMatch) -> int | None:
        """Return where a packet stands, from 0; None where it is not among them."""
        at = next((at for at, path in enumerate(self._paths) if path.name == match.file), None)
        if at is None:
            return None
        numbers = self._numbers[at]
        row = bisect_left(numbers, match.number)
        found = row < len(numbers) and numbers[row] == match.number
        return self._starts[at] + row if found else None
