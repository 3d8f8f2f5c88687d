"""What scans and captures share: starting a durable job, the lease on it, and following it to its end.

The files of a job are the truth and this program is a tail of them. Whoever holds a job's lease reads its files
into the database; every other running program reads rows. A lease that is not renewed expires, and the next
program that looks takes over: that is how a job survives the program that started it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from netmon_tui.domain.job import Job, JobKind, JobSpec, JobState, JobStatus
from netmon_tui.domain.user import Actor
from netmon_tui.errors import DatabaseLocked, DiskFull, NetmonError, StorageError
from netmon_tui.runtime import jobs as runtime_jobs
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.services.without_room import WithoutRoom
from netmon_tui.storage.job_repository import JobRepository

LEASE_SECONDS = 10.0
SWEEP_SECONDS = 4.0
"""How often to look for jobs that nobody follows."""
FIRST_REST, FIRST_SECONDS, LATER_REST = 0.25, 10.0, 1.0
"""Seconds between two looks at the files of a job, at first and for how long, and then."""
STIRRED_REST, STIRRED_SECONDS = 0.1, 3.0
"""The same for some time after a job was asked to do something: whoever asked waits for it."""
ATTEMPTS = 3
"""How often the files of a job that is over are read before they are given up."""
RETRY_SECONDS = 1.0

Follower = Callable[[Job], Awaitable[None]]
GiveUp = Callable[[Job, str], None]
_log = logging.getLogger(__name__)


class JobSupervisor:
    """Starts jobs and sees that every unfinished job of this machine is followed by somebody.

    Args:
        jobs: The jobs' rows.
        reading: Whether this program follows jobs at all (a short command does not).
    """

    def __init__(self, jobs: JobRepository, *, reading: bool = True) -> None:
        self._jobs = jobs
        self._reading = reading
        self._holder = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._followers: dict[JobKind, tuple[Follower, GiveUp]] = {}
        self._following: dict[int, asyncio.Task[None]] = {}
        self._launching: set[tuple[JobKind, int]] = set()
        """Jobs whose runner is not there yet: a sweep would take them for lost."""
        self._rests: dict[int, _Rest] = {}
        self.without_room = WithoutRoom()
        """Jobs whose end cannot be stored; it is tried again with each sweep."""
        self._also: list[Callable[[], Awaitable[None]]] = []
        self._handles: list[runtime_jobs.JobHandle] = []
        """With the lifelines of jobs that this program started and that are not over."""
        self._sweeper: asyncio.Task[None] | None = None

    def register(self, kind: JobKind, follower: Follower, give_up: GiveUp) -> None:
        """Say who follows jobs of a kind.

        Args:
            kind: The kind.
            follower: Returns when the job is finished in the database.
            give_up: Records the subject as failed for a reason (blocking), when the follower never could.
        """
        self._followers[kind] = (follower, give_up)

    def on_sweep(self, work: Callable[[], Awaitable[None]]) -> None:
        """Say what else is looked after as often as unfollowed jobs are looked for, and after each job's end."""
        self._also.append(work)

    async def start(self) -> None:
        """Adopt what is unfinished now, and go on looking."""
        if self._reading and self._sweeper is None:
            await self.sweep()
            self._sweeper = asyncio.create_task(self._sweep_for_ever(), name="job sweeper")

    async def close(self) -> None:
        """Stop following; the jobs themselves go on. Leases are given back for the next program."""
        tasks = [*self._following.values(), *([self._sweeper] if self._sweeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._sweeper = None
        for handle in self._handles:
            handle.close()
        self._handles.clear()

    async def launch(self, kind: JobKind, subject_id: int, actor: Actor, spec: JobSpec, path: Path) -> Job:
        """Start a runner for the spec in a new job directory and follow it.

        Raises:
            ToolMissing, ToolFailed, StorageError: The runner did not get the tool to run; the job is failed.
        """
        self._launching.add((kind, subject_id))
        try:
            return await self._launch(kind, subject_id, actor, spec, path)
        finally:
            self._launching.discard((kind, subject_id))

    async def _launch(self, kind: JobKind, subject_id: int, actor: Actor, spec: JobSpec, path: Path) -> Job:
        job_id = await asyncio.to_thread(
            self._jobs.create,
            kind,
            subject_id,
            actor,
            spec.argv,
            str(path),
            holder=self._holder,
            seconds=LEASE_SECONDS,
        )
        try:
            handle = await asyncio.to_thread(runtime_jobs.start_job, path, spec)
        except (NetmonError, OSError) as error:
            await asyncio.to_thread(self._jobs.finish, job_id, JobState.FAILED, str(error))
            raise
        self._handles.append(handle)  # the lifeline: the runner sees when this program ends
        await asyncio.to_thread(self._jobs.set_running, job_id, handle.status.runner)
        job = await asyncio.to_thread(self._jobs.of, kind, subject_id)
        assert job is not None
        if self._reading:
            self._follow(job)
        else:
            await asyncio.to_thread(self._jobs.release_lease, job_id, self._holder)
        return job

    async def stop(self, kind: JobKind, subject_id: int) -> None:
        """Ask the runner of a job to stop its tool; the end is recorded by whoever follows it."""
        job = await asyncio.to_thread(self._jobs.of, kind, subject_id)
        if job is not None and not job.state.is_final:
            await asyncio.to_thread(runtime_jobs.request_stop, Path(job.directory))
            if rest := self._rests.get(job.id):  # none where another program follows it
                rest.stir()

    async def pause(self, kind: JobKind, subject_id: int, *, paused: bool) -> bool:
        """Ask the runner of a job to halt its tool, or to let it go on; False when there is no job."""
        job = await asyncio.to_thread(self._jobs.of, kind, subject_id)
        if job is not None and not job.state.is_final:
            await asyncio.to_thread(runtime_jobs.request_pause, Path(job.directory), paused=paused)
            if rest := self._rests.get(job.id):  # none where another program follows it
                rest.stir()
        return job is not None

    async def job_with_runner(
        self, kind: JobKind, subject_id: int, patience: float = runtime_jobs.START_PATIENCE
    ) -> Job | None:
        """Return the job once it has a runner that can be asked something; None when it gets none in time.

        Args:
            kind: Of a scan or a capture.
            subject_id: Which one.
            patience: Seconds to wait for it at most.
        """
        deadline = time.monotonic() + patience
        while True:
            job = await asyncio.to_thread(self._jobs.of, kind, subject_id)
            if job is not None and await asyncio.to_thread(JobDirectory(Path(job.directory)).status.exists):
                return job
            if time.monotonic() >= deadline:
                return None
            await asyncio.sleep(0.05)

    async def wait(self, kind: JobKind, subject_id: int, *, poll: float = 0.1) -> None:
        """Return once the job is finished, whoever follows it, or gone."""
        job = await asyncio.to_thread(self._jobs.of, kind, subject_id)
        if job is not None:
            await self.wait_for(job, poll=poll)

    async def wait_for(self, job: Job, *, poll: float = 0.1) -> None:
        """Return once exactly this job is finished or gone: a scan that goes on gets a new one.

        Raises:
            DiskFull: It has ended, and there is no room to store that: nobody knows when there will be.
        """
        await self.start()  # whoever follows it may die, or be kept off by a locked database
        while True:
            now = await asyncio.to_thread(self._jobs.of, job.kind, job.subject_id)
            if now is None or (now.id, now.created) != (job.id, job.created) or now.state.is_final:
                return
            if self.without_room.has(now):
                told = f"{job.kind} {job.subject_id} has ended, and there is no room to store how"
                raise DiskFull(told, fix="free some space: then it is stored")
            task = self._following.get(job.id)
            await asyncio.wait([task], timeout=poll) if task else await asyncio.sleep(poll)

    async def sweep(self) -> None:
        """Follow every unfinished job of this machine that nobody else follows."""
        await self._look_after()
        for kind in self._followers:
            for job in await asyncio.to_thread(self._jobs.unfinished, kind):
                if job.id in self._following or (kind, job.subject_id) in self._launching:
                    continue
                try:
                    is_ours = await asyncio.to_thread(
                        self._jobs.take_lease, job.id, self._holder, LEASE_SECONDS
                    )
                except DiskFull as error:  # what is there can be read all the same
                    await asyncio.to_thread(self.without_room.note, job, error)
                    continue
                if is_ours:
                    self._follow(job)

    async def _look_after(self) -> None:
        # Where following ended the job may go on, and needs its lifeline: another program follows it.
        for handle in await asyncio.to_thread(_over, tuple(self._handles)):
            handle.close()
        self._handles = [handle for handle in self._handles if handle.lifeline >= 0]
        for work in self._also:
            await work()

    async def catch_up(self) -> None:
        """Wait until all that the jobs followed here have written by now is in the database.

        For commands that do not stay: without it a detached job would look as if it ran for ever.
        """
        if self._reading:
            waits = [
                _first_of(self._following[job_id], self._rests[job_id].was_reached)
                for job_id in self._following
            ]
            await asyncio.gather(*waits)

    async def rest(self, job: Job) -> None:
        """Wait before the files of a job are looked at again; called by its follower.

        Everything that it has written so far is in the database then.
        """
        await self._rests[job.id].take()

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except NetmonError as error:
                _log.warning("looking for unfollowed jobs: %s", error)

    def _follow(self, job: Job) -> None:
        self._rests[job.id] = _Rest()
        task = asyncio.create_task(self._follow_with_lease(job), name=f"follow {job.kind} {job.subject_id}")
        self._following[job.id] = task
        task.add_done_callback(lambda _: self._forget(job.id))

    def _forget(self, job_id: int) -> None:
        self._following.pop(job_id, None)
        self._rests.pop(job_id, None)

    async def _follow_with_lease(self, job: Job) -> None:
        try:
            await self._follow_to_the_end(job)
        finally:
            await asyncio.to_thread(self._jobs.release_lease, job.id, self._holder)
        try:
            await self._look_after()
        except NetmonError as error:
            _log.warning("after the end of %s %d: %s", job.kind, job.subject_id, error)

    async def _follow_to_the_end(self, job: Job) -> None:
        for _ in range(ATTEMPTS):
            error = await self._try_to_follow(job)
            if error is None or not await asyncio.to_thread(_is_over, job, error):
                return  # done, or a later sweep tries again
            await asyncio.sleep(RETRY_SECONDS)
        await self._give_up(job, str(error) or type(error).__name__)

    async def _try_to_follow(self, job: Job) -> BaseException | None:
        """Follow a job to its end or until the lease is lost; return why that failed, if it did.

        A follower is looked at from outside, because one that fails for a reason nobody thought of must not
        make its job run for ever.
        """
        follower, _ = self._followers[job.kind]
        following = asyncio.ensure_future(follower(job))
        renewal = asyncio.create_task(self._renew(job, following))
        try:
            await asyncio.wait({following})
        finally:
            for task in (renewal, following):
                task.cancel()
            await asyncio.gather(renewal, following, return_exceptions=True)
        error = None if following.cancelled() else following.exception()
        if error is not None:
            _log.error("following %s %d: %s", job.kind, job.subject_id, error, exc_info=error)
        await asyncio.to_thread(self.without_room.note, job, error)
        return error

    async def _give_up(self, job: Job, reason: str) -> None:
        error = f"the results cannot be stored: {reason}; the files are kept in {job.directory}"
        _, give_up = self._followers[job.kind]
        try:
            await asyncio.to_thread(give_up, job, error)
            await asyncio.to_thread(self.finish, job, JobState.FAILED, error)
        except NetmonError as trouble:
            _log.error("giving up %s %d: %s", job.kind, job.subject_id, trouble)

    async def _renew(self, job: Job, following: asyncio.Future[None]) -> None:
        """Keep the lease; when it is lost (this program was stopped for a while), stop following."""
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                if not await asyncio.to_thread(self._jobs.take_lease, job.id, self._holder, LEASE_SECONDS):
                    following.cancel()
                    return
            except NetmonError as error:
                _log.warning("renewing the lease of job %d: %s", job.id, error)

    def finish(self, job: Job, state: JobState, error: str) -> None:
        """Record a job's end (blocking)."""
        self._jobs.finish(job.id, state, error)
        _log.info("%s %d: %s", job.kind, job.subject_id, f"{state}: {error}" if error else state)


class _Rest:
    """The rests of the follower of one job: short at first, for most jobs are."""

    def __init__(self) -> None:
        self.was_reached = asyncio.Event()
        """Set once there was one."""
        self._stirred = asyncio.Event()
        self._began = time.monotonic()
        self._stirred_at = -STIRRED_SECONDS

    def stir(self) -> None:
        """End the one that is taken, and make those that follow short for a while."""
        self._stirred_at = time.monotonic()
        self._stirred.set()

    async def take(self) -> None:
        """Wait."""
        self.was_reached.set()
        self._stirred.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds()):
                await self._stirred.wait()

    def _seconds(self) -> float:
        now = time.monotonic()
        if now - self._stirred_at < STIRRED_SECONDS:
            return STIRRED_REST
        return FIRST_REST if now - self._began < FIRST_SECONDS else LATER_REST


async def _first_of(task: asyncio.Task[None], event: asyncio.Event) -> None:
    """Wait for one of them."""
    happened = asyncio.create_task(event.wait())
    await asyncio.wait({task, happened}, return_when=asyncio.FIRST_COMPLETED)
    happened.cancel()


def _is_over(job: Job, error: BaseException) -> bool:
    """Whether following failed for good: nothing more will come, and it is not the database that is in the way."""
    return not isinstance(error, DatabaseLocked | DiskFull) and _has_ended(Path(job.directory))


def _has_ended(directory: Path) -> bool:
    """Whether nothing more will come from the runner of a job."""
    with suppress(StorageError):
        return runtime_jobs.is_over(JobDirectory(directory).read_status(), directory)
    return False  # nobody knows: a later look may be luckier


def _over(handles: Sequence[runtime_jobs.JobHandle]) -> list[runtime_jobs.JobHandle]:
    """Return those of jobs that have ended (blocking)."""
    return [handle for handle in handles if _has_ended(handle.directory)]


def is_halted(job: Job) -> bool:
    """Whether the tool of a job stands still because somebody paused it (blocking)."""
    status = JobDirectory(Path(job.directory)).read_status()
    return status is not None and status.state == "paused"


def read_status(directory: JobDirectory) -> tuple[JobStatus | None, bool]:
    """Return what the runner last said, and whether nothing more will come (blocking).

    A runner that was killed leaves a status that says running: its tool, if it lives, is ended here, because
    nobody would watch it any more.
    """
    status = directory.read_status()
    is_over = runtime_jobs.is_over(status, directory.path)
    if is_over and (status is None or status.state != "ended"):
        if status is not None:
            runtime_jobs.sweep_orphan(status, directory.path)
        directory.clear_away()
        status = directory.read_status() or status
    return status, is_over
