"""Jobs whose end cannot be stored: the disk is too full."""

from __future__ import annotations

import logging
from pathlib import Path

from netmon_tui.domain.job import Job, JobKind
from netmon_tui.errors import DiskFull
from netmon_tui.runtime.job_directory import JobDirectory

_log = logging.getLogger(__name__)


class WithoutRoom:
    """The jobs that have ended while there was no room to store that."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[JobKind, int], Job] = {}
        """By subject, which may have another job by now: a scan that goes on gets a new one."""

    def note(self, job: Job, error: BaseException | None) -> None:
        """Take the outcome of an attempt to store what a job has written (blocking)."""
        # of another error the status says nothing here, and may itself be what cannot be read
        status = JobDirectory(Path(job.directory)).read_status() if isinstance(error, DiskFull) else None
        if status is not None and status.state == "ended":
            _log.warning("the end of %s %d: %s", job.kind, job.subject_id, error)
            self._jobs[job.kind, job.subject_id] = job
        else:
            self._jobs.pop((job.kind, job.subject_id), None)

    def has(self, job: Job) -> bool:
        """Whether the last attempt for exactly this job failed so."""
        noted = self._jobs.get((job.kind, job.subject_id))
        return noted is not None and (noted.id, noted.created) == (job.id, job.created)

    def has_capture(self, capture_id: int) -> bool:
        """Whether the last attempt for the job of a capture failed so: a capture never gets another."""
        return (JobKind.CAPTURE, capture_id) in self._jobs
