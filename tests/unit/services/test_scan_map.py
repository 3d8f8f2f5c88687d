"""The map of a stored scan: read by parts, searched, refused, written."""

from __future__ import annotations

from pathlib import Path

import pytest

from netmon_tui.domain.host import Hop, Host, HostAddress, Port
from netmon_tui.domain.topology import MapNode, NodeKind
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.services.container import Services
from netmon_tui.storage.scan_results import ScanResults
from tests.unit.services import made_scans

GW, FAR = "192.0.2.1", "198.51.100.9"


def host(
    address: str, *hops: tuple[int, str], lladdr: str = "", status: str = "up", **values: object
) -> Host:
    hardware = (HostAddress(lladdr, "mac"),) if lladdr else ()
    return Host(
        address,
        status=status,
        addresses=(HostAddress(address, "ipv4"), *hardware),
        ports=(Port(22, "tcp", "open"),),
        hops=tuple(Hop(ttl, hop, f"r{ttl}.example", ttl / 2) for ttl, hop in hops),
        **values,  # type: ignore[arg-type]
    )


HOSTS = (
    host(GW, (1, GW), lladdr="02:00:00:00:00:01", hostnames=(("gw", "PTR"),)),
    host("192.0.2.7", (1, "192.0.2.7"), lladdr="02:00:00:00:00:07"),
    host("192.0.2.8", lladdr="02:00:00:00:00:08"),
    host("203.0.113.5", (1, GW), (4, "203.0.113.5"), hostnames=(("srv.example", "PTR"),)),
    host("203.0.113.6", (1, GW), (2, FAR)),
    host("203.0.113.7", (1, GW), (2, FAR), distance=4),
    host("203.0.113.8", distance=3),
    host("203.0.113.9", (1, GW), (2, FAR), status="down"),
    host("2001:db8::5", (1, GW), (2, "2001:db8::5")),
)
MAP = """\
us 8
  192.0.2.1 r1.example 0.5 5
    198.51.100.9 r2.example 1.0 2
      1 hop did not answer 1
        203.0.113.0/24 1
      203.0.113.0/24 1
    2 hops did not answer 1
      203.0.113.0/24 1
    2001:db8::/64 1
  192.0.2.0/24 2
  not traced 1
    203.0.113.0/24 1"""


class Store:
    """Services with an administrator and one scan."""

    def __init__(self, services: Services, ada: Actor) -> None:
        self.services, self.ada, self.maps = services, ada, services.maps
        repository = services.transfers._scans
        self.scan = repository.create(ada, targets=(), profile="", arguments="", jobs=services.paths.jobs)
        ScanResults(services.database).store(self.scan, enumerate(HOSTS))


@pytest.fixture
def store(store: made_scans.Store) -> Store:
    return Store(store.services, store.ada)


def lines(node: MapNode, depth: int = 0) -> list[str]:
    words = [node.label, node.name, "" if node.rtt is None else str(node.rtt), str(node.hosts)]
    own = "  " * depth + " ".join(filter(None, words))
    return [own, *(line for child in node.children for line in lines(child, depth + 1))]


async def test_hosts_are_where_their_routes_end(store: Store) -> None:
    root = await store.maps.read(store.ada, store.scan)
    assert "\n".join(lines(root)) == MAP, "the gateway is counted once, as the hop that it is"
    assert root.open_ports == 8


async def test_the_hosts_of_each_part_are_those_that_were_counted(store: Store) -> None:
    root = await store.maps.read(store.ada, store.scan)
    seen: list[str] = []
    for node in root.walk():
        if node.group is not None:
            members = await store.maps.members(store.ada, store.scan, root, node.group)
            assert len(members) == node.hosts, node.key
            seen += [one.address for one in await store.maps.hosts(store.ada, store.scan, members)]
        elif node.host is not None:
            seen.append(node.host.address)
    assert sorted(seen) == sorted(one.address for one in HOSTS if one.status == "up")


async def test_a_search_leads_to_hosts_and_hops(store: Store) -> None:
    root = await store.maps.read(store.ada, store.scan)
    found = await store.maps.find(store.ada, store.scan, root, "srv.ex")
    assert found.root is not None
    assert [node.label for node in found.root.walk()] == ["us", GW, "2 hops did not answer", "203.0.113.0/24"]
    assert [list(ordinals) for ordinals in found.members.values()] == [[3]]
    hop = await store.maps.find(store.ada, store.scan, root, FAR)
    assert hop.root is not None
    assert [node.label for node in hop.root.walk()] == ["us", GW, FAR]
    gateway = await store.maps.find(store.ada, store.scan, root, "02:00:00:00:00:01")
    assert gateway.root is not None
    assert [node.label for node in gateway.root.walk()] == ["us", GW]
    nothing = await store.maps.find(store.ada, store.scan, root, "no such text")
    assert (nothing.root, nothing.members) == (None, {})


async def test_a_map_is_the_owners_alone(store: Store) -> None:
    stranger = Actor(99, "eve", Role.OPERATOR)
    root = await store.maps.read(store.ada, store.scan)
    group = next(node.group for node in root.walk() if node.group)
    for call in (
        store.maps.read(stranger, store.scan),
        store.maps.whole(stranger, store.scan),
        store.maps.text(stranger, store.scan),
        store.maps.members(stranger, store.scan, root, group),
        store.maps.hosts(stranger, store.scan, [0]),
        store.maps.find(stranger, store.scan, root, "1"),
        store.services.transfers.map_chunks(stranger, store.scan, "svg"),
    ):
        with pytest.raises(NotFound):
            await call


async def test_a_map_is_written_once_and_noted(store: Store, tmp_path: Path) -> None:
    transfers = store.services.transfers
    path = await transfers.export_map(store.ada, store.scan, "dot", tmp_path / "map.dot")
    assert path.read_text().startswith("digraph")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidInput, match="exists"):
        await transfers.export_map(store.ada, store.scan, "svg", path)
    with pytest.raises(InvalidInput, match="no format"):
        await transfers.export_map(store.ada, store.scan, "png", tmp_path / "map.png")
    assert [one.name for one in tmp_path.glob("*.png")] + [one.name for one in tmp_path.glob("*.part")] == []
    trail = await store.services.activity.audit(store.ada)
    assert any(event.action == "scan.export" and event.detail == "map as dot" for event in trail)


async def test_the_whole_map_has_every_host(store: Store) -> None:
    root = await store.maps.whole(store.ada, store.scan)
    hosts = [node.address for node in root.walk() if node.kind is NodeKind.HOST]
    assert sorted([*hosts, GW]) == sorted(one.address for one in HOSTS if one.status == "up")
    assert root.as_document()["hosts"] == 8
