"""Scans and captures that no job belongs to."""

from pathlib import Path

import pytest

from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.job import JobKind, JobState
from netmon_tui.domain.user import Actor, Role, UserState
from netmon_tui.storage.account_repository import AccountRepository, NewUser
from netmon_tui.storage.audit_repository import NewEvent
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.database import Database
from netmon_tui.storage.job_repository import JobRepository
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.schema_version import open_database


@pytest.fixture
def database(tmp_path: Path):
    database = open_database(f"sqlite:///{tmp_path / 'n.db'}", backups=tmp_path)
    yield database
    database.close()


@pytest.fixture
def ada(database: Database) -> Actor:
    event = NewEvent("user.create")
    new = NewUser("ada", "", Role.ADMIN, UserState.ACTIVE, "", event.time)
    user = AccountRepository(database).create(new, event)
    return Actor(user.id, user.name, user.role)


def test_what_never_got_a_job_is_closed_and_nothing_else(database: Database, ada: Actor, tmp_path) -> None:
    scans, captures = ScanRepository(database), CaptureRepository(database)
    jobs = JobRepository(database, "machine")
    done, lost, at_work = (
        scans.create(ada, targets=("192.0.2.1",), profile="", arguments="", state=state, jobs=tmp_path)
        for state in (JobState.COMPLETED, JobState.RUNNING, JobState.RUNNING)
    )
    jobs.create(JobKind.SCAN, at_work, ada, ["nmap"], str(tmp_path), holder="me", seconds=10)
    # A capture with the number of a scan's job is another thing.
    captured = [captures.create(ada, StartCapture("lo"), filter="", jobs=tmp_path) for _ in range(at_work)]
    assert jobs.close_abandoned() == 0, "it may still be starting"
    assert jobs.close_abandoned(grace=0.0) == 1 + len(captured)
    states = [scans.get(ada, number).state for number in (done, lost, at_work)]
    assert states == [JobState.COMPLETED, JobState.INTERRUPTED, JobState.RUNNING]
    assert scans.get(ada, lost).error
    assert {captures.get(ada, number).state for number in captured} == {JobState.INTERRUPTED}
    assert jobs.close_abandoned(grace=0.0) == 0
