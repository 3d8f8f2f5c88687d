"""The map of a scan in the language of Graphviz (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from collections.abc import Iterator

from netmon_tui.domain.topology import NodeKind
from netmon_tui.tools.map_drawing import Drawing

_SHAPES = {
    NodeKind.US: "doublecircle",
    NodeKind.HOP: "ellipse",
    NodeKind.GAP: "plaintext",
    NodeKind.UNTRACED: "plaintext",
    NodeKind.NETWORK: "folder",
    NodeKind.SUBNET: "folder",
}
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "&": "&amp;", "\n": " ", "\r": " "})
"""Graphviz reads backslashes as escapes and ampersands as HTML entities inside quotes."""


def map_to_dot(drawing: Drawing, scan_id: int) -> Iterator[str]:
    """Yield a directed graph; every node is a number of ours, foreign text stands in labels only."""
    if drawing.note:
        yield f"// {drawing.note}\n"
    yield f'digraph "scan {scan_id}" {{\n  graph [rankdir=LR];\n  node [shape=box, fontname="monospace"];\n'
    for number, mark in enumerate(drawing.marks):
        label = r"\n".join(part.translate(_ESCAPES) for part in (mark.title, *mark.details))
        shape = f", shape={_SHAPES[mark.kind]}" if mark.kind in _SHAPES else ""
        yield f'  n{number} [label="{label}"{shape}];\n'
    for number, mark in enumerate(drawing.marks):
        if mark.parent >= 0:
            style = " [style=dashed]" if mark.kind in (NodeKind.GAP, NodeKind.UNTRACED) else ""
            yield f"  n{mark.parent} -> n{number}{style};\n"
    yield "}\n"
