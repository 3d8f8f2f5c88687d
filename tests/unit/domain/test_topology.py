"""The map of a scan, from routes as they are and as they should not be."""

from __future__ import annotations

import json
import random

import pytest

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.topology import (
    FARTHEST,
    MOST_SUBNETS,
    NO_SUBNET,
    Lot,
    MapHost,
    MapNode,
    NodeKind,
    Place,
    Station,
    Step,
    build_map,
    narrowed,
    steps,
    subnet_of,
    subnet_span,
)

A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.3"


def lot(
    subnet: str, *hops: tuple[int, str], ttl: int | None = None, near: bool = False, hosts: int = 1
) -> Lot:
    return Lot(Place(subnet, steps(hops), ttl, near), hosts, 2 * hosts)


def lines(root: MapNode, depth: int = 0) -> list[str]:
    """The tree as indented text."""
    own = f"{'  ' * depth}{root.label} {root.hosts}"
    return [own, *(line for child in root.children for line in lines(child, depth + 1))]


def test_hops_that_routes_share_are_one_node() -> None:
    root = build_map(
        [
            lot("10.0.1.0/24", (1, A), (2, B), ttl=3, hosts=3),
            lot("10.0.2.0/24", (1, A), (2, B), ttl=3),
            lot("10.0.3.0/24", (1, A), (2, C), ttl=3),
        ],
        {},
    )
    assert lines(root) == [
        "us 5",
        f"  {A} 5",
        f"    {B} 4",
        "      10.0.1.0/24 3",
        "      10.0.2.0/24 1",
        f"    {C} 1",
        "      10.0.3.0/24 1",
    ]
    assert root.open_ports == 10


def test_hops_that_did_not_answer_are_gaps() -> None:
    routes = [
        lot("10.0.1.0/24", (2, A), (5, B), ttl=7),
        lot("10.0.2.0/24", ttl=3),
        lot("10.0.3.0/24", (2, A)),
    ]
    assert lines(build_map(routes, {})) == [
        "us 3",
        "  1 hop did not answer 2",
        f"    {A} 2",
        "      2 hops did not answer 1",
        f"        {B} 1",
        "          1 hop did not answer 1",
        "            10.0.1.0/24 1",
        "      10.0.3.0/24 1",
        "  2 hops did not answer 1",
        "    10.0.2.0/24 1",
    ]


def test_what_is_near_hangs_at_us_and_what_nobody_traced_stands_apart() -> None:
    routes = [
        lot("10.0.1.0/24", near=True),
        lot("10.0.2.0/24", near=False),
        lot("10.0.3.0/24", ttl=1, near=True),
    ]
    assert lines(build_map(routes, {})) == [
        "us 3",
        "  10.0.1.0/24 1",
        "  10.0.3.0/24 1",
        "  not traced 1",
        "    10.0.2.0/24 1",
    ]


def test_a_host_that_is_a_hop_of_others_is_one_node() -> None:
    router = MapHost(7, A, "gw", "", "", 4, 0.5)
    routes = [lot("192.0.2.0/24", near=True, hosts=2), lot("10.0.1.0/24", (1, A), ttl=2)]
    stations = {A: Station("", 0.5, router, Place("192.0.2.0/24", (), 1, True))}
    root = build_map(routes, stations)
    assert lines(root) == ["us 3", f"  {A} 2", "    10.0.1.0/24 1", "  192.0.2.0/24 1"]
    assert root.children[0].host == router
    assert root.children[0].name == "gw"


@pytest.mark.parametrize(
    "hops",
    [
        ((1, A), (2, B), (3, A), (4, B)),
        ((1, A), (1, B), (1, C)),
        ((0, A), (-5, B), (9_999_999, C)),
        ((3, A), (3, A), (2, A)),
    ],
)
def test_nonsense_makes_a_tree_all_the_same(hops: tuple[tuple[int, str], ...]) -> None:
    root = build_map([lot("10.0.1.0/24", *hops, ttl=2), lot("10.0.1.0/24", *hops[::-1], ttl=-4)], {})
    assert root.hosts == 2
    keys = [node.key for node in root.walk()]
    assert len(keys) == len(set(keys))


def test_routes_in_circles_cannot_hang_it() -> None:
    chance = random.Random(20)
    hops = [f"192.0.2.{number}" for number in range(200)]
    routes = [
        lot("10.0.1.0/24", *((ttl, chance.choice(hops)) for ttl in range(1, 80)), ttl=90) for _ in range(500)
    ]
    root = build_map(routes, {})
    nodes = list(root.walk())
    assert root.hosts == 500
    assert len({id(node) for node in nodes}) == len(nodes)
    assert max(len(line) - len(line.lstrip()) for line in lines(root)) <= 2 * (2 * FARTHEST + 4)
    json.dumps(root.as_document(), indent=2)


def test_many_subnets_are_put_into_networks() -> None:
    few = [lot(f"10.0.{number}.0/24", near=True) for number in range(MOST_SUBNETS)]
    assert len(build_map(few, {}).children) == MOST_SUBNETS
    more = [*few, lot("10.1.0.0/24", near=True), lot("2001:db8::/64", near=True)]
    root = build_map(more, {})
    assert [(child.label, child.hosts) for child in root.children] == [
        ("10.0.0.0/16", MOST_SUBNETS),
        ("10.1.0.0/16", 1),
        ("2001:db8::/48", 1),
    ]


@pytest.mark.parametrize(
    ("address", "subnet"),
    [
        ("10.1.2.3", "10.1.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense", NO_SUBNET),
    ],
)
def test_every_address_has_a_subnet_that_contains_it(address: str, subnet: str) -> None:
    packed = packed_sort_key(address)
    assert subnet_of(packed) == subnet_of(packed[:16]) == subnet
    first, last = subnet_span(subnet)
    assert first <= packed <= last


def test_the_part_that_leads_to_what_was_found() -> None:
    root = build_map([lot("10.0.1.0/24", (1, A), ttl=2, hosts=9), lot("10.0.2.0/24", (1, B), ttl=2)], {})
    group = Place("10.0.1.0/24", (Step(1, A),), 2).group
    part = narrowed(root, "", {group: [4]}, ())
    assert part is not None
    assert lines(part) == ["us 10", f"  {A} 9", "    10.0.1.0/24 9"]
    by_word = narrowed(root, "192.0.2.2", {}, ())
    assert by_word is not None
    assert [node.kind for node in by_word.walk()] == [NodeKind.US, NodeKind.HOP]
    assert narrowed(root, "", {}, ()) is None
