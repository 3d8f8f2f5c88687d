"""What scans and neighbours know of each other by address and lladdr, from a real store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from netmon_tui.domain.address import Family
from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.user import Actor, Role, UserState
from netmon_tui.errors import InvalidInput
from netmon_tui.storage.account_repository import AccountRepository, NewUser
from netmon_tui.storage.audit_repository import NewEvent
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.neighbour_queries import NeighbourQueries
from netmon_tui.storage.neighbour_repository import NeighbourRepository, Sighting
from tests.unit.services.made_scans import Store, host

BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)
PI, NAS = "b8:27:eb:00:00:10", "00:11:32:00:00:11"


def day(number: float) -> datetime:
    return BEGIN + timedelta(days=number)


def sighting(address: str, lladdr: str, when: datetime, interface: str = "eth0") -> Sighting:
    family = Family.IPV6 if ":" in address else Family.IPV4
    return Sighting(interface, address, family.value, lladdr, False, when)


def memory(store: Store) -> NeighbourRepository:
    return NeighbourRepository(store.services.database)


async def other(store: Store) -> Actor:
    accounts = AccountRepository(store.services.database)
    made = accounts.create(
        NewUser("bo", "no hash", Role.OPERATOR, UserState.ACTIVE, "", BEGIN), NewEvent("user.create")
    )
    return Actor(made.id, made.name, made.role)


async def test_a_host_that_moved_is_found_by_its_lladdr(store: Store) -> None:
    was = store.scan([host("10.0.0.5", 22, 80, lladdr=PI), host("10.0.0.6", lladdr=NAS)], finished=day(1))
    now = store.scan([host("10.0.0.9", 22, lladdr=PI)], finished=day(2), name="after the move")
    pivots = store.services.segment.pivots
    moved = await pivots.scans_elsewhere(store.ada, PI, "10.0.0.9")
    assert [(one.scan_id, one.address, one.open_ports) for one in moved] == [(was, "10.0.0.5", 2)]
    asked, facts = await pivots.about(store.ada, "B8-27-EB-00-00-10")
    assert asked == PI
    assert [(one.scan_id, one.address, one.time) for one in facts.scans] == [
        (now, "10.0.0.9", day(2)),
        (was, "10.0.0.5", day(1)),
    ]
    assert await pivots.scans_elsewhere(store.ada, "", "10.0.0.9") == []


async def test_scans_of_others_are_theirs(store: Store) -> None:
    store.scan([host("10.0.0.5", lladdr=PI)])
    own = store.scan([host("10.0.0.6", lladdr=PI)], owner=(bo := await other(store)))
    _, facts = await store.services.segment.pivots.about(bo, PI)
    assert [one.scan_id for one in facts.scans] == [own]
    _, facts = await store.services.segment.pivots.about(bo, "10.0.0.5")
    assert facts.scans == ()


async def test_captures_are_found_by_the_address_in_their_filter(store: Store, tmp_path: Path) -> None:
    captures, bo = CaptureRepository(store.services.database), await other(store)
    for owner, text in (
        (store.ada, "host 10.0.0.5 and port 53"),
        (store.ada, "src 10.0.0.50 or net 110.0.0.5"),
        (bo, "host 10.0.0.5"),
        (store.ada, f"ether host {PI.upper()} or host FE80::5"),
    ):
        captures.create(owner, StartCapture("eth0"), filter=text, jobs=tmp_path)
    pivots = store.services.segment.pivots
    for asked, expected in (("10.0.0.5", [3, 1]), (PI, [4]), ("fe80::5", [4]), ("0.0.5.1", [])):
        _, facts = await pivots.about(store.ada, asked)
        assert [one.capture_id for one in facts.captures] == expected
    _, facts = await pivots.about(bo, "10.0.0.5")
    assert [(one.capture_id, one.filter) for one in facts.captures] == [(3, "host 10.0.0.5")]


async def test_a_host_that_was_down_was_not_found(store: Store) -> None:
    gone = host("10.0.0.5", lladdr=PI)
    gone.status = "down"
    store.scan([gone])
    _, facts = await store.services.segment.pivots.about(store.ada, "10.0.0.5")
    assert facts.scans == ()


async def test_an_address_tells_every_lladdr_it_had(store: Store) -> None:
    memory(store).remember(
        [
            sighting("10.0.0.5", PI, day(1)),
            sighting("10.0.0.5", NAS, day(2)),
            sighting("10.0.0.6", PI, day(3)),
        ]
    )
    facts = await store.services.segment.pivots.of_host(store.ada, "10.0.0.5")
    assert [(one.lladdr, one.last_seen) for one in facts.spans] == [(NAS, day(2)), (PI, day(1))]
    assert facts.lladdrs == (NAS, PI)
    _, facts = await store.services.segment.pivots.about(store.ada, PI)
    assert [one.address for one in facts.spans] == ["10.0.0.6", "10.0.0.5"]


@pytest.mark.parametrize("asked", ["printer.example", "10.0.0", "", "b8:27:eb", "[b]x[/]\x1b[2J"])
async def test_what_is_neither_address_nor_lladdr_is_refused(store: Store, asked: str) -> None:
    with pytest.raises(InvalidInput, match="neither an address nor an lladdr") as refused:
        await store.services.segment.pivots.about(store.ada, asked)
    assert "\x1b" not in str(refused.value)


async def test_a_sighting_of_the_past_changes_nothing(store: Store) -> None:
    kept = memory(store)
    kept.remember([sighting("10.0.0.5", NAS, day(5))])
    kept.remember([sighting("10.0.0.5", PI, day(1))])
    assert (kept.remembered()["eth0", "10.0.0.5"].lladdr) == NAS
    assert (kept.remembered()["eth0", "10.0.0.5"].last_seen) == day(5)
    kept.remember([sighting("10.0.0.5", PI, day(6))])
    assert (kept.remembered()["eth0", "10.0.0.5"].lladdr) == PI


async def test_what_is_remembered_is_told_as_gone(store: Store) -> None:
    memory(store).remember([sighting("10.0.0.12", PI, day(1)), sighting("10.0.0.5", PI, day(2))])
    found = await store.services.segment.pivots.remembered(store.ada)
    assert [(one.address, one.state, one.first_seen) for one in found] == [
        ("10.0.0.5", "GONE", day(2)),
        ("10.0.0.12", "GONE", day(1)),
    ]
    assert found[0].age > 0


async def test_a_link_local_address_is_scanned_where_it_was_seen_last(store: Store) -> None:
    memory(store).remember(
        [sighting("fe80::5", PI, day(1), "eth0"), sighting("fe80::5", PI, day(2), "wlan0")]
    )
    target = store.services.segment.pivots.scan_target
    assert await target(store.ada, "fe80::5") == "fe80::5%wlan0"
    assert await target(store.ada, "fe80::5", "eth0") == "fe80::5%eth0"
    assert await target(store.ada, "fe80::6") == "fe80::6"
    assert await target(store.ada, "fe80::5%eth1") == "fe80::5%eth1"
    assert await target(store.ada, "10.0.0.5", "eth0") == "10.0.0.5"
    assert await target(store.ada, "printer.example", "eth0") == "printer.example"


async def test_every_question_goes_by_an_index(store: Store) -> None:
    asked: list[tuple[str, Any]] = []
    engine = store.services.database.engine
    event.listen(engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: asked.append((sql, values)))
    queries = NeighbourQueries(store.services.database)
    queries.lladdrs_of("10.0.0.5")
    queries.addresses_of(PI)
    queries.scans_of_address(store.ada, "10.0.0.5")
    queries.scans_of_lladdr(store.ada, PI)
    selected = [(sql, values) for sql, values in asked if sql.startswith("SELECT")]
    assert len(selected) == 4
    with store.services.database.read() as connection:
        for sql, values in selected:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            plan = [str(row[-1]) for row in rows]
            assert not [step for step in plan if step.startswith("SCAN")], (sql, plan)
