"""Which ports and addresses a scan's answer is about."""

from __future__ import annotations

import pytest

from netmon_tui.tools.nmap_coverage import AddressCoverage, PortCoverage


@pytest.mark.parametrize(
    ("protocol", "number", "covered"),
    [
        ("tcp", 1, True), ("tcp", 500, True), ("tcp", 1000, True), ("tcp", 1001, False), ("tcp", 0, False),
        ("tcp", 8080, True), ("tcp", 8079, False), ("tcp", 65_535, True), ("udp", 53, True), ("udp", 80, False),
        ("sctp", 80, False),
    ],
)  # fmt: skip
def test_ports(protocol: str, number: int, covered: bool) -> None:
    coverage = PortCoverage([("syn", "tcp", 1002, "8080,1-1000,65535"), ("udp", "udp", 1, "53")])
    assert coverage.covers(protocol, number) is covered


def test_without_a_word_about_ports_all_count() -> None:
    assert PortCoverage([]).covers("udp", 161)


def test_words_that_are_no_ports_are_passed_over() -> None:
    coverage = PortCoverage([("syn", "tcp", 1, "http,22-x,-5,443")])
    assert [number for number in (5, 22, 80, 443) if coverage.covers("tcp", number)] == [443]


@pytest.mark.parametrize(
    ("targets", "address", "covered"),
    [
        (("10.0.0.0/30",), "10.0.0.3", True),
        (("10.0.0.0/30",), "10.0.0.4", False),
        (("10.0.0.7",), "10.0.0.7", True),
        (("10.0.0.7",), "10.0.0.8", False),
        (("10.0.0-1.5-9",), "10.0.1.7", True),
        (("10.0.0-1.5-9",), "10.0.2.7", False),
        (("10.0.0-1.5-9",), "10.0.1.4", False),
        (("fd00::/64",), "fd00::1", True),
        (("fd00::/64",), "fd00:0:0:1::1", False),
        (("fe80::1%eth0",), "fe80::1", True),
        (("srv.example.org",), "10.0.0.1", False),
        (("10.0.0.1", "10.1.0.0/16"), "10.1.2.3", True),
        ((), "203.0.113.9", True),  # an imported document names no targets
        (("what is this?",), "203.0.113.9", True),
    ],
)
def test_addresses(targets: tuple[str, ...], address: str, covered: bool) -> None:
    assert AddressCoverage(targets).covers(address) is covered


def test_a_host_is_covered_by_the_name_it_was_asked_for() -> None:
    coverage = AddressCoverage(("Srv.example.org",))
    assert coverage.covers("10.0.0.1", "srv.example.org")
    assert not coverage.covers("10.0.0.1", "other.example.org")
