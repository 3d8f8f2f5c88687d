"""The map of a scan as a tree of indented lines, in ASCII but for names: it goes into mails and tickets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netmon_tui.domain.topology import MapNode
from netmon_tui.tools.map_drawing import details_of


def map_to_text(root: MapNode, gate: Callable[[object], str]) -> Iterator[str]:
    """Yield the lines of a tree.

    Args:
        root: The tree, with as many of its hosts as are wanted.
        gate: What foreign text passes, to one harmless line.
    """
    return _lines(root, gate, "", "")


def _lines(node: MapNode, gate: Callable[[object], str], here: str, below: str) -> Iterator[str]:
    yield f"{here}{'  '.join(map(gate, (node.label, *details_of(node))))}\n"
    for number, child in enumerate(node.children, 1):
        branch, bar = ("`-- ", "    ") if number == len(node.children) else ("|-- ", "|   ")
        yield from _lines(child, gate, below + branch, below + bar)
