"""Ignore rules in the store: whose they are, what they do to comparisons and counts, what the audit says."""

from __future__ import annotations

import pytest

from netmon_tui.domain.comparison import ChangeCounts, Kind
from netmon_tui.domain.ignoring import IgnorePattern
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from tests.unit.services.made_scans import Store, host

GONE = IgnorePattern("10.0.0.9", "host", Kind.WENT)


@pytest.fixture
async def bo(store: Store) -> Actor:
    user = await store.services.accounts.add_user(store.ada, "bo", "walnut-koala-lantern", role=Role.OPERATOR)
    return Actor(user.id, user.name, user.role)


async def two_scans(store: Store, owner: Actor | None = None) -> tuple[int, int]:
    """A host goes, a port opens."""
    a = store.scan([host("10.0.0.5", 22), host("10.0.0.9", 22)], owner)
    b = store.scan([host("10.0.0.5", 22, 80)], owner)
    store.comparison.note_changes(b)
    return a, b


async def counts(store: Store, scan_id: int) -> ChangeCounts | None:
    return (await store.services.scans.get(store.ada, scan_id)).changes


async def test_a_rule_leaves_out_its_line_and_the_counts_follow(store: Store) -> None:
    a, b = await two_scans(store)
    assert await counts(store, b) == ChangeCounts(added=1, removed=1)
    rule = await store.services.ignoring.create(store.ada, GONE, "a laptop")
    sifted = await store.comparison.sifted(store.ada, a, b)
    assert [(line.address, line.subject) for line in sifted.kept.lines()] == [("10.0.0.5", "80/tcp")]
    assert (str(sifted), sifted.rules[0].note) == ("1 ignored by 1 rule", "a laptop")
    assert await counts(store, b) == ChangeCounts(added=1)
    await store.services.ignoring.delete(store.ada, rule.reference)
    assert await counts(store, b) == ChangeCounts(added=1, removed=1)
    trail = await store.services.activity.audit(store.ada)
    told = [(event.action, event.detail) for event in trail if event.action.startswith("ignore.")]
    assert sorted(told) == [
        ("ignore.create", "host went on 10.0.0.9"),
        ("ignore.delete", "host went on 10.0.0.9"),
    ]


async def test_a_new_run_is_counted_without_what_is_ignored(store: Store) -> None:
    await store.services.ignoring.create(store.ada, GONE)
    _, b = await two_scans(store)
    assert await counts(store, b) == ChangeCounts(added=1)


async def test_ones_own_rules_hold_for_oneself_and_everybodys_for_all(store: Store, bo: Actor) -> None:
    a, b = await two_scans(store, bo)
    await store.services.ignoring.create(store.ada, GONE)
    assert (await store.comparison.sifted(store.ada, a, b)).count == 1
    assert (await store.comparison.sifted(bo, a, b)).count == 0
    assert await counts(store, b) == ChangeCounts(added=1, removed=1)
    rule = await store.services.ignoring.create(store.ada, GONE._replace(kind=None), everybody=True)
    assert (await store.comparison.sifted(bo, a, b)).count == 1
    assert await counts(store, b) == ChangeCounts(added=1)
    with pytest.raises(NotAllowed, match="of ada for everybody"):
        await store.services.ignoring.delete(bo, rule.reference)
    with pytest.raises(NotFound):
        await store.services.ignoring.delete(bo, "1")


async def test_only_an_administrator_makes_rules_for_everybody(store: Store, bo: Actor) -> None:
    with pytest.raises(NotAllowed):
        await store.services.ignoring.create(bo, GONE, everybody=True)
    viewer = Actor(bo.user_id, bo.name, Role.VIEWER)
    with pytest.raises(NotAllowed):
        await store.services.ignoring.create(viewer, GONE)
    assert [rule.id for rule in await store.services.ignoring.rules(bo)] == [None]


async def test_a_built_in_rule_is_switched_for_oneself_and_never_deleted(store: Store, bo: Actor) -> None:
    service = store.services.ignoring
    with pytest.raises(NotAllowed, match="is built in"):
        await service.delete(bo, "udp-no-answer")
    assert (await service.switch(bo, "udp-no-answer", on=False)).on is False
    assert [rule.on for rule in await service.rules(bo)] == [False]
    assert [rule.on for rule in await service.rules(store.ada)] == [True]
    assert (await service.switch(bo, "udp-no-answer", on=True)).on is True
    own = await service.create(bo, GONE)
    with pytest.raises(InvalidInput, match="is not built in"):
        await service.switch(bo, own.reference, on=False)


@pytest.mark.parametrize(
    ("pattern", "note", "why"),
    [
        (GONE._replace(address="10.0.0"), "", "no address"),
        (IgnorePattern("10.0.0.5", "443"), "", "nothing that changes"),
        (IgnorePattern("10.0.0.5", "70000/tcp"), "", "nothing that changes"),
        (IgnorePattern(), "", "no such rule"),
        (GONE, "x" * 201, "too long"),
        (GONE, "a\x1b[2J", "do not print"),
    ],
)
async def test_what_is_no_rule_is_refused(store: Store, pattern: IgnorePattern, note: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        await store.services.ignoring.create(store.ada, pattern, note)
    assert len(await store.services.ignoring.rules(store.ada)) == 1


async def test_the_same_rule_twice_is_refused_and_an_address_has_one_spelling(store: Store) -> None:
    await store.services.ignoring.create(store.ada, IgnorePattern("fe80::1", "22/tcp"))
    with pytest.raises(InvalidInput, match="says so already"):
        await store.services.ignoring.create(store.ada, IgnorePattern("FE80:0::1", "22/tcp"))


async def test_counts_go_with_the_scan_they_were_taken_against(store: Store) -> None:
    a, b = await two_scans(store)
    await store.services.scans.delete(store.ada, a)
    scan = await store.services.scans.get(store.ada, b)
    assert (scan.compared_with, scan.changes) == (None, None)
