"""How many addresses a scan has when what is excluded is taken out, and which, without ever listing them."""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from netmon_tui.tools.nmap_targets import Target

_MOST_STATES = 20_000
"""Overlaps of patterns that are followed; real exclusions have some tens."""

Box = tuple[tuple[int, int], ...]
"""First and last value of each part: four parts of an IPv4 address, or an IPv6 address as one number."""


def count_addresses(targets: Iterable[Target], excluded: Iterable[Target]) -> tuple[int, int]:
    """Return (addresses, host names) of targets without what is excluded.

    Targets that overlap count twice: nmap scans them twice. An excluded name takes out the target of that name.

    Args:
        targets, excluded: What passed the grammar of targets.
    """
    leaves_out = _Exclusions(excluded)
    addresses = names = 0
    for target in targets:
        if target.family is None:
            names += target.text not in leaves_out.names
        else:
            addresses += target.count - leaves_out.within(_box(target.text))
    return addresses, names


def address_at(target: Target, place: int) -> str:
    """Return an address of a target that is no name, in ascending order.

    Args:
        target: What passed the grammar of targets.
        place: 0 to its count - 1.
    """
    box = _box(target.text)
    if len(box) == 1:
        return str(ipaddress.IPv6Address(box[0][0] + place))
    parts = []
    for first, last in reversed(box):
        place, over = divmod(place, last - first + 1)
        parts.append(first + over)
    return str(ipaddress.IPv4Address(bytes(reversed(parts))))


class _Exclusions:
    """Excluded targets, merged where they are plain ranges, so that thousands cost no time."""

    def __init__(self, excluded: Iterable[Target]) -> None:
        parts = list(excluded)
        self.names = {target.text for target in parts if target.family is None}
        boxes = [_box(target.text) for target in parts if target.family is not None]
        self._patterns = [box for box in boxes if _range(box) is None]
        self._plain = [box for box in boxes if _range(box) is not None]
        self._ranges = {width: _Ranges(self._plain, width) for width in (1, 4)}

    def within(self, box: Box) -> int:
        """Return how many addresses of a box are excluded; 0 where that is too entangled to be found out."""
        asked = _range(box)
        meeting = [one for one in self._patterns if _meet(one, box)]
        if asked is not None and not meeting:
            return self._ranges[len(box)].within(*asked)
        return _covered(box, meeting + [one for one in self._plain if _meet(one, box)])


class _Ranges:
    """Disjoint ranges of addresses in ascending order."""

    def __init__(self, boxes: Iterable[Box], width: int) -> None:
        merged: list[list[int]] = []
        found = (_range(box) for box in boxes if len(box) == width)
        for first, last in sorted(one for one in found if one is not None):
            if merged and first <= merged[-1][1] + 1:
                merged[-1][1] = max(merged[-1][1], last)
            else:
                merged.append([first, last])
        self._first = [first for first, _ in merged]
        self._last = [last for _, last in merged]
        self._before = [0, *accumulate(last - first + 1 for first, last in merged)]

    def within(self, first: int, last: int) -> int:
        """Return how many of the addresses from first to last are in a range."""
        return self._below(last + 1) - self._below(first)

    def _below(self, address: int) -> int:
        place = bisect_left(self._first, address)
        over = max(0, self._last[place - 1] + 1 - address) if place else 0
        return self._before[place] - over


def _box(text: str) -> Box:
    plain = text.split("/")[0].partition("%")[0] + ("/" + text.split("/")[1] if "/" in text else "")
    if ":" in plain:
        network = ipaddress.IPv6Network(plain)
        return ((int(network[0]), int(network[-1])),)
    if "/" in plain:
        network4 = ipaddress.IPv4Network(plain)
        return tuple(zip(network4[0].packed, network4[-1].packed, strict=True))
    bounds = (part.partition("-") for part in plain.split("."))
    return tuple((int(first), int(last or first)) for first, _, last in bounds)


def _range(box: Box) -> tuple[int, int] | None:
    """Return first and last address of a box; None when not all between them are in it."""
    if len(box) == 1:
        return box[0]
    inner = [place for place, (first, last) in enumerate(box) if first != last]
    if inner and any(part != (0, 255) for part in box[inner[0] + 1 :]):
        return None
    first, last = (int.from_bytes(bytes(part[end] for part in box)) for end in (0, 1))
    return first, last


def _meet(one: Box, other: Box) -> bool:
    if len(one) != len(other):
        return False
    # from the end: addresses of one network differ there, and there may be a million pairs
    for place in range(len(one) - 1, -1, -1):
        first, last = one[place]
        if first > other[place][1] or other[place][0] > last:
            return False
    return True


def _covered(box: Box, others: Sequence[Box]) -> int:
    """Return how many addresses of a box are in any of the others.

    Part by part it is kept for how many beginnings of an address which of the others (as bits) still hold it:
    beginnings that the same of them hold need not be told apart.
    """
    states = Counter({(1 << len(others)) - 1: 1})
    for place, (first, last) in enumerate(box):
        held = Counter(_holding(value, place, others) for value in range(first, last + 1))
        following: Counter[int] = Counter()
        for state, count in states.items():
            for bits, values in held.items():
                if state & bits:
                    following[state & bits] += count * values
        states = following
        if len(states) > _MOST_STATES:
            return 0
    return states.total()


def _holding(value: int, place: int, boxes: Sequence[Box]) -> int:
    return sum(1 << bit for bit, box in enumerate(boxes) if box[place][0] <= value <= box[place][1])
