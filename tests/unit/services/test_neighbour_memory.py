"""What the memory of neighbours does when the store refuses, and when another program stores."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Neighbour, NudState
from netmon_tui.domain.neighbour_event import EventFilter
from netmon_tui.domain.window import Window
from netmon_tui.errors import DatabaseLocked, StorageError
from netmon_tui.runtime.only_one import OnlyOne
from netmon_tui.services import neighbour_memory as module
from netmon_tui.services.neighbour_memory import NeighbourMemory
from netmon_tui.storage.database import Database
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.neighbour_event_repository import NeighbourEventRepository
from netmon_tui.storage.neighbour_repository import NeighbourRepository
from netmon_tui.storage.schema_version import open_database

NOW = time.time()


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


def see(memory: NeighbourMemory, number: int) -> None:
    row = Neighbour(
        f"10.0.{number // 250}.{number % 250}",
        Family.IPV4,
        2,
        "eth0",
        f"02:00:00:00:{number // 256:02x}:{number % 256:02x}",
        NudState.REACHABLE,
    )
    memory.seen(row, NOW, anew=True)


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


async def test_what_cannot_be_claimed_stays_due(database, tmp_path):
    memory = memory_on(database, tmp_path)
    (tmp_path / "claim").mkdir()
    see(memory, 1)
    with pytest.raises(StorageError):
        await memory.store(NOW)
    (tmp_path / "claim").rmdir()
    await memory.store(NOW)
    assert stored(database) == {"10.0.0.1"}


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
