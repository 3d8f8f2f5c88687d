"""Where a scan saw a neighbour, and which scans tell of neighbours at all."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Interface, InterfaceAddress
from netmon_tui.domain.sweep import LocalNetwork
from netmon_tui.runtime import interfaces
from netmon_tui.services.neighbour_sightings import NeighbourSightings, Segments
from netmon_tui.services.sweeping import networks_of
from netmon_tui.storage.neighbour_queries import NeighbourQueries, SweptScan
from netmon_tui.storage.neighbour_repository import NeighbourRepository
from tests.unit.services.made_scans import Store, host

PI = "b8:27:eb:00:00:10"
ENDED = datetime(2026, 11, 1, 12, tzinfo=UTC)
LOCAL = Interface("eth0", "00:1b:21:00:00:01", (InterfaceAddress("10.0.0.1", 24, Family.IPV4),))


def network(text: str, interface: str = "eth0") -> LocalNetwork:
    return LocalNetwork(interface, ipaddress.ip_network(text))


BOTH = [
    network("10.0.0.0/24"),
    network("10.0.0.0/24", "wlan0"),
    network("10.1.0.0/24", "wlan0"),
    network("fe80::/64"),
    network("fe80::/64", "wlan0"),
]


def where(address: str, arguments: str = "", targets: tuple[str, ...] = ()) -> str:
    return Segments(BOTH, SweptScan(False, targets, arguments, ENDED)).interface_of(address)


@pytest.mark.parametrize(
    ("address", "arguments", "targets", "interface"),
    [
        ("10.1.0.7", "", (), "wlan0"),
        ("10.0.0.7", "", (), "eth0"),
        ("10.0.0.7", "-sn -e wlan0", (), "wlan0"),
        ("10.2.0.7", "", (), ""),
        ("10.1.0.7", "-sn -e eth0", (), ""),
        ("fe80::7", "", (), ""),
        ("fe80::7", "", ("fe80::8%eth0", "fe80::7%wlan0"), "wlan0"),
        ("fe80::7", "-sn -n -e eth0", (), "eth0"),
        ("fe80::7", "--of-another-version", ("FE80:0::7%eth0",), "eth0"),
        ("no address", "", (), ""),
    ],
)
def test_an_address_is_where_its_network_is(
    address: str, arguments: str, targets: tuple[str, ...], interface: str
) -> None:
    assert where(address, arguments, targets) == interface


def test_only_interfaces_that_have_neighbours_count() -> None:
    def one(name: str, lladdr: str = PI, **more: Any) -> Interface:
        prefix = more.pop("prefix", 24)
        return Interface(name, lladdr, (InterfaceAddress("10.0.0.1", prefix, Family.IPV4),), **more)

    found = [
        one("eth0"),
        one("lo", loopback=True),
        one("tun0", ""),
        one("eth1", up=False),
        one("vip", prefix=32),
    ]
    assert [(local.interface, local.text) for local in networks_of(found)] == [("eth0", "10.0.0.0/24")]


@pytest.fixture
def note(store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Note a scan on a machine in 10.0.0.0/24; what is remembered after it."""
    monkeypatch.setattr(interfaces, "list_interfaces", lambda: [LOCAL])
    memory = NeighbourRepository(store.services.database)
    sightings = NeighbourSightings(NeighbourQueries(store.services.database), memory)

    def work(*hosts: Any, **values: Any) -> dict[tuple[str, str], tuple[str, datetime]]:
        sightings.note(store.scan(hosts, **{"finished": ENDED} | values))
        return {key: (known.lladdr, known.last_seen) for key, known in memory.remembered().items()}

    return work


def found(address: str, reason: str = "arp-response", lladdr: str = PI, **values: Any) -> Any:
    return host(address, lladdr=lladdr, reason=reason, **values)


def test_what_answered_is_remembered_with_the_time_of_its_answer(note: Any) -> None:
    early = (ENDED - timedelta(hours=3)).timestamp()
    late = (ENDED + timedelta(hours=3)).timestamp()
    assert note(found("10.0.0.5"), found("10.0.0.6", started=early), found("10.0.0.7", started=late)) == {
        ("eth0", "10.0.0.5"): (PI, ENDED),
        ("eth0", "10.0.0.6"): (PI, ENDED - timedelta(hours=3)),
        ("eth0", "10.0.0.7"): (PI, ENDED),
    }


@pytest.mark.parametrize(
    "seen",
    [
        found("10.0.0.5", "echo-reply"),
        found("10.0.0.5", "localhost-response"),
        found("10.0.0.5", lladdr=""),
        found("192.0.2.5"),
    ],
    ids=["a router's lladdr", "ourselves", "no lladdr", "not local"],
)
def test_what_does_not_say_whose_lladdr_it_is_does_not_count(note: Any, seen: Any) -> None:
    assert note(seen) == {}


def test_an_import_tells_nothing_of_this_segment(note: Any) -> None:
    assert note(found("10.0.0.5"), imported=True) == {}


def test_more_than_one_transaction(note: Any) -> None:
    many = [
        found(f"10.0.0.{n}", lladdr=f"b8:27:eb:00:{k:02x}:{n:02x}") for k in range(9) for n in range(1, 255)
    ]
    assert len(note(*many)) == 254
