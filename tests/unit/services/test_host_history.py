"""The history of an address from stored scans: which count, and whose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from netmon_tui.domain.history import HostHistory
from netmon_tui.domain.host import Host, Port
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput
from tests.unit.services.made_scans import Store, host

BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)
HERE = "10.0.0.5"


def day(store: Store, number: int, *hosts: Any, **values: Any) -> int:
    return store.scan(hosts, **{"finished": BEGIN + timedelta(days=number)} | values)


async def history(store: Store, address: str = HERE) -> HostHistory:
    return await store.services.history.of(store.ada, address)


def spans(found: HostHistory, number: int = 22) -> list[tuple[int, int | None]]:
    intervals = found.ports.get(("tcp", number), ())
    return [(one.first.scan_id, one.ended.scan_id if one.ended else None) for one in intervals]


async def test_a_scan_in_which_the_host_is_not_listed_ends_what_was_open(store: Store) -> None:
    a = day(store, 1, host(HERE, 22))
    b = day(store, 2, host("10.0.0.6", 22))
    c = day(store, 3, host(HERE, 22))
    found = await history(store)
    assert spans(found) == [(a, b), (c, None)]
    assert [(one.first.scan_id, one.ended and one.ended.scan_id) for one in found.up] == [(a, b), (c, None)]


async def test_scans_that_did_not_ask_for_it_do_not_count(store: Store) -> None:
    a = day(store, 1, host(HERE, 22))
    day(store, 2, host("10.1.0.1", 22), targets=("10.1.0.0/16",))
    day(store, 3, host("10.0.0.6"), command=["nmap", "--exclude", HERE, "10.0.0.0/24"])
    day(store, 3, host("10.0.0.6"), skipped=[HERE])
    day(store, 4, host(HERE, 80), scaninfo=[["syn", "tcp", 1, "80"]])
    day(store, 5, host(HERE), state=JobState.CANCELLED.value)
    day(store, 6, host(HERE), scaninfo=[])
    day(store, 7, host("10.0.0.6"), imported=True, targets=(), scaninfo=[])
    found = await history(store)
    assert spans(found) == [(a, None)]
    assert len(found.looks) == 3


async def test_the_order_is_that_of_time_and_not_of_numbers(store: Store) -> None:
    late = day(store, 9, host(HERE))
    early = day(store, 1, host(HERE, 22), imported=True)
    assert spans(await history(store)) == [(early, late)]


async def test_a_host_that_was_not_pinged_and_showed_nothing_was_not_seen(store: Store) -> None:
    a = day(store, 1, host(HERE, 22))
    b = day(store, 2, host(HERE, Port(22, "tcp", "filtered"), reason="user-set"))
    found = await history(store)
    assert spans(found) == [(a, b)]
    assert [(one.first.scan_id, one.ended) for one in found.up] == [(a, None)]


async def test_the_state_at_a_time_names_the_scan_of_each_port(store: Store) -> None:
    a = day(store, 1, host(HERE, 22, 80))
    b = day(store, 5, host(HERE, 80), scaninfo=[["syn", "tcp", 1, "80"]])
    then = (await history(store)).at(BEGIN + timedelta(days=6))
    assert [(port.number, port.seen.scan_id) for port in then.ports] == [(22, a), (80, b)]
    assert then.seen is not None
    assert then.seen.scan_id == b


async def test_only_scans_that_are_the_actors_to_see_count(store: Store) -> None:
    user = await store.services.accounts.add_user(store.ada, "bo", "walnut-koala-lantern", role=Role.OPERATOR)
    bo = Actor(user.id, user.name, user.role)
    a = day(store, 1, host(HERE, 22))
    b = day(store, 2, host(HERE, 22), owner=bo)
    assert [look.scan_id for look in (await store.services.history.of(bo, HERE)).looks] == [b]
    assert [look.scan_id for look in (await history(store)).looks] == [a, b]


async def test_an_address_has_one_spelling_and_a_name_is_none(store: Store) -> None:
    day(store, 1, host("fe80::1", 22), targets=("fe80::1",))
    assert spans(await history(store, "FE80:0:0::1"))
    with pytest.raises(InvalidInput, match="is no address"):
        await history(store, "router\x1b[2J")


async def test_a_scan_that_only_listed_the_host_says_nothing(store: Store) -> None:
    a = day(store, 1, host(HERE, 22))
    day(store, 2, Host(HERE, status="unknown"), scaninfo=[])
    day(store, 3, Host(HERE, status="unknown"), scaninfo=[], imported=True, targets=())
    found = await history(store)
    assert spans(found) == [(a, None)]
    assert [(one.first.scan_id, one.ended) for one in found.up] == [(a, None)]
