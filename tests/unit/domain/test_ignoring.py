"""What ignore rules leave out of a comparison, and what they never do."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from netmon_tui.domain.comparison import (
    HOST,
    Change,
    Comparison,
    FactChange,
    HostChange,
    Kind,
    PortChange,
    PortFacts,
    ScriptChange,
    Severity,
)
from netmon_tui.domain.ignoring import BUILT_IN, IgnorePattern, IgnoreRule, patterns_for, sift

ADDRESSES = ("10.0.0.5", "10.0.0.6")
STATES = ("open", "closed", "filtered", "open|filtered")
SUBJECTS = ("", HOST, "22/tcp", "53/udp", "lladdr", "os")
SCRIPTS = ("http-title", "ssh-hostkey")

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy."""

facts = st.builds(
    PortFacts, st.sampled_from(STATES), st.sampled_from(("", "http", "ssh")), version=st.sampled_from("123")
)


@st.composite
def port_changes(draw: st.DrawFn) -> PortChange:
    number, protocol = draw(st.sampled_from(((22, "tcp"), (53, "udp"), (80, "tcp"))))
    change = draw(st.sampled_from(Change))
    before = None if change is Change.ADDED else draw(facts)
    after = None if change is Change.REMOVED else draw(facts)
    moved = draw(st.sampled_from((None, 8080))) if change is Change.CHANGED else None
    return PortChange(number, protocol, change, before, after, Severity.LOW, moved)


script_changes = st.builds(
    lambda script, port, change: ScriptChange(script, *port, change, "a", "b", Severity.INFO, 0),
    st.sampled_from(SCRIPTS),
    st.sampled_from(((22, "tcp"), (80, "tcp"), (-1, ""))),
    st.sampled_from(Change),
)


@st.composite
def hosts(draw: st.DrawFn) -> HostChange:
    found = st.lists(port_changes(), max_size=3, unique_by=lambda port: (port.number, port.protocol))
    told = st.lists(
        st.sampled_from([FactChange(name, "a", "b", Severity.INFO) for name in ("lladdr", "os")]), max_size=2
    )
    said = st.lists(script_changes, max_size=2, unique_by=lambda one: one.key)
    change, ports, own = draw(st.sampled_from(Change)), tuple(draw(found)), tuple(draw(told))
    scripts = tuple(draw(said)) if change is Change.CHANGED else ()
    assume(change is not Change.CHANGED or ports or own or scripts)
    return HostChange(draw(st.sampled_from(ADDRESSES)), change, draw(st.integers(0, 9)), ports, own, scripts)


comparisons = st.builds(
    lambda found: Comparison(1, 2, tuple(found), ("a note",)), st.lists(hosts(), max_size=5)
)
patterns = st.builds(
    IgnorePattern,
    st.sampled_from(("", *ADDRESSES)),
    st.sampled_from(SUBJECTS),
    st.sampled_from((None, *Kind)),
    st.sampled_from(("", "http")),
    st.booleans(),
) | st.builds(
    lambda address, subject, script: IgnorePattern(address, subject, Kind.SCRIPT, script=script),
    st.sampled_from(("", *ADDRESSES)),
    st.sampled_from(SUBJECTS),
    st.sampled_from(("", *SCRIPTS)),
)
rules = st.lists(
    st.builds(lambda pattern, number: IgnoreRule(pattern, id=number), patterns, st.integers(1, 99)),
    max_size=6,
)


@PATIENT
@given(comparisons, rules)
def test_a_host_that_is_gone_is_silenced_only_by_a_rule_that_says_host(
    comparison: Comparison, rules: list[IgnoreRule]
) -> None:
    kept = {id(host) for host in sift(comparison, rules).kept.hosts}
    for host in comparison.hosts:
        if host.change is not Change.CHANGED and id(host) not in kept:
            assert any(rule.pattern.subject == HOST for rule in rules)


@PATIENT
@given(comparisons, patterns)
def test_a_rule_that_may_be_stored_and_hides_a_gone_host_names_its_address(
    comparison: Comparison, pattern: IgnorePattern
) -> None:
    assume(not pattern.problem)
    hidden = sift(comparison, [IgnoreRule(pattern, id=1)]).ignored.hosts
    assert all(pattern[:2] == (h.address, HOST) for h in hidden if h.change is not Change.CHANGED)


