"""Which network a sweep is in, and whom it asks in one that is too wide to be counted through."""

from __future__ import annotations

import ipaddress

import pytest

from netmon_tui.domain.address import eui64_address
from netmon_tui.domain.sweep import LocalNetwork
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_targets import parse_target
from netmon_tui.tools.sweep_targets import Known, extent_of, fitting, only_network, worth_asking, zoned


def local(text: str, interface: str = "eth0") -> LocalNetwork:
    return LocalNetwork(interface, ipaddress.ip_network(text))


OFFICE, ANNEX, GLOBAL = local("10.77.0.0/24"), local("10.88.0.0/16", "eth1"), local("fd77::/64")
LINK, LINK_TOO = local("fe80::/64"), local("fe80::/64", "eth1")
ALL = [OFFICE, ANNEX, GLOBAL, LINK, LINK_TOO]


def fits(text: str, interface: str = "") -> list[LocalNetwork]:
    return fitting(ALL, parse_target(text), interface)


@pytest.mark.parametrize(
    ("text", "interface", "found"),
    [
        ("10.77.0.0/24", "", OFFICE),
        ("10.77.0.7", "", OFFICE),
        ("10.77.0.10-20", "", OFFICE),
        ("10.88.0-255.1-254", "", ANNEX),
        ("fd77::10/124", "", GLOBAL),
        ("fe80::/64", "eth1", LINK_TOO),
        ("fe80::%eth1/64", "", LINK_TOO),
        ("fe80::1%eth0", "eth0", LINK),
    ],
)
def test_a_network_is_found_by_its_addresses(text: str, interface: str, found: LocalNetwork) -> None:
    assert fits(text, interface) == [found]


@pytest.mark.parametrize(
    ("text", "interface", "words"),
    [
        ("10.77.0.0/23", "", "not in a local network"),
        ("10.76-77.0.1", "", "not in a local network"),
        ("192.0.2.0/24", "", "ARP and ND do not leave the segment"),
        ("10.77.0.0/24", "eth1", "not in a local network of eth1"),
        ("10.77.0.0/24", "eth9", "local are: none"),
        ("fe80::/64", "", "name one: eth0, eth1"),
        ("fe80::1%eth0", "eth1", "is not on eth1"),
        ("fd77::/63", "", "not in a local network"),
        ("printer.example", "", "is a name"),
    ],
)
def test_what_is_not_on_a_segment_is_refused_in_words(text: str, interface: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        fits(text, interface)
    assert words in str(refused.value)


def test_without_a_network_there_must_be_one_alone() -> None:
    assert only_network([OFFICE, GLOBAL], "") == OFFICE
    assert only_network([OFFICE, ANNEX], "eth1") == ANNEX
    with pytest.raises(InvalidInput, match=r"10\.77\.0\.0/24 \(eth0\), 10\.88\.0\.0/16 \(eth1\)"):
        only_network([OFFICE, ANNEX], "")
    with pytest.raises(InvalidInput, match="no local IPv4 network of eth2"):
        only_network([OFFICE, ANNEX], "eth2")


def test_a_link_local_network_is_written_with_its_zone() -> None:
    assert LINK_TOO.text == "fe80::%eth1/64"
    assert parse_target(LINK_TOO.text).text == LINK_TOO.text
    assert zoned("fe80::1", "eth0") == "fe80::1%eth0"
    assert zoned("fe80::/64", "eth0") == "fe80::%eth0/64"
    for as_it_is in ("fe80::1%eth1", "fd77::1", "10.77.0.10-20", "10.77.0.0/24", "printer.example"):
        assert zoned(as_it_is, "eth0") == as_it_is


@pytest.mark.parametrize(
    ("network", "lladdr", "address"),
    [
        ("fe80::/64", "b8:27:eb:00:00:10", "fe80::ba27:ebff:fe00:10"),
        ("2001:db8:1:2::/64", "02-00-5E-10-00-52", "2001:db8:1:2:0:5eff:fe10:52"),
        ("fd77::/63", "b8:27:eb:00:00:10", None),
        ("10.77.0.0/24", "b8:27:eb:00:00:10", None),
        ("fe80::/64", "01:00:5e:00:00:01", None),
        ("fe80::/64", "00:00:00:00:00:00", None),
        ("fe80::/64", "80:00:02:08:fe:80:00:00", None),
    ],
)
def test_an_lladdr_tells_an_address(network: str, lladdr: str, address: str | None) -> None:
    assert eui64_address(ipaddress.ip_network(network), lladdr) == address


KNOWN = (
    Known("eth0", "10.77.0.10", "b8:27:eb:00:00:10"),
    Known("eth0", "fe80::5", "b8:27:eb:00:00:11"),
    Known("eth0", "fd77::5", "b8:27:eb:00:00:11"),
    Known("eth1", "10.88.0.1", "b8:27:eb:00:00:99"),
    Known("eth0", "fe80::5", "b8:27:eb:00:00:11"),
)


def asked(text: str, spared: str = "") -> list[str]:
    return worth_asking(LINK, extent_of(parse_target(text)), KNOWN, lambda address: address == spared)


def test_those_are_asked_that_are_known_or_follow_from_lladdrs_of_the_segment() -> None:
    assert asked("fe80::/64") == [
        "fe80::5%eth0",
        "fe80::ba27:ebff:fe00:10%eth0",
        "fe80::ba27:ebff:fe00:11%eth0",
    ]
    assert asked("fe80::/112") == ["fe80::5%eth0"]


def test_a_device_with_an_address_that_is_never_scanned_is_not_asked_by_another() -> None:
    assert asked("fe80::/64", "10.77.0.10") == ["fe80::5%eth0", "fe80::ba27:ebff:fe00:11%eth0"]
    assert asked("fe80::/64", "fd77::5") == ["fe80::ba27:ebff:fe00:10%eth0"]
    assert asked("fe80::/64", "fe80::ba27:ebff:fe00:10") == ["fe80::5%eth0", "fe80::ba27:ebff:fe00:11%eth0"]
