"""What runs and what happened: jobs and the audit trail."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from netmon_tui.domain.job import Job, JobKind, JobState
from netmon_tui.domain.user import Actor, AuditEvent, Permission
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.services.supervision import JobSupervisor
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.job_repository import JobRepository


class ActivityService:
    """Jobs for everybody, the trail for administrators."""

    def __init__(self, *, jobs: JobRepository, audit: AuditRepository, supervisor: JobSupervisor) -> None:
        self._jobs = jobs
        self._audit = audit
        self._supervisor = supervisor

    async def jobs(self, actor: Actor, window: Window = FIRST) -> list[Job]:
        """Return a window of the jobs the actor may see, newest first."""
        found = await asyncio.to_thread(self._jobs.find, actor, window)
        return [self._as_it_ended(job) for job in found]

    def _as_it_ended(self, job: Job) -> Job:
        if job.state.is_final or not self._supervisor.without_room.has(job):
            return job
        return replace(job, state=JobState.FAILED, error="it has ended, and there is no room to store how")

    async def count_jobs(self, actor: Actor, text: str = "") -> int:
        """Return how many lines :meth:`jobs` has."""
        return await asyncio.to_thread(self._jobs.count, actor, text)

    async def running(self, actor: Actor) -> int:
        """Return how many jobs the actor may see run or wait."""
        return await asyncio.to_thread(self._jobs.count_running, actor)

    async def stop_own(self, actor: Actor) -> int:
        """Ask every running job that the actor owns to stop; return how many that were."""
        mine = [
            job
            for kind in JobKind
            for job in await asyncio.to_thread(self._jobs.unfinished, kind)
            if job.owner_id == actor.user_id
        ]
        for job in mine:
            subject = f"{job.kind} {job.subject_id}"
            await asyncio.to_thread(self._audit.record, actor, f"{job.kind}.stop", subject, "all of mine")
        stops = (self._supervisor.stop(job.kind, job.subject_id) for job in mine)
        outcomes = await asyncio.gather(*stops, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome  # after every other one was asked
        return len(mine)

    async def audit(self, actor: Actor, window: Window = FIRST) -> list[AuditEvent]:
        """Return a window of the audit trail, newest first unless asked otherwise.

        Args:
            actor: An administrator.
            window: Sorted by ``id``, ``time``, ``actor``, ``action`` or ``subject``; ``!`` inverts its text.

        Raises:
            NotAllowed: The actor is no administrator.
        """
        actor.require(Permission.SEE_AUDIT)
        return await asyncio.to_thread(self._audit.find, window)

    async def count_audit(self, actor: Actor, text: str = "") -> int:
        """Return how many lines :meth:`audit` has."""
        actor.require(Permission.SEE_AUDIT)
        return await asyncio.to_thread(self._audit.count, text)
