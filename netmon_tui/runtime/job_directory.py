"""The directory of a job: what lies in it, and how spec and status are written there.

::

    JOBDIR/           0700
      spec.json       what the runner shall do; written once, before it starts, and locked as long as it lives
      status.json     what it says; replaced as a whole
      stop            exists when somebody asked it to stop
      pause           exists while somebody wants the tool halted
      stdout, stderr  the tool's output, each kept up to 64 MiB
      runner.log      what the runner itself had to say; normally empty
      home/           the tool's HOME, empty
      tls-keys.log    TLS keys that somebody gave for its packets
      earlier/        the files of the run that this one goes on with
      (capture files) named by the spec
"""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netmon_tui.domain.job import (
    CaptureCounters,
    EndReason,
    JobSpec,
    JobStatus,
    ProcessIdentity,
)
from netmon_tui.errors import StorageError

EARLIER = "earlier"
"""Name of the directory, in that of a job, with the files of the run that it goes on with."""

_IN_HAND = ("reserve", "status.json.tmp", "next.part")
"""Files that a runner makes for itself and deletes or renames before it ends."""


class JobDirectory:
    """One job's directory; nothing is cached, the files are the truth.

    Args:
        path: The directory, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = path / "spec.json"
        self.status = path / "status.json"
        self.stop = path / "stop"
        self.pause = path / "pause"
        self.stdout = path / "stdout"
        self.stderr = path / "stderr"
        self.log = path / "runner.log"

    def create(self) -> None:
        """Make the directory, private to its owner.

        Raises:
            FileExistsError: There is something of this name already.
        """
        self.path.mkdir(mode=0o700, parents=True)

    def write_spec(self, spec: JobSpec, *, patience: tuple[float, float] | None = None) -> None:
        """Write ``spec.json``.

        Args:
            spec: What the runner shall do.
            patience: Seconds from SIGINT to SIGTERM and on to SIGKILL, when not the runner's own.

        Raises:
            ValueError: The capture file is not a plain name, or the command not an absolute path.
        """
        if "/" in spec.capture_file or spec.capture_file.startswith("."):
            raise ValueError("a capture file is a plain name in the job directory")
        if not spec.argv or not spec.argv[0].startswith("/"):
            raise ValueError("a tool is started by its absolute path")
        data = asdict(spec)
        if patience is not None:
            data["patience"] = patience
        write_private(self.spec, data)

    def read_status(self) -> JobStatus | None:
        """Return what the runner last said; None when it never did or the file is damaged or none.

        Raises:
            StorageError: The system does not let it be read now.
        """
        try:
            return _status_from(json.loads(self.status.read_bytes()))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, TypeError, KeyError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None
            raise StorageError(f"cannot read {self.status}", why=error.strerror or str(error)) from error

    def clear_away(self) -> None:
        """Delete what a runner that was killed had in its hands; what cannot be deleted is in nobody's way."""
        for name in _IN_HAND:
            with suppress(OSError):
                (self.path / name).unlink()

    def read_tail(self, name: str, limit: int = 64 * 1024) -> str:
        """Return the end of one of its text files, at most ``limit`` bytes; empty when there is none."""
        try:
            with (self.path / name).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - limit))
                return file.read(limit).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""


def write_private(path: Path, data: dict[str, Any]) -> None:
    """Write a JSON document as a whole or not at all, for its owner alone."""
    temporary = path.with_name(path.name + ".tmp")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(data, file)
    temporary.replace(path)


def was_begun(path: Path) -> bool:
    """Whether a job of this directory has run, also when it was being set aside just then."""
    return path.is_dir() or path.with_name(path.name + ".next").is_dir()


def seconds_run(path: Path) -> float:
    """Return how long the tools of a job have run: this run and those that it goes on with, without pauses."""
    run = path if path.is_dir() else path.with_name(path.name + ".next") / EARLIER
    total = 0.0
    while run.is_dir():
        job = JobDirectory(run)
        status = job.read_status()
        if status is not None and status.started:
            total += max(0.0, (status.ended or _last_seen(job, status)) - status.started - status.halted)
        run /= EARLIER
    return total


def _last_seen(job: JobDirectory, status: JobStatus) -> float:
    """Return the POSIX time at which a tool whose runner was killed is known to have run."""
    files = (job.status,) if status.state == "paused" else (job.status, job.stdout, job.stderr)
    return max(file.stat().st_mtime for file in files if file.exists())


def set_aside(path: Path) -> None:
    """Move the files of a job that ended into ``earlier`` of a new directory at the same path.

    A program that dies in between leaves them in ``PATH.next/earlier``; the next call finishes that.
    """
    following = path.with_name(path.name + ".next")
    following.mkdir(mode=0o700, exist_ok=True)
    if path.is_dir():
        path.rename(following / EARLIER)
    following.rename(path)


def _status_from(data: dict[str, Any]) -> JobStatus:
    why, counters = data["why"], data["counters"]
    fields = {name: data[name] for name in ("state", "tool_pid", "tool_start_ticks", "started", "ended")}
    return JobStatus(
        **fields,
        halted=data.get("halted", 0.0),  # a runner of an older version knows no pauses
        runner=ProcessIdentity(**data["runner"]),
        why=None if why is None else EndReason(why),
        exit_status=data["exit_status"],
        error=data["error"],
        counters=None if counters is None else _counters_from(counters),
    )


def _counters_from(data: dict[str, Any]) -> CaptureCounters:
    protocols = tuple((name, count) for name, count in data["protocols"])
    return CaptureCounters(**(data | {"protocols": protocols}))
