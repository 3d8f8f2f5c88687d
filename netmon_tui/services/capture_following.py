"""Following a running capture: storing its figures, and recording how it ended."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from netmon_tui.domain.capture import Capture
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
NO_ROOM = "there is no room to store how it ended: free some space"

_ENDED_AS = {
    EndReason.FINISHED: JobState.COMPLETED,
    EndReason.STOPPED: JobState.COMPLETED,
    EndReason.DEADLINE: JobState.COMPLETED,
    EndReason.SIZE_LIMIT: JobState.COMPLETED,
    EndReason.QUOTA: JobState.COMPLETED,
    EndReason.FLOOR: JobState.COMPLETED,
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
        return status, over

    def give_up(self, job: Job, reason: str) -> None:
        """Record a capture as failed whose files could not be read (blocking)."""
        values = {"state": JobState.FAILED.value, "error": reason, "finished": datetime.now(UTC)}
        self._captures.update(job.subject_id, **values)

    def _finish(self, job: Job, directory: JobDirectory, status: JobStatus | None) -> None:
        files, damage, facts = take_stock(directory.path)
        packets = sum(file.packets for file in files)
        tool = Path(job.command[0]).name
        state, why, error = ending(status, packets, tool, tcpdump.complaint(directory.read_tail("stderr")))
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
        self._quota.tell(job.owner_id)
        self._supervisor.finish(job, state, error)


def ending(status: JobStatus | None, packets: int, tool: str, words: str) -> tuple[JobState, str, str]:
    """Say how a capture ended: (state, reason in a word, error for a person).

    Success is the files' to tell: their records, and those of deleted files, must be as many as the tool says it
    captured.

    Args:
        status: What the runner said last.
        packets: How many the files have.
        tool: What captured.
        words: The tool's own complaint, if it had one.
    """
    if status is None or status.state != "ended":
        kept = "what was captured is kept" if packets else "no packet is kept"
        return JobState.INTERRUPTED, "lost", f"the runner is gone; {kept}"
    why = status.why or EndReason.FAILED
    state = _ENDED_AS.get(why, JobState.FAILED)
    if state is JobState.FAILED:
        return state, why.value, _killed(status, packets, tool) or status.error or words or f"{tool} failed"
    counters = status.counters or CaptureCounters(captured=packets)
    reported = counters.captured - counters.overwritten
    if why not in (EndReason.SIZE_LIMIT, EndReason.QUOTA) and packets != reported:
        error = f"the file has {counted(packets, 'packet')}, {tool} reports {reported}"
        return JobState.FAILED, why.value, error
    return state, why.value, ""


def _killed(status: JobStatus, packets: int, tool: str) -> str:
    """Return what to say of a tool that a signal ended which was not ours; empty for others."""
    if status.why is not EndReason.FAILED or status.exit_status is None or status.exit_status >= 0:
        return ""
    number = -status.exit_status
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"{tool} was killed ({name}); {_kept(packets)}"


def _kept(packets: int) -> str:
    if not packets:
        return "nothing was captured"
    return f"the {counted(packets, 'packet')} before that {'is' if packets == 1 else 'are'} kept"


def unstored(capture: Capture, status: JobStatus | None) -> Capture:
    """Return a capture as its runner says that it ended, where there is no room to store that."""
    if status is None or status.state != "ended":
        return capture
    counters = status.counters or CaptureCounters()
    tool = capture.command[0].rpartition("/")[2] if capture.command else "the tool"
    state, why, error = ending(status, counters.packets, tool, "")
    error = f"{error}; {NO_ROOM}" if error else NO_ROOM
    return replace(capture, state=state, end_reason=why, error=error, counters=counters)
