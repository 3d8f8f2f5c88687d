"""What a drawing of a scan's map shows: few enough nodes to be read, and their words, gated."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from netmon_tui.domain.topology import MapNode, NodeKind

MOST_NODES = 500
"""More are no picture any more; Mermaid draws no more connections than these."""
_NOTES = (
    "",
    f"More than {MOST_NODES} nodes: the hosts of each subnet are only counted.",
    f"More than {MOST_NODES} nodes: the hosts of each network are only counted.",
    f"More than {MOST_NODES} nodes: what does not fit is only counted.",
)


class Mark(NamedTuple):
    """A node of a drawing."""

    parent: int
    """Place of its parent among the marks, which comes before it; -1 for us."""
    kind: NodeKind | None
    """None for nodes that stand for many."""
    title: str
    details: tuple[str, ...]
    """What else is said: name, round trip, hosts and open ports; gated like the title."""


class Drawing(NamedTuple):
    """What is drawn."""

    marks: list[Mark]
    note: str
    """What was left out; empty when nothing was."""


def draw(root: MapNode, gate: Callable[[object], str]) -> Drawing:
    """Return the marks of a tree, parents first.

    Args:
        root: The tree; with its hosts, unless they would be too many anyway.
        gate: What foreign text passes, to one harmless line.
    """
    counted = any(node.group is not None and node.hosts and not node.children for node in root.walk())
    level = int(counted)
    while level < 2 and _size(root, level) > MOST_NODES:
        level += 1
    marks: list[Mark] = []
    queue = deque([(root, -1)])
    cut = False
    while queue:
        node, parent = queue.popleft()
        place = len(marks)
        marks.append(Mark(parent, node.kind, gate(node.label), tuple(map(gate, details_of(node)))))
        children = _children(node, level)
        room = MOST_NODES - len(marks) - len(queue)
        if len(children) > room:
            cut, kept = True, children[: max(0, room - 1)]
            if room > 0:
                hosts = sum(child.hosts for child in children[len(kept) :])
                more = f"and {len(children) - len(kept)} more"
                marks.append(Mark(place, None, more, (_counts(hosts, 0),)))
            children = kept
        queue.extend((child, place) for child in children)
    return Drawing(marks, _NOTES[3 if cut else level])


def details_of(node: MapNode) -> list[str]:
    """Return what else is said of a node: name, round trip, hosts and open ports; ungated."""
    rtt = f"{node.rtt:.2f} ms" if node.rtt is not None else ""
    below = _counts(0 if node.kind is NodeKind.HOST else node.hosts, node.open_ports)
    return [part for part in (node.name, rtt, below) if part]


def _counts(hosts: int, open_ports: int) -> str:
    parts = [f"{hosts} host{'' if hosts == 1 else 's'}"] if hosts else []
    return ", ".join([*parts, f"{open_ports} open"] if open_ports else parts)


def _children(node: MapNode, level: int) -> list[MapNode]:
    """Return what is drawn below a node: at level 1 no hosts, at level 2 nothing inside networks."""
    if level >= 2 and node.kind is NodeKind.NETWORK:
        return []
    return [child for child in node.children if not level or child.kind is not NodeKind.HOST]


def _size(node: MapNode, level: int) -> int:
    return 1 + sum(_size(child, level) for child in _children(node, level))
