"""What the memory of neighbours does when the store refuses, and when another program stores."""

from __future__ import annotations

import gc
import logging
import os
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from netmon_tui.domain.address import Family
from netmon_tui.domain.device import MarksChange
from netmon_tui.domain.neighbour import Neighbour, NudState
from netmon_tui.domain.neighbour_event import EventFilter, NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.neighbour_event_documents import neighbour_event_document
from netmon_tui.domain.user import Actor, Role
from netmon_tui.domain.window import Window
from netmon_tui.errors import DatabaseLocked, StorageError
from netmon_tui.runtime.only_one import OnlyOne
from netmon_tui.services import neighbour_backlog, neighbour_recorder
from netmon_tui.services import neighbour_memory as module
from netmon_tui.services.neighbour_backlog import NeighbourBacklog, bounded_events
from netmon_tui.services.neighbour_memory import NeighbourMemory
from netmon_tui.services.neighbour_recorder import recorder_checks
from netmon_tui.storage import neighbour_retention
from netmon_tui.storage.database import Database
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.neighbour_event_repository import NeighbourEventRepository
from netmon_tui.storage.neighbour_repository import NeighbourNews, NeighbourRepository, Sighting
from netmon_tui.storage.neighbour_retention import NeighbourRetention
from netmon_tui.storage.schema_version import open_database

NOW = time.time()
ADA = Actor(1, "ada", Role.ADMIN)
LLADDR = "02:00:00:00:%02x:%02x"


@pytest.fixture
def database(tmp_path: Path):
    open_database(f"sqlite:///{tmp_path}/n.db", backups=tmp_path).close()
    opened = Database(f"sqlite:///{tmp_path}/n.db", busy_timeout_ms=10)
    yield opened
    opened.close()


def memory_on(database: Database, tmp_path: Path) -> NeighbourMemory:
    return NeighbourMemory(
        NeighbourRepository(database), DeviceRepository(database), OnlyOne(tmp_path / "claim")
    )