@PATIENT
@given(comparisons, rules)
def test_nothing_is_lost_and_nothing_is_told_twice(comparison: Comparison, rules: list[IgnoreRule]) -> None:
    sifted = sift(comparison, rules)
    parts = sorted([*sifted.kept.lines(), *sifted.ignored.lines()])
    assert parts == sorted(comparison.lines())
    assert sifted.kept.notes == comparison.notes
    assert sifted.count == 0 or sifted.rules
    assert all(any(rule.pattern.matches(line) for rule in rules) for line in sifted.ignored.lines())
    assert not any(rule.pattern.matches(line) for rule in rules for line in sifted.kept.lines())


@PATIENT
@given(comparisons)
def test_every_offered_pattern_hides_its_line_and_may_be_stored(comparison: Comparison) -> None:
    for line in comparison.lines():
        offered = list(patterns_for(line))
        assert offered
        assert len({str(pattern) for pattern in offered}) == len(offered)
        for pattern in offered:
            assert pattern.matches(line)
            assert pattern.problem == ""


@PATIENT
@given(comparisons)
def test_what_is_built_in_hides_no_port_that_is_or_was_open(comparison: Comparison) -> None:
    for host in sift(comparison, BUILT_IN).ignored.hosts:
        assert host.change is Change.CHANGED
        assert not host.facts
        for port in host.ports:
            assert port.kind is Kind.STATE
            assert port.is_unanswered


def change(before: str | None, after: str | None, kind: Change, number: int = 53) -> PortChange:
    sides = [None if state is None else PortFacts(state, "domain") for state in (before, after)]
    return PortChange(number, "udp", kind, *sides, Severity.INFO)


def one(*ports: PortChange) -> Comparison:
    return Comparison(1, 2, (HostChange("10.0.0.5", Change.CHANGED, 0, ports),))


def test_a_rule_about_missing_answers_does_not_hide_a_port_that_opens() -> None:
    opens = change("open|filtered", "open", Change.ADDED)
    silent = change("open", "open|filtered", Change.REMOVED, 123)
    flaps = change("closed", "open|filtered", Change.CHANGED, 161)
    sifted = sift(one(opens, silent, flaps), [IgnoreRule(IgnorePattern(unanswered=True), id=1)])
    assert [line.subject for line in sifted.kept.lines()] == ["53/udp"]
    assert str(sifted) == "2 ignored by 1 rule"


def test_a_service_that_moves_to_an_ignored_port_is_told() -> None:
    ssh = PortFacts("open", "ssh", "OpenSSH", probed=True)
    moved = PortChange(2222, "tcp", Change.CHANGED, ssh, ssh, Severity.MEDIUM, 22)
    sifted = sift(one(moved), [IgnoreRule(IgnorePattern(subject="2222/tcp"), id=1)])
    assert sifted.count == 0
    assert [str(pattern) for pattern in patterns_for(next(sifted.kept.lines()))] == [
        "2222/tcp taken by a service that moved on 10.0.0.5"
    ]


def test_a_rule_that_is_off_hides_nothing() -> None:
    flaps = change("closed", "open|filtered", Change.CHANGED)
    (built_in,) = BUILT_IN
    assert sift(one(flaps), [built_in]).count == 1
    assert sift(one(flaps), [IgnoreRule(built_in.pattern, name=built_in.name, on=False)]).count == 0


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (IgnorePattern(), "too much"),
        (IgnorePattern(kind=Kind.OPENED), "too much"),
        (IgnorePattern(service="http"), "too much"),
        (IgnorePattern(subject=HOST), "no host that goes"),
        (IgnorePattern("10.0.0.5", kind=Kind.WENT), "only a host"),
        (IgnorePattern("10.0.0.5", HOST, Kind.OPENED), "comes or goes"),
    ],
)
def test_what_would_hide_what_matters_is_no_rule(pattern: IgnorePattern, why: str) -> None:
    assert why in pattern.problem
