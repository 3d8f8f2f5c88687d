"""Waiting for facts about jobs and processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from netmon_tui.domain.job import JobKind, JobLimits, JobSpec, JobStatus
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.runtime.jobs import runner_is_alive
from netmon_tui.runtime.process_identity import identity_of

T = TypeVar("T")

SHELL = "/bin/sh"


def wait_for(fact: Callable[[], T], what: str, patience: float = 15.0) -> T:
    """Return the first true answer; fail when there is none in time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        answer = fact()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"never came: {what}")


def ended(directory: Path, patience: float = 15.0) -> JobStatus:
    """The last status of a job whose runner is gone too."""

    job = JobDirectory(directory)

    def last() -> JobStatus | None:
        status = job.read_status()
        return (
            status if status and status.state == "ended" and not runner_is_alive(status, directory) else None
        )

    return wait_for(last, f"the end of {directory.name}: {job.read_status()}", patience)


def is_gone(pid: int) -> bool:
    """Whether no living process has the number."""
    return identity_of(pid) is None


def shell(script: str, *, detached: bool = True, pty: bool = False, **limits: float) -> JobSpec:
    """A job that runs a shell script; no free-space floor unless one is given."""
    bounds = JobLimits(**({"free_space_floor": 0} | limits))
    return JobSpec(JobKind.SCAN, (SHELL, "-c", script), bounds, detached=detached, private_pty=pty)
