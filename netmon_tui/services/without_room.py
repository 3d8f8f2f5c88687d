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
        self._jobs: set[tuple[JobKind, int]] = set()

    def note(self, job: Job, error: BaseException | None) -> None:
        """Take the outcome of an attempt to store what a job has written (blocking)."""
        status = JobDirectory(Path(job.directory)).read_status()
        if isinstance(error, DiskFull) and status is not None and status.state == "ended":
            _log.warning("the end of %s %d: %s", job.kind, job.subject_id, error)
            self._jobs.add((job.kind, job.subject_id))
        else:
            self._jobs.discard((job.kind, job.subject_id))

    def has(self, kind: JobKind, subject_id: int) -> bool:
        """Whether the last attempt for this job failed so."""
        return (kind, subject_id) in self._jobs
