"""The map of a scan: us -> hop -> subnet -> host, put together from the routes that traces found.

A trace is foreign: hops may be missing, come twice, lead in circles or differ from host to host. The map is a
tree all the same: every hop is one node, and hangs below the hop that most routes say comes before it and that
was seen nearer to us. So no route can make a circle, however little sense it has.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from netmon_tui.domain.address import address_sort_key, packed_sort_key

FARTHEST = 64
"""Distance of the farthest hop that is believed; nmap gives up at 50."""
MOST_SUBNETS = 64
"""Subnets below one node that are listed beside each other; more are put into wider networks."""
NO_SUBNET = "other addresses"
"""Where a host goes whose address is none."""
_PREFIXES = {4: (24, 16), 6: (64, 48)}
"""Version of IP to the prefix lengths of subnets and of the networks around them."""


class NodeKind(StrEnum):
    """What a node of the map is."""

    US = "us"
    HOP = "hop"
    GAP = "gap"
    """Hops that did not answer."""
    NETWORK = "network"
    SUBNET = "subnet"
    UNTRACED = "untraced"
    """Hosts of which nobody knows the way."""
    HOST = "host"


class Step(NamedTuple):
    """A hop that answered."""

    ttl: int
    address: str


class Anchor(NamedTuple):
    """What a subnet, or a hop, hangs on."""

    hop: str
    """Address of the last hop that answered; empty for us."""
    missing: int = 0
    """How many hops behind it did not answer."""


HERE = Anchor("")
UNTRACED = Anchor("?")

GroupKey = tuple[Anchor, str]
"""Hosts that are shown together: what they hang on, and their subnet."""


class Place(NamedTuple):
    """Where a host is."""

    subnet: str
    route: tuple[Step, ...] = ()
    """Hops before it, as :func:`steps` returns them."""
    ttl: int | None = None
    """Its own distance in hops."""
    on_link: bool = False
    """Whether it is in a network of ours: its link-layer address is known, or it is at most one hop away."""

    @property
    def anchor(self) -> Anchor:
        """What it hangs on."""
        missing = max(0, min(self.ttl or 0, FARTHEST) - (self.route[-1].ttl if self.route else 0) - 1)
        if self.route:
            return Anchor(self.route[-1].address, missing)
        if self.on_link or self.ttl is None:
            return HERE if self.on_link else UNTRACED
        return Anchor("", missing)

    @property
    def group(self) -> GroupKey:
        """The hosts that it is shown with."""
        return self.anchor, self.subnet


class Lot(NamedTuple):
    """Hosts that are at the same place."""

    place: Place
    hosts: int
    open_ports: int
    """Of all of them."""


class MapHost(NamedTuple):
    """One host on the map."""

    ordinal: int
    """Key of the host within its scan."""
    address: str
    hostname: str
    lladdr: str
    vendor: str
    open_ports: int
    rtt: float | None
    """Round trip in milliseconds, as its trace says."""


class Station(NamedTuple):
    """What is known of a hop."""

    hostname: str = ""
    rtt: float | None = None
    """Round trip in milliseconds."""
    host: MapHost | None = None
    """When the hop is a host of the scan too."""
    place: Place | None = None
    """Where that host would be shown if it were no hop."""


@dataclass(slots=True, eq=False)
class MapNode:
    """A node, with all that hangs below it."""

    kind: NodeKind
    key: str
    """Identity that survives a new reading of the same scan."""
    address: str = ""
    """Of a hop, a host or a network; empty for the others."""
    name: str = ""
    rtt: float | None = None
    missing: int = 0
    """Of a gap: how many hops did not answer."""
    hosts: int = 0
    """Hosts here and below."""
    open_ports: int = 0
    """Open ports of these hosts."""
    host: MapHost | None = None
    """Of a host, and of a hop that is one."""
    group: GroupKey | None = None
    """Of a subnet: which hosts are its own."""
    children: list[MapNode] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What it is called; foreign text may stand in it."""
        if self.kind is NodeKind.GAP:
            return f"{self.missing} hop{'' if self.missing == 1 else 's'} did not answer"
        return {NodeKind.US: "us", NodeKind.UNTRACED: "not traced"}.get(self.kind, self.address)

    def walk(self) -> Iterator[MapNode]:
        """Yield this node and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def as_document(self) -> dict[str, Any]:
        """Return this node and all below it as nested dicts."""
        return {
            "kind": self.kind.value,
            "address": self.address,
            "name": self.name,
            "rtt": self.rtt,
            "missing": self.missing,
            "hosts": self.hosts,
            "open_ports": self.open_ports,
            "children": [child.as_document() for child in self.children],
        }


def steps(hops: Iterable[tuple[int, str]]) -> tuple[Step, ...]:
    """Return the hops (ttl, address) of a route by distance, each distance and each address once."""
    found: dict[str, Step] = {}
    taken: set[int] = set()
    for ttl, address in sorted(hops):
        if 0 < ttl <= FARTHEST and address and ttl not in taken and address not in found:
            taken.add(ttl)
            found[address] = Step(ttl, address)
    return tuple(found.values())


def subnet_of(packed: bytes) -> str:
    """Return the subnet of an address as ``packed_sort_key`` spells it, or of as many bytes as that needs."""
    lengths = _PREFIXES.get(packed[0] if packed else 0)
    if lengths is None:
        return NO_SUBNET
    number = int.from_bytes(packed[1:17].ljust(16, b"\0"), "big")
    if packed[0] == 4:
        return str(ipaddress.IPv4Network((number & 0xFFFFFF00, lengths[0])))
    return str(ipaddress.IPv6Network((number >> 64 << 64, lengths[0])))


def subnet_span(subnet: str) -> tuple[bytes, bytes]:
    """Return the first and the last address of a subnet as ``packed_sort_key`` spells them."""
    if subnet == NO_SUBNET:
        return b"\xff", b"\xff" * 34
    network = ipaddress.ip_network(subnet)
    return packed_sort_key(str(network[0])), packed_sort_key(str(network[-1]))


def host_node(host: MapHost) -> MapNode:
    """Return a host as a node."""
    return MapNode(
        NodeKind.HOST,
        f"host {host.ordinal}",
        host.address,
        host.hostname,
        host.rtt,
        hosts=1,
        open_ports=host.open_ports,
        host=host,
    )


def hop_addresses(lots: Iterable[Lot]) -> set[str]:
    """Return the addresses of all hops."""
    return {step.address for lot in lots for step in lot.place.route}


def build_map(lots: Sequence[Lot], stations: Mapping[str, Station]) -> MapNode:
    """Return the tree of a scan, without its hosts.

    Args:
        lots: Where they are, and how many.
        stations: What is known of hops, by address. A hop that is a host is taken out of its lot.
    """
    builder = _Builder(lots, stations)
    for group, (hosts, open_ports) in _counted(lots, stations).items():
        anchor, subnet = group
        node = MapNode(NodeKind.SUBNET, f"subnet {subnet} on {anchor.hop}+{anchor.missing}", subnet)
        node.hosts, node.open_ports, node.group = hosts, open_ports, group
        builder.node_of(anchor).children.append(node)
    builder.hang_hops()
    _finish(builder.us)
    return builder.us


def _counted(lots: Iterable[Lot], stations: Mapping[str, Station]) -> dict[GroupKey, tuple[int, int]]:
    """Return groups with their hosts and open ports, those left out that are hops."""
    hosts: Counter[GroupKey] = Counter()
    open_ports: Counter[GroupKey] = Counter()
    for lot in lots:
        hosts[lot.place.group] += lot.hosts
        open_ports[lot.place.group] += lot.open_ports
    for station in stations.values():
        if station.host is not None and station.place is not None:
            hosts[station.place.group] -= 1
            open_ports[station.place.group] -= station.host.open_ports
    return {group: (count, open_ports[group]) for group, count in hosts.items() if count > 0}


class _Builder:
    """Makes hops and gaps, and hangs each on what most routes have before it."""

    def __init__(self, lots: Iterable[Lot], stations: Mapping[str, Station]) -> None:
        self.us = MapNode(NodeKind.US, "us")
        self._stations = stations
        self._nodes: dict[Anchor, MapNode] = {HERE: self.us}
        self._nearest: dict[str, int] = {}
        """Address of a hop to its smallest distance."""
        self._before: dict[str, Counter[Anchor]] = {}
        for lot in lots:
            self._learn(lot)

    def _learn(self, lot: Lot) -> None:
        before = Step(0, "")
        for step in lot.place.route:
            self._nearest[step.address] = min(step.ttl, self._nearest.get(step.address, step.ttl))
            anchor = Anchor(before.address, step.ttl - before.ttl - 1)
            self._before.setdefault(step.address, Counter())[anchor] += lot.hosts
            before = step

    def node_of(self, anchor: Anchor) -> MapNode:
        """Return the node for hosts or hops that hang there."""
        found = self._nodes.get(anchor)
        if found is None:
            found = self._nodes[anchor] = self._make(anchor)
        return found

    def hang_hops(self) -> None:
        """Hang every hop on its parent."""
        for address in self._nearest:
            self.node_of(self._parent(address)).children.append(self.node_of(Anchor(address)))

    def _parent(self, address: str) -> Anchor:
        """Return what most routes have before a hop, of what is nearer to us than it is."""
        nearest = self._nearest[address]
        nearer = [
            (-weight, anchor)
            for anchor, weight in self._before[address].items()
            if not anchor.hop or self._nearest[anchor.hop] < nearest
        ]
        return min(nearer)[1] if nearer else Anchor("", nearest - 1)

    def _make(self, anchor: Anchor) -> MapNode:
        if anchor == UNTRACED:
            node = MapNode(NodeKind.UNTRACED, "untraced")
            self.us.children.append(node)
            return node
        if anchor.missing:
            node = MapNode(NodeKind.GAP, f"gap {anchor.hop}+{anchor.missing}", missing=anchor.missing)
            self.node_of(Anchor(anchor.hop)).children.append(node)
            return node
        station = self._stations.get(anchor.hop, Station())
        host = station.host
        return MapNode(
            NodeKind.HOP,
            f"hop {anchor.hop}",
            anchor.hop,
            station.hostname or (host.hostname if host else ""),
            station.rtt,
            hosts=int(host is not None),
            open_ports=host.open_ports if host else 0,
            host=host,
        )


def _finish(node: MapNode) -> None:
    """Put subnets into networks, children in order, and counts together, from the leaves up."""
    subnets = sum(child.kind is NodeKind.SUBNET for child in node.children)
    if subnets > MOST_SUBNETS and node.kind is not NodeKind.NETWORK:
        node.children = _in_networks(node)
    for child in node.children:
        _finish(child)
        node.hosts += child.hosts
        node.open_ports += child.open_ports
    node.children.sort(key=_order)


def _in_networks(node: MapNode) -> list[MapNode]:
    networks: dict[str, MapNode] = {}
    others: list[MapNode] = []
    for child in node.children:
        if child.kind is not NodeKind.SUBNET or child.address == NO_SUBNET:
            others.append(child)
            continue
        subnet = ipaddress.ip_network(child.address)
        wider = str(subnet.supernet(new_prefix=_PREFIXES[subnet.version][1]))
        if wider not in networks:
            networks[wider] = MapNode(NodeKind.NETWORK, f"network {wider} of {node.key}", wider)
        networks[wider].children.append(child)
    return [*others, *networks.values()]


_RANKS = {NodeKind.GAP: 1, NodeKind.NETWORK: 2, NodeKind.SUBNET: 2, NodeKind.UNTRACED: 3}


def _order(node: MapNode) -> tuple[int, int, tuple[int, int, str]]:
    """Sort hops before gaps before networks, what was not traced last; each by address."""
    address = node.address.partition("/")[0]
    return _RANKS.get(node.kind, 0), node.missing, address_sort_key(address)


def narrowed(
    node: MapNode, text: str, hosts: Mapping[GroupKey, Sequence[object]], ordinals: Collection[int]
) -> MapNode | None:
    """Return the part of a tree that leads to what was found; None when nothing was.

    Args:
        node: The tree.
        text: What a hop's or a network's own words must contain to be found; empty for hosts alone.
        hosts: The hosts that were found, by group.
        ordinals: Keys of those of them that are hops.
    """
    parts = [narrowed(child, text, hosts, ordinals) for child in node.children]
    kept = [part for part in parts if part is not None]
    own = len(hosts.get(node.group, ())) if node.group else 0
    words = f"{node.address} {node.name}".casefold()
    station = node.host is not None and node.host.ordinal in ordinals
    if not (kept or own or station or (text and text.casefold() in words)):
        return None
    found = MapNode(node.kind, node.key, node.address, node.name, node.rtt, node.missing)
    found.hosts, found.open_ports = node.hosts, node.open_ports
    found.host, found.group, found.children = node.host, node.group, kept
    return found
