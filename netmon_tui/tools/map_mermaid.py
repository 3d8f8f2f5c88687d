"""The map of a scan in the language of Mermaid (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from netmon_tui.domain.topology import NodeKind
from netmon_tui.tools.map_drawing import Drawing

_UNSAFE = re.compile(r"[^A-Za-z0-9 .:_/,()+-]")
_BRACKETS = {
    NodeKind.US: ("((", "))"),
    NodeKind.HOP: ("([", "])"),
    NodeKind.GAP: ("(", ")"),
    NodeKind.UNTRACED: ("(", ")"),
    NodeKind.NETWORK: ("[[", "]]"),
    NodeKind.SUBNET: ("[[", "]]"),
}


def map_to_mermaid(drawing: Drawing, scan_id: int) -> Iterator[str]:
    """Yield a flowchart; every node is a number of ours, foreign text stands in quoted labels only."""
    yield f"%% scan {scan_id}\n"
    if drawing.note:
        yield f"%% {drawing.note}\n"
    yield "flowchart LR\n"
    for number, mark in enumerate(drawing.marks):
        begin, end = _BRACKETS.get(mark.kind, ("[", "]")) if mark.kind else ("[", "]")
        label = "<br/>".join(_escaped(part) for part in (mark.title, *mark.details))
        yield f'  n{number}{begin}"{label}"{end}\n'
    for number, mark in enumerate(drawing.marks):
        if mark.parent >= 0:
            arrow = "-.->" if mark.kind in (NodeKind.GAP, NodeKind.UNTRACED) else "-->"
            yield f"  n{mark.parent} {arrow} n{number}\n"


def _escaped(text: str) -> str:
    """Return a text in which all but plain characters are numbers, which no part of Mermaid reads as its own."""
    return _UNSAFE.sub(lambda found: f"#{ord(found[0])};", text)
