"""The map of a scan as a picture: rings around the node where the map branches most, as network maps are drawn.

The file needs nothing else and runs nothing: no script, no style sheet, no address that would be fetched.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from netmon_tui.domain.topology import NodeKind
from netmon_tui.tools.map_drawing import Drawing, Mark

RING = 150.0
"""Least distance of two rings, in pixels."""
SLOT = 15.0
"""Least distance of two labels along rays, in pixels."""
BLOCK = 140.0
"""Least distance of two labels of nodes inside, in pixels."""
OURS = 16
"""The way to us takes at least this part of the circle: its labels are wider than those of hosts."""
_LETTER = 6.7
"""Width of a letter of the labels, in pixels."""
_MARGIN = 24.0
_HEAD = 48.0
_BOLD = ' font-weight="bold"'
_LOOKS = {
    NodeKind.US: ("#b3261e", 9.0),
    NodeKind.HOP: ("#0b57b0", 6.5),
    NodeKind.GAP: ("#9aa3ad", 4.0),
    NodeKind.UNTRACED: ("#9aa3ad", 4.0),
    NodeKind.NETWORK: ("#7a4f01", 6.0),
    NodeKind.SUBNET: ("#7a4f01", 6.0),
    NodeKind.HOST: ("#176b35", 4.0),
}
"""Colour and radius of the dots."""
_LEGEND = (
    (NodeKind.US, "us"),
    (NodeKind.HOP, "hop"),
    (NodeKind.SUBNET, "network"),
    (NodeKind.HOST, "host"),
    (NodeKind.GAP, "no answer"),
)


@dataclass(slots=True)
class _Spot:
    """Where a mark is drawn."""

    angle: float = 0.0
    """Radians; 0 is to the right, clockwise."""
    radius: float = 0.0
    is_leaf: bool = True

    @property
    def x(self) -> float:
        """Pixels to the right of the middle."""
        return self.radius * math.cos(self.angle)

    @property
    def y(self) -> float:
        """Pixels below the middle."""
        return self.radius * math.sin(self.angle)


def map_to_svg(drawing: Drawing, scan_id: int) -> Iterator[str]:
    """Yield an SVG document."""
    marks = drawing.marks
    spots = _Rings([mark.parent for mark in marks]).spots
    left, top, right, bottom = _extent(marks, spots)
    width, height = max(right - left, 640.0), bottom - top + _HEAD
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="DejaVu Sans Mono, monospace" font-size="11">\n'
        f"<title>Map of scan {scan_id}</title>\n"
        '<rect width="100%" height="100%" fill="#ffffff"/>\n'
    )
    yield from _head(drawing.note, scan_id)
    yield f'<g transform="translate({-left:.1f} {_HEAD - top:.1f})">\n'
    for mark, spot in zip(marks, spots, strict=True):
        if mark.parent >= 0:
            yield _line(mark, spot, spots[mark.parent])
    for mark, spot in zip(marks, spots, strict=True):
        yield _dot(mark, spot)
    yield "</g>\n</svg>\n"


def _head(note: str, scan_id: int) -> Iterator[str]:
    yield f'<text x="{_MARGIN}" y="20" font-size="14" font-weight="bold">Scan {scan_id}</text>\n'
    x = _MARGIN + 110
    for kind, word in _LEGEND:
        yield f'<circle cx="{x:.0f}" cy="16" r="5" fill="{_LOOKS[kind][0]}"/>\n'
        yield f'<text x="{x + 9:.0f}" y="20">{word}</text>\n'
        x += 24 + len(word) * _LETTER
    if note:
        yield f'<text x="{_MARGIN}" y="38" fill="#57606a">{html.escape(note)}</text>\n'


def _line(mark: Mark, spot: _Spot, parent: _Spot) -> str:
    dashes = ' stroke-dasharray="4 3"' if mark.kind in (NodeKind.GAP, NodeKind.UNTRACED) else ""
    return (
        f'<line x1="{parent.x:.1f}" y1="{parent.y:.1f}" x2="{spot.x:.1f}" y2="{spot.y:.1f}" '
        f'stroke="#c8ced6"{dashes}/>\n'
    )


def _dot(mark: Mark, spot: _Spot) -> str:
    colour, radius = _LOOKS.get(mark.kind, _LOOKS[NodeKind.GAP]) if mark.kind else _LOOKS[NodeKind.GAP]
    dot = f'<circle cx="{spot.x:.1f}" cy="{spot.y:.1f}" r="{radius}" fill="{colour}"/>\n'
    return dot + (_outward(mark, spot) if _is_outward(mark, spot) else _below(mark, spot))


def _is_outward(mark: Mark, spot: _Spot) -> bool:
    """Whether the words stand along the ray: those of leaves, but for us, who are always upright."""
    return spot.is_leaf and mark.kind is not NodeKind.US


def _outward(mark: Mark, spot: _Spot) -> str:
    """Return the words of a leaf, along the ray, never upside down."""
    left = math.cos(spot.angle) < -1e-9
    turn = math.degrees(spot.angle) + (180 if left else 0)
    anchor, gap = ("end", -10) if left else ("start", 10)
    return (
        f'<text transform="translate({spot.x:.1f} {spot.y:.1f}) rotate({turn:.2f})" x="{gap}" y="4" '
        f'text-anchor="{anchor}">{_words(mark)}</text>\n'
    )


def _below(mark: Mark, spot: _Spot) -> str:
    """Return the words of a node inside, on a ground of their own: lines run through here."""
    return "".join(
        f'<text x="{spot.x:.1f}" y="{spot.y + 19 + 13 * number:.1f}" text-anchor="middle" stroke="#ffffff" '
        f'stroke-width="4" paint-order="stroke"{_BOLD if not number else ""}>{html.escape(line)}</text>\n'
        for number, line in enumerate((mark.title, *mark.details))
    )


def _words(mark: Mark) -> str:
    detail = html.escape("  ".join(mark.details))
    return html.escape(mark.title) + (f'<tspan dx="9" fill="#57606a">{detail}</tspan>' if detail else "")


def _extent(marks: list[Mark], spots: list[_Spot]) -> tuple[float, float, float, float]:
    """Return the left, upper, right and lower edge of the picture, seen from its middle."""
    xs, ys = [0.0], [0.0]
    for mark, spot in zip(marks, spots, strict=True):
        if _is_outward(mark, spot):
            length = _LETTER * (4 + len(mark.title) + len("  ".join(mark.details)))
            end = _Spot(spot.angle, spot.radius + length)
            xs.append(end.x)
            ys.append(end.y)
        else:
            half = _LETTER / 2 * max(map(len, (mark.title, *mark.details)))
            xs += (spot.x - half, spot.x + half)
            ys.append(spot.y + 19 + 13 * len(mark.details))
    return min(xs) - _MARGIN, min(ys) - _MARGIN, max(xs) + _MARGIN, max(ys) + _MARGIN


# where things go


class _Rings:
    """Places of a tree's nodes, on rings around the node from which no branch has more than half of all leaves.

    Args:
        parents: The place of each node's parent, parents first; -1 for us.
    """

    def __init__(self, parents: list[int]) -> None:
        self._parents = parents
        self._near: list[list[int]] = [[] for _ in parents]
        for node, parent in enumerate(parents):
            if parent >= 0:
                self._near[parent].append(node)
                self._near[node].append(parent)
        self._order, self._above = self._from(self._centre())
        self._depths = [0] * len(parents)
        self.spots = [_Spot() for _ in parents]
        self._place_angles()
        self._place_radii()

    def _centre(self) -> int:
        leaves = _leaves(range(len(self._parents)), self._parents, {})
        node = 0
        while True:
            below = [one for one in self._near[node] if one != self._parents[node]]
            heavy = next((one for one in below if 2 * leaves[one] > leaves[0]), None)
            # A leaf is no better a middle than what it hangs on
            if heavy is None or len(self._near[heavy]) == 1:
                return node
            node = heavy

    def _from(self, centre: int) -> tuple[list[int], list[int]]:
        """Return the nodes by their distance from the middle, and what each hangs on when seen from there."""
        above, order = [-1] * len(self._near), [centre]
        for node in order:
            for one in self._near[node]:
                if one != above[node]:
                    above[one] = node
                    order.append(one)
        return order, above

    def _below(self, node: int) -> list[int]:
        return [one for one in self._near[node] if one != self._above[node]]

    def _place_angles(self) -> None:
        """Give every node the middle of its share of the circle, us being at the top."""
        wide = {0: max(1, len(self._near) // OURS)}
        leaves = self._leaves = _leaves(self._order, self._above, wide)
        share = 2 * math.pi / leaves[self._order[0]]
        begins = [0.0] * len(self._near)
        for node in self._order:
            below = self._below(node)
            self.spots[node].angle = begins[node] + share * leaves[node] / 2
            self.spots[node].is_leaf = not below and len(self._near) > 1
            begin = begins[node]
            for one in below:
                begins[one], self._depths[one] = begin, self._depths[node] + 1
                begin += share * leaves[one]
        turn = -math.pi / 2 - self.spots[0].angle
        for spot in self.spots:
            spot.angle += turn

    def _place_radii(self) -> None:
        """Make every ring wide enough for its labels; from the first with leaves on, for those of all leaves."""
        ends = [depth for depth, spot in zip(self._depths, self.spots, strict=True) if spot.is_leaf]
        first = max(1, min(ends, default=1))
        base = max(first * RING, self._leaves[self._order[0]] * SLOT / (2 * math.pi))
        radius, radii = 0.0, [0.0]
        for depth in range(1, max(self._depths) + 1):
            inside = sum(
                at == depth and not spot.is_leaf for at, spot in zip(self._depths, self.spots, strict=True)
            )
            even = base * depth / first if depth <= first else 0.0
            radius = max(radius + RING, inside * BLOCK / (2 * math.pi), even)
            radii.append(radius)
        for depth, spot in zip(self._depths, self.spots, strict=True):
            spot.radius = radii[depth]


def _leaves(order: Sequence[int], above: Sequence[int], least: Mapping[int, int]) -> list[int]:
    """Return how many leaves are at and below each node; parents stand before children in the order."""
    leaves = [0] * len(order)
    for node in reversed(order):
        leaves[node] = max(leaves[node], least.get(node, 1))
        if above[node] >= 0:
            leaves[above[node]] += leaves[node]
    return leaves
