"""Following a running capture: storing its figures, and recording how it ended."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from netmon_tui.domain.counted import counted
from netmon_tui.domain.job import CaptureCounters, EndReason, Job, JobState, JobStatus
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.services.capture_quota import CaptureQuota
from netmon_tui.services.capture_stock import of_files, take_stock
from netmon_tui.services.supervision import JobSupervisor, read_status
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools import tcpdump

STORE_SECONDS = 1.0
"""How often a running capture's figures are stored; whoever shows one capture asks its runner."""

_ENDED_AS = {
    EndReason.FINISHED: JobState.COMPLETED,
    EndReason.STOPPED: JobState.COMPLETED,
    EndReason.DEADLINE: JobState.COMPLETED,
    EndReason.SIZE_LIMIT: JobState.COMPLETED,
    EndReason.QUOTA: JobState.COMPLETED,
    EndReason.LIFELINE: JobState.INTERRUPTED,
}
"""Stopping is how a capture ends; everything else is a failure that keeps what was captured."""


class CaptureFollower:
    """Follows captures.

    Args:
        captures: Storage.
        quota: What users may keep.
        supervisor: Says when to look again.
    """

    def __init__(self, captures: CaptureRepository, quota: CaptureQuota, supervisor: JobSupervisor) -> None:
        self._captures = captures
        self._quota = quota
        self._supervisor = supervisor

    async def follow(self, job: Job) -> None:
        """Copy the runner's figures until it is done, then take stock of the file."""
        directory = JobDirectory(Path(job.directory))
        status = await self._copy_figures(job, directory)
        await asyncio.to_thread(self._finish, job, directory, status)

    async def _copy_figures(self, job: Job, directory: JobDirectory) -> JobStatus | None:
        stored: CaptureCounters | None = None
        stored_at = 0.0
        while True:
            is_due = time.monotonic() - stored_at >= STORE_SECONDS
            status, over = await asyncio.to_thread(self._copy, job, directory, stored, is_due=is_due)
            if over:
                return status
            if is_due and status is not None and status.counters != stored:
                stored, stored_at = status.counters, time.monotonic()
            await self._supervisor.rest(job)

    def _copy(
        self, job: Job, directory: JobDirectory, stored: CaptureCounters | None, *, is_due: bool
    ) -> tuple[JobStatus | None, bool]:
        """Read what the runner says, and store what is new of it if that is due or all is over (blocking)."""
        status, over = read_status(directory)
        counters = status.counters if status is not None else None
        if counters is not None and counters != stored and (is_due or over):
            self._captures.update_counters(job.subject_id, counters)
            # Each runner knows its own bytes, and of other captures only what they had when it began.
            if self._quota.is_used_up(job.owner_id):
                directory.quota.touch()
        return status, over

    def give_up(self, job: Job, reason: str) -> None:
        """Record a capture as failed whose files could not be read (blocking)."""
        values = {"state": JobState.FAILED.value, "error": reason, "finished": datetime.now(UTC)}
        self._captures.update(job.subject_id, **values)

    def _finish(self, job: Job, directory: JobDirectory, status: JobStatus | None) -> None:
        files, damage, facts = take_stock(directory.path)
        packets = sum(file.packets for file in files)
        tool = Path(job.command[0]).name
        state, why, error = _ending(status, packets, tool, tcpdump.complaint(directory.read_tail("stderr")))
        if damage:
            state = JobState.FAILED if state is JobState.COMPLETED else state
            error = f"{error}; {damage}" if error else damage
        counters = (status.counters if status else None) or CaptureCounters()
        self._captures.update_counters(job.subject_id, of_files(counters, files))
        self._captures.finish(
            job.subject_id,
            files,
            state=state.value,
            end_reason=why,
            error=error,
            finished=datetime.fromtimestamp(status.ended, UTC)
            if status and status.ended
            else datetime.now(UTC),
            **facts,
        )
        self._supervisor.finish(job, state, error)


def _ending(status: JobStatus | None, packets: int, tool: str, words: str) -> tuple[JobState, str, str]:
    """Say how a capture ended: (state, reason in a word, error for a person).

    Success is the files' to tell: their records, and those of deleted files, must be as many as the tool says it
    captured.
    """
    if status is None or status.state != "ended":
        return JobState.INTERRUPTED, "lost", "the runner is gone; what was captured is kept"
    why = status.why or EndReason.FAILED
    state = _ENDED_AS.get(why, JobState.FAILED)
    if state is JobState.FAILED:
        return state, why.value, status.error or words or f"{tool} failed"
    counters = status.counters or CaptureCounters(captured=packets)
    reported = counters.captured - counters.overwritten
    if why not in (EndReason.SIZE_LIMIT, EndReason.QUOTA) and packets != reported:
        error = f"the file has {counted(packets, 'packet')}, {tool} reports {reported}"
        return JobState.FAILED, why.value, error
    return state, why.value, ""
