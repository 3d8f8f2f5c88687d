"""The map as DOT, Mermaid, SVG and text: whole, readable, and nothing in it is anybody else's."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import partial

import pydot
import pytest

from netmon_tui.domain.topology import (
    Lot,
    MapHost,
    MapNode,
    NodeKind,
    Place,
    Station,
    Step,
    build_map,
    host_node,
)
from netmon_tui.security.hostile_text import clean
from netmon_tui.tools.map_dot import map_to_dot
from netmon_tui.tools.map_drawing import MOST_NODES, draw
from netmon_tui.tools.map_mermaid import map_to_mermaid
from netmon_tui.tools.map_svg import map_to_svg
from netmon_tui.tools.map_text import map_to_text

GATE = partial(clean, limit=60)
HOSTILE = (
    'say "quoted" \\',
    "a --> b",
    "<script>alert(1)</script>",
    "line\nbreak\r\n];",
    "right\u202eto left",
    '"]; n9 -> n0; subgraph x {',
    "#quot;&quot;`x`;%%{init: {}}%%",
    "]]></text><image href='http://192.0.2.9/x'/>",
    "\x1b[31mred\x07\ud800",
    "\\N\\G\\l",
)
SVG = "{http://www.w3.org/2000/svg}"


def tree(hosts: int, name: str = "host.example.net") -> MapNode:
    """Us, a hop, and so many hosts in their subnets."""
    place = [
        Lot(Place(f"10.{n >> 16}.{n >> 8 & 255}.0/24", (Step(1, "192.0.2.1"),), 2), min(256, hosts - n), 1)
        for n in range(0, hosts, 256)
    ]
    root = build_map(place, {"192.0.2.1": Station(name, 0.5)})
    for number, node in enumerate(node for node in root.walk() if node.group is not None):
        for n in range(number * 256, min(hosts, number * 256 + 256)):
            address = f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
            node.children.append(host_node(MapHost(n, address, name, "", "", n % 3, 1.5)))
    return root


def strip_hosts(root: MapNode) -> MapNode:
    for node in root.walk():
        node.children = [child for child in node.children if child.kind is not NodeKind.HOST]
    return root


# --- Mermaid: every line is one of these ---

_TEXT = r"(?:[A-Za-z0-9 .:_/,()+-]|#\d+;)*"
_LABEL = rf'"{_TEXT}(?:<br/>{_TEXT})*"'
MERMAID = re.compile(
    r"%% [A-Za-z0-9 .:]+|flowchart LR"
    rf"|  n\d+(?:\(\({_LABEL}\)\)|\(\[{_LABEL}\]\)|\({_LABEL}\)|\[\[{_LABEL}\]\]|\[{_LABEL}\])"
    r"|  n\d+ (?:-->|-\.->) n\d+"
)
DOT = re.compile(
    r'// [A-Za-z0-9 .:]+|digraph "scan \d+" \{|  graph \[rankdir=LR\];|  node \[shape=box, fontname="monospace"\];'
    r'|  n\d+ \[label="(?:[^"\\]|\\\\|\\"|\\n)*"(?:, shape=[a-z]+)?\];|  n\d+ -> n\d+(?: \[style=dashed\])?;|\}'
)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_out_of_its_label(name: str) -> None:
    drawing = draw(tree(3, name), GATE)
    for text, grammar in (
        ("".join(map_to_mermaid(drawing, 4)), MERMAID),
        ("".join(map_to_dot(drawing, 4)), DOT),
    ):
        wrong = [line for line in text.splitlines() if not grammar.fullmatch(line)]
        assert wrong == []
        assert text.count("n3") >= 2
    root = ET.fromstring("".join(map_to_svg(drawing, 4)))
    tags = {node.tag for node in root.iter()}
    assert tags <= {SVG + tag for tag in ("svg", "title", "rect", "g", "line", "circle", "text", "tspan")}
    said = "".join(root.itertext())
    assert clean(name, 60) in said
    lines = list(map_to_text(tree(3, name), GATE))
    assert len(lines) == 6
    assert all(line[:-1].isprintable() for line in lines)


@pytest.mark.parametrize("name", HOSTILE)
def test_another_reader_of_dot_finds_every_node(name: str) -> None:
    (graph,) = pydot.graph_from_dot_data("".join(map_to_dot(draw(tree(3, name), GATE), 4))) or ()
    nodes = {node.get_name() for node in graph.get_nodes()} - {"node", "edge", "graph"}
    assert len(nodes) == 6
    assert {end for edge in graph.get_edges() for end in (edge.get_source(), edge.get_destination())} <= nodes


def test_labels_of_254_hosts_do_not_cover_each_other_and_stay_inside() -> None:
    root = ET.fromstring("".join(map_to_svg(draw(tree(254), GATE), 4)))
    turned = [one.get("transform", "") for one in root.iter(SVG + "text") if one.get("transform")]
    places = [tuple(map(float, re.findall(r"-?[\d.]+", one)[:2])) for one in turned]
    assert len(places) == 254
    nearest = min(
        (ax - bx) ** 2 + (ay - by) ** 2 for i, (ax, ay) in enumerate(places) for bx, by in places[:i]
    )
    assert nearest > 12**2, "a line of 11 pixels needs 12"
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    group = root.find(SVG + "g")
    assert group is not None
    dx, dy = map(float, re.findall(r"-?[\d.]+", group.get("transform", "")))
    assert all(0 < x + dx < width and 0 < y + dy < height for x, y in places)


def test_a_map_too_large_counts_hosts_in_subnets_then_in_networks_and_says_so() -> None:
    whole = draw(tree(254), GATE)
    assert whole.note == ""
    assert len(whole.marks) == 257
    subnets = draw(tree(600), GATE)
    assert "each subnet" in subnets.note
    assert [mark.title for mark in subnets.marks][2:] == ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]
    networks = draw(strip_hosts(tree(600 * 256)), GATE)
    assert "each network" in networks.note
    assert [mark.title for mark in networks.marks][2:] == ["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16"]
    for text in (map_to_dot(subnets, 4), map_to_mermaid(subnets, 4), map_to_svg(subnets, 4)):
        assert subnets.note in "".join(text)


def test_a_map_without_end_is_cut_and_counts_what_is_missing() -> None:
    hops = [Lot(Place("10.0.0.0/24", (Step(1, f"192.0.{n >> 8}.{n & 255}"),), 2), 1, 0) for n in range(3_000)]
    drawing = draw(build_map(hops, {}), GATE)
    assert len(drawing.marks) == MOST_NODES
    assert "does not fit" in drawing.note
    rest = [mark for mark in drawing.marks if mark.kind is None]
    assert rest[0].title.startswith("and 2")


def test_text_is_a_tree() -> None:
    assert "".join(map_to_text(tree(2, "a"), GATE)) == (
        "us  2 hosts, 1 open\n"
        "`-- 192.0.2.1  a  0.50 ms  2 hosts, 1 open\n"
        "    `-- 10.0.0.0/24  2 hosts, 1 open\n"
        "        |-- 10.0.0.0  a  1.50 ms\n"
        "        `-- 10.0.0.1  a  1.50 ms  1 open\n"
    )
