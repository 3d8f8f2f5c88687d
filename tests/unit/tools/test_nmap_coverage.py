"""Which ports and addresses a scan's answer is about."""

from __future__ import annotations

import pytest

from netmon_tui.tools.nmap_coverage import AddressCoverage, PortCoverage, TargetCoverage, excluded_by


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


def test_without_a_word_about_ports_all_of_a_foreign_document_count_and_none_of_a_ping_scan() -> None:
    assert PortCoverage([], foreign=True).covers("udp", 161)
    assert not PortCoverage([]).covers("udp", 161)


def test_ranges_may_overlap() -> None:
    coverage = PortCoverage([("syn", "tcp", 1000, "1-1000"), ("syn", "tcp", 2, "5-6,1001")])
    assert all(coverage.covers("tcp", number) for number in (1, 5, 6, 7, 500, 1000, 1001))
    assert not coverage.covers("tcp", 1002)


def test_the_same_ports_in_other_words_are_the_same() -> None:
    assert PortCoverage([("syn", "tcp", 3, "1-2,3")]) == PortCoverage([("connect", "tcp", 3, "1-3")])
    assert PortCoverage([("syn", "tcp", 3, "1-3")]) != PortCoverage([("udp", "udp", 3, "1-3")])
    assert PortCoverage([]) != PortCoverage([], foreign=True)


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
    assert TargetCoverage(targets).covers(address) is covered


def test_what_is_excluded_is_not_covered() -> None:
    coverage = TargetCoverage(("10.0.0.0/24",), ("10.0.0.5", "10.0.0.16/30", "what is this?"))
    found = [n for n in range(256) if coverage.covers(f"10.0.0.{n}")]
    assert found == [n for n in range(256) if n not in (5, 16, 17, 18, 19)]


def test_many_targets_are_no_slower_than_few() -> None:
    coverage = AddressCoverage(f"10.{n}.{m}.0/25" for n in range(40) for m in range(50))
    assert sum(coverage.covers(f"10.{n}.7.{k}") for n in range(80) for k in range(256)) == 40 * 128


def test_what_a_command_excludes() -> None:
    assert excluded_by(["nmap", "-sS", "--exclude", "10.0.0.1,10.0.0.8/30", "--", "10.0.0.0/24"]) == (
        "10.0.0.1",
        "10.0.0.8/30",
    )
    assert excluded_by(["nmap", "-sS", "--", "10.0.0.0/24"]) == ()


def test_a_host_is_covered_by_the_name_it_was_asked_for() -> None:
    coverage = TargetCoverage(("Srv.example.org",))
    assert coverage.covers("10.0.0.1", "srv.example.org")
    assert not coverage.covers("10.0.0.1", "other.example.org")