def row_of(number: int, state: NudState = NudState.REACHABLE) -> Neighbour:
    lladdr = LLADDR % (number // 256, number % 256)
    return Neighbour(f"10.0.{number // 250}.{number % 250}", Family.IPV4, 2, "eth0", lladdr, state)


def see(memory: NeighbourMemory, number: int, at: float = NOW) -> None:
    memory.seen(row_of(number), at, anew=True)


def stored(database: Database) -> set[str]:
    events = NeighbourEventRepository(database).events(EventFilter(), Window(limit=100))
    return {event.address for event in events}


async def test_what_cannot_be_stored_stays_due_but_is_bounded(database, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_UNSTORED", 3)
    memory = memory_on(database, tmp_path)
    other = sqlite3.connect(tmp_path / "n.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for number in range(5):
        see(memory, number)
        with pytest.raises(DatabaseLocked):
            await memory.store(NOW)
    other.execute("ROLLBACK")
    other.close()
    await memory.store(NOW)
    assert stored(database) == {"10.0.0.2", "10.0.0.3", "10.0.0.4"}
    seen = NeighbourRepository(database).remembered()
    assert len(seen) == 5, "every address is remembered all the same"


KEY = ("eth0", "10.0.0.1")


def last_seen(memory: NeighbourMemory) -> float:
    known = memory.known(KEY)
    assert known is not None
    return known.last_seen


@pytest.mark.parametrize("state", [NudState.STALE, NudState.DELAY])
def test_who_announces_himself_after_he_did_not_answer_is_there(database, tmp_path, state):
    memory = memory_on(database, tmp_path)
    see(memory, 1)
    memory.noticing.failed(KEY, NOW + 10)
    assert memory.seen(row_of(1, NudState.PROBE), NOW + 20, anew=False) == []
    assert last_seen(memory) == NOW, "who is asked has not answered"
    assert memory.seen(row_of(1, state), NOW + 30, anew=False) == []
    assert last_seen(memory) == NOW + 30
    assert memory.passed(NOW + 1000) == []
    memory.noticing.failed(KEY, NOW + 1000)
    assert [event.kind.value for event in memory.passed(NOW + 1300)] == ["gone"]
    assert [event.kind.value for event in memory.seen(row_of(1, state), NOW + 1400, anew=False)] == ["back"]


def test_what_is_found_in_the_table_was_seen_when_the_kernel_confirmed_it(database, tmp_path):
    memory = memory_on(database, tmp_path)
    memory.seen(row_of(1, NudState.STALE), NOW, anew=True, confirmed=3600.0, quietly=True)
    assert last_seen(memory) == NOW - 3600
    memory.seen(row_of(1, NudState.STALE), NOW + 60, anew=True, confirmed=7000.0)
    assert last_seen(memory) == NOW - 3600, "it never goes back"
    memory.seen(row_of(1), NOW + 120, anew=False, confirmed=20.0)
    assert last_seen(memory) == NOW + 120


def test_a_permanent_entry_is_no_sign_of_its_holder(database, tmp_path):
    memory = memory_on(database, tmp_path)
    see(memory, 1)
    memory.noticing.failed(KEY, NOW)
    assert memory.seen(row_of(1, NudState.PERMANENT), NOW + 100, anew=True) == []
    assert last_seen(memory) == NOW
    assert [event.kind.value for event in memory.passed(NOW + 400)] == ["gone"]
    assert memory.seen(row_of(1, NudState.PERMANENT), NOW + 500, anew=True) == []


async def test_a_device_is_told_by_its_name(database, tmp_path):
    memory = memory_on(database, tmp_path)
    DeviceRepository(database).mark(ADA, {LLADDR % (0, 1): MarksChange("srv", must_be_up=True)})
    await memory.read_marks()
    see(memory, 1)
    memory.noticing.failed(KEY, NOW)
    (down,) = memory.passed(NOW + 60)
    document = neighbour_event_document(down)
    assert (document["kind"], document["name"]) == ("down", "srv")
    assert str(document["text"]).startswith("srv (02:00:00:00:00:01) must be up")


async def test_what_cannot_be_claimed_stays_due(database, tmp_path):
    memory = memory_on(database, tmp_path)
    (tmp_path / "claim").mkdir()
    see(memory, 1)
    with pytest.raises(StorageError):
        await memory.store(NOW)
    (tmp_path / "claim").rmdir()
    await memory.store(NOW)
    assert stored(database) == {"10.0.0.1"}


async def test_an_hour_over_which_a_program_stands_still_is_not_lost_and_is_told(
    database, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(neighbour_recorder, "STILL_SECONDS", 0.0)
    monkeypatch.setattr(logging.getLogger("netmon_tui"), "propagate", True)
    still, living = memory_on(database, tmp_path), memory_on(database, tmp_path)
    see(still, 1)
    await still.store(NOW)
    still.has_stored(NOW)  # and then SIGSTOP
    for minute in range(60):
        see(living, minute, at=NOW + 60 * minute)
        await living.store(NOW + 60 * minute)
        await living.look_around(NOW + 60 * minute)
    words = f"process {os.getpid()} is to store what is seen of neighbours, but stands still"
    assert [words in line for line in caplog.messages] == [True], "once"
    (check,) = recorder_checks(OnlyOne(tmp_path / "claim"))
    assert words.partition(",")[0] in check.detail
    still.release()
    assert recorder_checks(OnlyOne(tmp_path / "claim")) == []
    await living.store(NOW + 3600)
    assert len(stored(database)) == 60


async def test_what_is_certainly_stored_is_not_kept_twice(database, tmp_path):
    storing, other = memory_on(database, tmp_path), memory_on(database, tmp_path)
    now = time.time()
    for number, at in enumerate((now + 5, now + 100)):
        see(storing, number, at=at)
        see(other, number, at=at)
    await storing.store(now + 101)
    await other.store(now + 101)
    storing.has_stored(now + 60)
    await other.look_around(now + 120)
    assert [event.address for event in other._backlog.take().doubtful] == ["10.0.0.1"]


def test_a_backlog_folds_before_it_leaves_out_and_then_the_lightest(monkeypatch):
    def event(kind: str, number: int, second: int) -> NeighbourEvent:
        moment = datetime.fromtimestamp(NOW + second, UTC)
        return NeighbourEvent(
            moment, NeighbourEventKind(kind), f"10.0.0.{number}", "eth0", "02:00:00:00:00:01"
        )

    flapping = [event("duplicate", 1, second) for second in range(50)]
    (folded,) = bounded_events(flapping, 10)
    assert (folded.count, folded.time, folded.last) == (50, flapping[0].time, flapping[-1].time)
    light = [event("new", number, number) for number in range(20)]
    turning = [event(kind, 1, second) for second, kind in enumerate(["down", "back", "down", "back"])]
    assert bounded_events([*turning, *flapping], 10)[:4] == turning, "down, back, down are three"
    kept = bounded_events([*flapping, *light], 10)
    assert [(one.kind.value, one.address) for one in kept] == [
        ("duplicate", "10.0.0.1"),
        *[("new", f"10.0.0.{number}") for number in range(11, 20)],
    ]
    monkeypatch.setattr(neighbour_backlog, "MOST_SIGHTINGS", 5)
    backlog = NeighbourBacklog()
    seen = [
        Sighting("eth0", "10.0.0.1", "ipv4", "02:00:00:00:00:01", False, one.time) for one in flapping[:20]
    ]
    backlog.keep(NeighbourNews(sightings=seen))
    assert backlog.take().sightings == [seen[0], seen[-1]]


async def test_what_a_scan_resolved_long_before_it_was_stored_is_noticed(database, tmp_path):
    memory = memory_on(database, tmp_path)
    await memory.load()
    moment = datetime.fromtimestamp(NOW - 1800, UTC)
    scanned = Sighting("eth0", "10.0.0.9", "ipv4", "02:00:00:00:00:09", False, moment)
    NeighbourRepository(database).remember([scanned])
    now = time.time()
    (event,) = await memory.look_around(now + 60)
    assert (event.kind, event.address) == (NeighbourEventKind.NEW, "10.0.0.9")
    known = memory.known(("eth0", "10.0.0.9"))
    assert known is not None
    assert known.last_seen == pytest.approx(NOW - 1800)
    assert await memory.look_around(now + 120) == []


async def test_what_is_loaded_is_never_looked_at_by_the_garbage_collector(database, tmp_path):
    """A full collection of 200,000 addresses holds up the event loop for a third of a second."""
    moment = datetime.fromtimestamp(NOW, UTC)
    seen = Sighting("eth0", "10.0.0.9", "ipv4", "02:00:00:00:00:09", False, moment)
    NeighbourRepository(database).remember([seen])
    memory = memory_on(database, tmp_path)
    await memory.load()
    known = memory.known(("eth0", "10.0.0.9"))
    assert gc.is_tracked(known)
    assert not any(one is known for one in gc.get_objects())
    assert gc.isenabled()


async def test_what_is_too_old_is_deleted_piece_by_piece_by_the_program_that_stores(
    database, tmp_path, monkeypatch
):
    monkeypatch.setattr(neighbour_retention, "PIECE", 2)
    repository, events = NeighbourRepository(database), NeighbourEventRepository(database)
    memory = NeighbourMemory(
        repository,
        DeviceRepository(database),
        OnlyOne(tmp_path / "claim"),
        retention=NeighbourRetention(database),
        keep_days=400,
    )
    long_ago, recently = (datetime.fromtimestamp(NOW - days * 86_400, UTC) for days in (401, 399))
    for number in range(5):
        see(memory, number, at=long_ago.timestamp())
        await memory.store(NOW)
        repository.remember(
            [Sighting("eth0", f"10.0.0.{number}", "ipv4", LLADDR % (0, number), False, recently)]
        )
    (first, *_) = events.events(EventFilter())
    events.acknowledge(ADA, [first.id])
    with database.engine.begin() as connection:
        times = {"time": long_ago.timestamp(), "ago": long_ago.timestamp()}
        connection.execute(
            text("update neighbour_events set time = :time, last = :ago, acknowledged = :ago"
                 " where acknowledged is not null"), times
        )  # fmt: skip
    before = len(events.events(EventFilter()))
    now = time.time()
    await memory.look_around(now + 60)
    assert sum(len(repository.presences_at("eth0", f"10.0.0.{n}")) for n in range(5)) == 8, "a piece"
    for turn in range(2, 6):
        await memory.look_around(now + 60 * turn)
    for number in range(5):
        (present,) = repository.presences_at("eth0", f"10.0.0.{number}")
        assert present.started == recently
    assert len(events.events(EventFilter())) == before - 1


async def test_what_a_program_that_stood_still_did_not_store_is_stored_by_the_next(database, tmp_path):
    still, living = OnlyOne(tmp_path / "claim"), memory_on(database, tmp_path)
    assert still.take()
    for number in range(10):
        see(living, number)
        await living.store(NOW)
    still.release()
    await living.store(NOW)
    assert len(stored(database)) == 10


async def test_the_next_program_stores_what_the_dead_one_did_not(database, tmp_path):
    dying, living = memory_on(database, tmp_path), memory_on(database, tmp_path)
    see(dying, 1)
    see(living, 1)
    await dying.store(NOW)
    await living.store(NOW)
    assert stored(database) == {"10.0.0.1"}
    see(dying, 2)
    see(living, 2)
    await living.store(NOW)
    assert stored(database) == {"10.0.0.1"}, "the other one has the claim"
    dying.release()  # it dies with what it saw last
    await living.store(NOW)
    assert stored(database) == {"10.0.0.1", "10.0.0.2"}
    (first, second) = NeighbourEventRepository(database).events(EventFilter())
    assert (first.count, second.count) == (1, 1)


async def test_who_is_reachable_for_hours_is_heard_from_all_the_time(database, tmp_path):
    """The kernel tells nothing of an entry that stays as it is."""
    memory, later = memory_on(database, tmp_path), NOW + 3600
    for number in (1, 2):
        see(memory, number)
    memory.vouch([row_of(1), row_of(2, NudState.STALE)], later)
    await memory.store(later, all_of_it=True)
    times = {
        address: row.last_seen.timestamp()
        for (_, address), row in NeighbourRepository(database).remembered().items()
    }
    assert times == {
        "10.0.0.1": pytest.approx(later - module.REACHABLE_SECONDS, abs=0.01),
        "10.0.0.2": pytest.approx(NOW, abs=0.01),
    }
    memory.vouch([row_of(1)], later + 1)
    assert not memory._aged, "not with every look"
