"""What the supervisor of jobs holds on to, and for how long: real runners."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from netmon_tui.domain.job import Job, JobKind, JobLimits, JobSpec, JobState
from netmon_tui.errors import DiskFull
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.services.activity import ActivityService
from netmon_tui.services.supervision import JobSupervisor, read_status
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.job_repository import JobRepository, delete_job
from tests.unit.services.made_scans import Store

RUNS = JobSpec(JobKind.CAPTURE, ("/bin/sleep", "600"), JobLimits(free_space_floor=0))
"""What the supervisor starts here; it does not look into it."""


def pipes() -> set[str]:
    """The pipes of which this process has an end."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISFIFO(link.stat().st_mode):
                found.add(str(link.readlink()))
    return found


@contextlib.asynccontextmanager
async def supervising(store: Store, *, gives_up: bool = False) -> AsyncIterator[JobSupervisor]:
    """A supervisor whose follower waits for the end of a job, or fails at once."""
    supervisor = JobSupervisor(JobRepository(store.services.database, "here"))

    async def follow(job: Job) -> None:
        if gives_up:
            raise RuntimeError("followed no further")
        while not (await asyncio.to_thread(read_status, JobDirectory(Path(job.directory))))[1]:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(supervisor.finish, job, JobState.COMPLETED, "")

    supervisor.register(JobKind.CAPTURE, follow, lambda job, reason: None)
    try:
        yield supervisor
    finally:
        await supervisor.close()


async def test_the_lifeline_of_a_job_that_is_over_is_closed(store: Store, tmp_path: Path) -> None:
    before = pipes()
    async with supervising(store) as supervisor:
        for number in (1, 2):
            await supervisor.launch(JobKind.CAPTURE, number, store.ada, RUNS, tmp_path / f"job-{number}")
        both = pipes() - before
        await supervisor.stop(JobKind.CAPTURE, 1)
        await supervisor.wait(JobKind.CAPTURE, 1)
        await supervisor.sweep()
        (other,) = pipes() - before
        assert len(both) == 2 and other in both
        await supervisor.stop(JobKind.CAPTURE, 2)
        await supervisor.wait(JobKind.CAPTURE, 2)
        await supervisor.sweep()
        assert not pipes() - before


async def test_the_lifeline_of_a_job_that_is_followed_no_further_is_kept(
    store: Store, tmp_path: Path
) -> None:
    """Another program may follow it from here on; it is tied to this one all the same."""
    async with supervising(store, gives_up=True) as supervisor:
        tied = replace(RUNS, detached=False)
        job = await supervisor.launch(JobKind.CAPTURE, 1, store.ada, tied, tmp_path / "job")
        before = pipes()
        while job.id in supervisor._following:
            await asyncio.sleep(0.01)
        assert pipes() >= before
        status = JobDirectory(tmp_path / "job").read_status()
        assert status is not None and status.state == "running"
    while not read_status(JobDirectory(tmp_path / "job"))[1]:  # the lifeline is closed with the supervisor
        await asyncio.sleep(0.01)


async def test_a_job_that_goes_on_is_not_the_one_whose_end_had_no_room(store: Store, tmp_path: Path) -> None:
    jobs, audit = JobRepository(store.services.database, "here"), AuditRepository(store.services.database)
    supervisor = JobSupervisor(jobs)

    async def follow(job: Job) -> None:
        while not (await asyncio.to_thread(read_status, JobDirectory(Path(job.directory))))[1]:
            await asyncio.sleep(0.01)
        raise DiskFull("no space left")

    supervisor.register(JobKind.CAPTURE, follow, lambda job, reason: None)
    activity = ActivityService(jobs=jobs, audit=audit, supervisor=supervisor)
    try:
        ended = await supervisor.launch(JobKind.CAPTURE, 1, store.ada, RUNS, tmp_path / "job")
        await supervisor.stop(JobKind.CAPTURE, 1)
        with pytest.raises(DiskFull):
            await supervisor.wait_for(ended)
        assert (await activity.jobs(store.ada))[0].state is JobState.FAILED
        store.services.database.write(lambda connection: delete_job(connection, JobKind.CAPTURE, 1))
        again = await supervisor.launch(JobKind.CAPTURE, 1, store.ada, RUNS, tmp_path / "again")
        assert (await activity.jobs(store.ada))[0].state is not JobState.FAILED
        waiting = asyncio.create_task(supervisor.wait_for(again))
        await supervisor.stop(JobKind.CAPTURE, 1)
        with pytest.raises(DiskFull):  # its own end, once it has come to that
            await waiting
        assert read_status(JobDirectory(tmp_path / "again"))[1]
    finally:
        await supervisor.close()
