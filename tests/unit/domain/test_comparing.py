"""What counts as a change between two scans, and which host is which."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.comparing import HostHead, HostKeys, compare_facts, compare_ports, match_hosts
from netmon_tui.domain.comparison import Change, PortFacts, Severity

SSH = PortFacts("open", "ssh", "OpenSSH", "9.2p1", "", "", True)
HTTP = PortFacts("open", "http", "nginx", "1.22.1", "", "", True)
CLOSED = PortFacts("closed", "http")


def head(ordinal: int, address: str, **facts: Any) -> HostHead:
    values: dict[str, Any] = {"lladdr": "", "names": (), "asked": "", "os": "", "unfinished": False} | facts
    return HostHead(ordinal, address, ipaddress.ip_address(address).packed, **values)


def everything(_key: Any) -> bool:
    return True


def matched(
    before: list[HostHead], after: list[HostHead], **keys: dict[int, HostKeys]
) -> list[tuple[Any, Any]]:
    pairs = match_hosts(before, after, keys.get("old", {}), keys.get("new", {}))
    return [(a and a.address, b and b.address) for a, b in pairs]


def test_a_lladdr_finds_a_host_that_was_renumbered() -> None:
    before = [head(0, "10.0.0.5", lladdr="aa"), head(1, "10.0.0.6", lladdr="bb")]
    after = [head(0, "10.0.0.5", lladdr="bb"), head(1, "10.0.0.6", lladdr="aa")]
    assert matched(before, after) == [("10.0.0.6", "10.0.0.5"), ("10.0.0.5", "10.0.0.6")]


def test_a_lladdr_that_many_share_tells_nothing() -> None:
    before = [head(0, "10.0.0.5", lladdr="aa"), head(1, "10.0.0.6", lladdr="aa")]
    after = [head(0, "10.0.0.6", lladdr="aa"), head(1, "10.0.0.7", lladdr="aa")]
    assert matched(before, after) == [("10.0.0.5", None), ("10.0.0.6", "10.0.0.6"), (None, "10.0.0.7")]


def test_a_key_finds_a_host_behind_a_router() -> None:
    pairs = matched(
        [head(0, "10.0.0.5"), head(1, "10.0.0.6")],
        [head(3, "10.0.0.9"), head(4, "10.0.0.6")],
        old={0: HostKeys(ssh="f00")},
        new={3: HostKeys(ssh="f00")},
    )
    assert pairs == [("10.0.0.6", "10.0.0.6"), ("10.0.0.5", "10.0.0.9")]


def test_hosts_that_changed_addresses_are_told_by_their_keys() -> None:
    pairs = matched(
        [head(0, "10.0.0.5"), head(1, "10.0.0.6")],
        [head(0, "10.0.0.5"), head(1, "10.0.0.6")],
        old={0: HostKeys(ssh="f00"), 1: HostKeys(ssh="ba4")},
        new={0: HostKeys(ssh="ba4"), 1: HostKeys(ssh="f00")},
    )
    assert pairs == [("10.0.0.6", "10.0.0.5"), ("10.0.0.5", "10.0.0.6")]


def test_a_certificate_does_not_take_a_host_off_its_address() -> None:
    pairs = matched(
        [head(0, "10.0.0.1")],
        [head(0, "10.0.0.1"), head(1, "10.0.0.2")],
        old={0: HostKeys(tls="wildcard")},
        new={0: HostKeys(tls="renewed"), 1: HostKeys(tls="wildcard")},
    )
    assert pairs == [("10.0.0.1", "10.0.0.1"), (None, "10.0.0.2")]


def test_a_certificate_finds_a_host_when_nothing_else_does() -> None:
    old, new = {0: HostKeys(tls="f00")}, {0: HostKeys(tls="f00")}
    assert matched([head(0, "10.0.0.1")], [head(0, "10.0.0.9")], old=old, new=new) == [
        ("10.0.0.1", "10.0.0.9")
    ]


def test_what_two_hosts_share_is_not_unique_because_one_of_them_is_found() -> None:
    key = HostKeys(ssh="cloned")
    pairs = matched(
        [head(0, "10.0.0.1"), head(1, "10.0.0.2", lladdr="aa")],
        [head(0, "10.0.0.2", lladdr="aa"), head(1, "10.0.0.7")],
        old={0: key, 1: key},
        new={1: key},
    )
    assert pairs == [("10.0.0.1", None), ("10.0.0.2", "10.0.0.2"), (None, "10.0.0.7")]


def test_the_name_that_was_asked_for_comes_before_the_address() -> None:
    pairs = matched([head(0, "10.0.0.5", asked="srv")], [head(0, "10.0.0.6", asked="srv")])
    assert pairs == [("10.0.0.5", "10.0.0.6")]


def test_hosts_are_in_the_order_of_their_numbers() -> None:
    after = [head(0, "10.0.0.10"), head(1, "10.0.0.9"), head(2, "10.0.0.100")]
    assert [b for _, b in matched([], after)] == ["10.0.0.9", "10.0.0.10", "10.0.0.100"]


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 6)), unique_by=lambda one: one[0]),
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 6)), unique_by=lambda one: one[0]),
)
def test_every_host_is_in_exactly_one_pair(
    before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    def heads(found: list[tuple[int, int]]) -> list[HostHead]:
        return [head(n, f"10.0.0.{a}", lladdr=f"{m}" if m else "") for n, (a, m) in enumerate(found)]

    old, new = heads(before), heads(after)
    pairs = match_hosts(old, new, {}, {})
    assert sorted(a.ordinal for a, _ in pairs if a) == [one.ordinal for one in old]
    assert sorted(b.ordinal for _, b in pairs if b) == [one.ordinal for one in new]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, HTTP, (Change.ADDED, Severity.HIGH)),
        (CLOSED, HTTP, (Change.ADDED, Severity.HIGH)),
        (HTTP, None, (Change.REMOVED, Severity.LOW)),
        (HTTP, CLOSED, (Change.REMOVED, Severity.LOW)),
        (HTTP, HTTP._replace(version="1.26"), (Change.CHANGED, Severity.MEDIUM)),
        (HTTP, HTTP._replace(tunnel="ssl"), (Change.CHANGED, Severity.MEDIUM)),
        (CLOSED, CLOSED._replace(state="filtered"), (Change.CHANGED, Severity.INFO)),
        (HTTP, PortFacts("open", "http"), None),  # no version was asked for: nothing is known to differ
        (None, PortFacts("open|filtered", "snmp"), None),
        (None, CLOSED, None),
        (HTTP, HTTP, None),
    ],
)
def test_what_becomes_of_a_port(before: Any, after: Any, expected: Any) -> None:
    key = ("tcp", 80)
    found = compare_ports({key: before} if before else {}, {key: after} if after else {}, everything)
    assert [(one.change, one.severity) for one in found] == ([expected] if expected else [])


def test_only_ports_that_both_scans_asked_for_count() -> None:
    found = compare_ports({("tcp", 22): SSH}, {("tcp", 80): HTTP}, lambda key: key == ("tcp", 22))
    assert [(one.number, one.change) for one in found] == [(22, Change.REMOVED)]


def test_a_host_that_was_given_up_says_nothing_of_what_it_does_not_list() -> None:
    ports = {("tcp", 22): SSH}
    assert compare_ports(ports, {}, everything, whole_after=False) == ()
    assert compare_ports({}, ports, everything, whole_before=False) == ()
    assert compare_ports(ports, {("tcp", 22): SSH._replace(state="closed")}, everything, whole_after=False)


def test_a_service_on_another_port_is_one_change() -> None:
    (moved,) = compare_ports({("tcp", 80): HTTP}, {("tcp", 8080): HTTP}, everything)
    assert (moved.number, moved.moved_from, moved.change, moved.severity) == (
        8080, 80, Change.CHANGED, Severity.MEDIUM,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({("tcp", 80): PortFacts("open", "http")}, {("tcp", 8080): PortFacts("open", "http")}),  # guessed
        ({("tcp", 80): HTTP}, {("udp", 8080): HTTP}),
        ({("tcp", 80): HTTP, ("tcp", 81): HTTP}, {("tcp", 8080): HTTP}),  # which of the two?
    ],
)
def test_what_is_not_surely_the_same_service_did_not_move(before: Any, after: Any) -> None:
    assert all(one.moved_from is None for one in compare_ports(before, after, everything))


def test_two_new_ports_cannot_both_be_the_old_one() -> None:
    found = compare_ports({("tcp", 80): HTTP}, {("tcp", 8080): HTTP, ("tcp", 8081): HTTP}, everything)
    assert [(one.number, one.moved_from) for one in found] == [(8080, 80), (8081, None)]


def test_ports_are_in_the_order_of_their_numbers() -> None:
    found = compare_ports({}, {("tcp", 443): SSH, ("tcp", 80): HTTP, ("udp", 7): HTTP}, everything)
    assert [(one.protocol, one.number) for one in found] == [("tcp", 80), ("tcp", 443), ("udp", 7)]


def test_what_one_scan_did_not_find_out_is_no_change() -> None:
    known = head(0, "10.0.0.5", lladdr="aa", names=("a", "b"), os="Linux")
    assert compare_facts(known, head(0, "10.0.0.5")) == ()
    assert compare_facts(head(0, "10.0.0.5"), known) == ()
    assert compare_facts(known, known._replace(names=("b", "a"))) == ()
    changed = compare_facts(known, head(0, "10.0.0.6", lladdr="bb", names=("a",), os="BSD"))
    assert [(one.name, one.severity) for one in changed] == [
        ("address", Severity.MEDIUM), ("lladdr", Severity.MEDIUM),
        ("hostname", Severity.INFO), ("os", Severity.INFO),
    ]  # fmt: skip
