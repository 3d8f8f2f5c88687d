"""The map of a scan: who is behind which hop. Read by the parts that are looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from netmon_tui.domain.topology import GroupKey, MapHost, MapNode, NodeKind, build_map, host_node, narrowed
from netmon_tui.domain.user import Actor
from netmon_tui.security.hostile_text import clean
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.topology_queries import TopologyQueries
from netmon_tui.tools.map_dot import map_to_dot
from netmon_tui.tools.map_drawing import MOST_NODES, draw
from netmon_tui.tools.map_mermaid import map_to_mermaid
from netmon_tui.tools.map_svg import map_to_svg
from netmon_tui.tools.map_text import map_to_text

MOST_FOUND = 2_000
"""Hosts that a search of the map finds; who finds more searches on."""

_GATE = partial(clean, limit=60)
"""A longer label is no label."""


class FoundPart(NamedTuple):
    """What a search of the map found."""

    root: MapNode | None
    """The part of the tree that leads there; None when nothing was found."""
    members: dict[GroupKey, Sequence[int]]
    """Ordinals of the hosts that were found, by group."""
    is_cut: bool
    """Whether there are more."""


class MapService:
    """The map of scans. Every call takes the actor and refuses what is not theirs."""

    def __init__(self, *, scans: ScanRepository, queries: TopologyQueries) -> None:
        self._scans = scans
        self._queries = queries

    async def read(self, actor: Actor, scan_id: int) -> MapNode:
        """Return the tree of a scan down to its subnets; the hosts in them are only counted."""
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        return await asyncio.to_thread(read_map, self._queries, scan_id)

    async def whole(self, actor: Actor, scan_id: int) -> MapNode:
        """Return the tree of a scan with all its hosts."""
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        return await asyncio.to_thread(whole_map, self._queries, scan_id)

    async def text(self, actor: Actor, scan_id: int) -> Iterator[bytes]:
        """Return the tree of a scan with all its hosts as lines of text."""
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        return await asyncio.to_thread(map_chunks, self._queries, scan_id, "tree")

    async def members(self, actor: Actor, scan_id: int, root: MapNode, group: GroupKey) -> list[int]:
        """Return the ordinals of a subnet's hosts, by address; ``root`` is what :meth:`read` returned."""
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        return await asyncio.to_thread(_members, self._queries, scan_id, group, _stations(root))

    async def hosts(self, actor: Actor, scan_id: int, ordinals: Sequence[int]) -> list[MapHost]:
        """Return hosts by their ordinals, in that order; those that are gone are left out."""
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        return await asyncio.to_thread(self._queries.hosts, scan_id, ordinals)

    async def find(self, actor: Actor, scan_id: int, root: MapNode, text: str) -> FoundPart:
        """Return the part of a tree that leads to what contains a text; ``!`` in front inverts.

        Hosts are found by address, name, vendor and lladdr, hops and networks by address and name; what does not
        contain a text can only be hosts.
        """
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        return await asyncio.to_thread(self._find, scan_id, root, text)

    def _find(self, scan_id: int, root: MapNode, text: str) -> FoundPart:
        stations, on_hops = _stations(root), set()
        members: dict[GroupKey, list[int]] = {}
        found = list(self._queries.matching(scan_id, text, MOST_FOUND))
        for ordinal, address, place in found:
            if address in stations:
                on_hops.add(ordinal)
            else:
                members.setdefault(place.group, []).append(ordinal)
        words = "" if text.startswith("!") else text
        part = narrowed(root, words, members, on_hops)
        return FoundPart(part, dict(members), len(found) == MOST_FOUND)


def read_map(queries: TopologyQueries, scan_id: int) -> MapNode:
    """Return the tree of a scan down to its subnets (blocking)."""
    lots, examples = queries.lots(scan_id)
    return build_map(lots, queries.stations(scan_id, lots, examples))


def whole_map(queries: TopologyQueries, scan_id: int, most: int | None = None) -> MapNode:
    """Return the tree of a scan with its hosts, or without any when there are more than ``most`` (blocking)."""
    root = read_map(queries, scan_id)
    if most is None or root.hosts <= most:
        stations = _stations(root)
        for node in [node for node in root.walk() if node.group is not None]:
            assert node.group is not None
            members = _members(queries, scan_id, node.group, stations)
            node.children += map(host_node, queries.hosts(scan_id, members))
    return root


def map_chunks(queries: TopologyQueries, scan_id: int, format: str) -> Iterator[bytes]:
    """Return the map of a scan in one of `MAP_FORMATS` (blocking)."""
    if format == "tree":
        return (line.encode() for line in map_to_text(whole_map(queries, scan_id), _GATE))
    writers = {"svg": map_to_svg, "dot": map_to_dot, "mermaid": map_to_mermaid}
    root = whole_map(queries, scan_id, MOST_NODES)
    return (text.encode() for text in writers[format](draw(root, _GATE), scan_id))


def _members(queries: TopologyQueries, scan_id: int, group: GroupKey, stations: frozenset[str]) -> list[int]:
    return [
        ordinal
        for ordinal, address, place in queries.within(scan_id, group[1])
        if place.group == group and address not in stations
    ]


def _stations(root: MapNode) -> frozenset[str]:
    """Return the addresses of hosts that are on the map as hops."""
    return frozenset(node.address for node in root.walk() if node.kind is NodeKind.HOP)
