"""Start, follow, stop and adopt durable jobs. Everything blocks: call it in a thread."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from netmon_tui.domain.job import EndReason, JobKind, JobSpec, JobStatus, ProcessIdentity
from netmon_tui.errors import DiskFull, ToolFailed, ToolMissing
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.runtime.process_identity import is_alive, members_of_group, send_signal

RUNNER = Path(__file__).parent / "runner" / "__main__.py"
START_PATIENCE = 15.0
"""Seconds for the runner to say that the tool runs."""
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
_NOT_YET = JobStatus(state="starting", runner=ProcessIdentity(0, 0, ""))
_KILL_PATIENCE = (1.0, 1.0, 5.0)


@dataclass(slots=True)
class JobHandle:
    """A job that this process started.

    While the handle is open, its runner knows that we live. A job that is not detached is stopped when the
    handle is closed or this process ends, in whatever way.
    """

    directory: Path
    status: JobStatus
    """What the runner said when the tool ran (or had already ended)."""
    lifeline: int = -1
    """Write end of the pipe that is the runner's stdin; -1 for none."""

    def close(self) -> None:
        """Let go of the lifeline."""
        if self.lifeline >= 0:
            os.close(self.lifeline)
            self.lifeline = -1


def start_job(
    directory: Path, spec: JobSpec, *, lifeline: bool = True, patience: tuple[float, float] | None = None
) -> JobHandle:
    """Start a runner for a new job and wait until its tool runs.

    Args:
        directory: The job directory, which is made when it does not exist.
        spec: What to run.
        lifeline: Whether the runner shall notice the end of this process.
        patience: Seconds from SIGINT to SIGTERM and on to SIGKILL when the job is stopped.

    Raises:
        ToolMissing: The tool is not where the command says.
        DiskFull: The file system has less space than the limits ask for.
        ToolFailed: The tool or the runner could not start; a capture also when it ended without capturing.
    """
    job = JobDirectory(directory)
    if not directory.is_dir():
        job.create()
    job.write_spec(spec, patience=patience)
    handle = JobHandle(directory, _NOT_YET)
    if lifeline:
        reader, handle.lifeline = os.pipe()
    else:
        reader = os.open(os.devnull, os.O_RDONLY)
    try:
        _launch(job, reader)
        handle.status = _wait_for_start(job)
    except BaseException:
        handle.close()
        raise
    finally:
        os.close(reader)
    _refuse_failed_start(spec, handle)
    return handle


def _launch(job: JobDirectory, stdin: int) -> None:
    """Start the runner; it leaves our family at once, so what we wait for here is only the first fork."""
    environment = dict(_ENVIRONMENT)
    if "TZ" in os.environ:
        environment["TZ"] = os.environ["TZ"]
    flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW
    log = os.open(job.log, flags, 0o600)
    try:
        subprocess.run(
            [sys.executable, "-I", "-S", str(RUNNER), str(job.path)],
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
            start_new_session=True,
            check=False,
        )
    finally:
        os.close(log)


def _wait_for_start(job: JobDirectory) -> JobStatus:
    deadline = time.monotonic() + START_PATIENCE
    while True:
        status = job.read_status()
        if status and status.state != "starting":
            return status
        late = time.monotonic() > deadline
        if late and status and is_alive(status.runner):
            return status
        if late or (status and not is_alive(status.runner)):
            last = job.read_status()
            if last and last.state != "starting":
                return last  # it ended between the two looks
            why = job.log.read_text("utf-8", "replace").strip().rpartition("\n")[2][:500]
            raise ToolFailed("the runner of the job did not start", why=why)
        time.sleep(0.01)


def _refuse_failed_start(spec: JobSpec, handle: JobHandle) -> None:
    """Raise what a tool that never ran has to say."""
    status = handle.status
    if status.state != "ended" or status.started:
        return
    handle.close()
    tool = Path(spec.argv[0])
    if status.why is EndReason.START_FAILED and not tool.exists():
        raise ToolMissing(f"{tool.name} is not installed", why=f"{tool} does not exist")
    if status.why is EndReason.STOPPED:
        return
    if status.why is EndReason.DISK_FULL:
        has_floor = spec.kind is JobKind.CAPTURE and spec.limits.free_space_floor
        setting = ", or lower captures.free_space_floor_bytes" if has_floor else ""
        raise DiskFull(f"{tool.name} was not started", why=status.error, fix=f"free some space{setting}")
    raise ToolFailed(f"{tool.name} could not start", why=status.error)


def request_stop(directory: Path) -> None:
    """Ask the runner to stop its tool: by the ladder, and a capture after its last packets.

    Returns at once. The status says how it went.

    Raises:
        PrivilegeMissing: The job belongs to another user.
        OSError: The request could not be written down and there was no runner to tell.
    """
    job = JobDirectory(directory)
    status = job.read_status()
    told = status is not None and send_signal(status.runner, signal.SIGTERM)
    try:
        os.close(os.open(job.stop, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
    except OSError:
        if not told:  # a full disk is no reason not to stop
            raise


def request_pause(directory: Path, *, paused: bool) -> None:
    """Ask the runner to halt its tool, or to let it go on. Returns at once; the status says when it is so."""
    file = JobDirectory(directory).pause
    if paused:
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
    else:
        file.unlink(missing_ok=True)


def runner_is_alive(status: JobStatus | None, directory: Path) -> bool:
    """Whether the job is still watched. If not, and the state is not ``ended``, it was interrupted.

    Args:
        status: What the runner said last: its number, which means nothing in another pid namespace. None where
            it said nothing, or that is damaged.
        directory: The job directory, in which it holds a lock, as all namespaces see.
    """
    return (status is not None and is_alive(status.runner)) or _is_held(JobDirectory(directory).spec)


def is_over(status: JobStatus | None, directory: Path) -> bool:
    """Whether nothing more will come from the runner of a job; arguments as for :func:`runner_is_alive`."""
    return (status is not None and status.state == "ended") or not runner_is_alive(status, directory)


def _is_held(path: Path) -> bool:
    """Whether a runner holds its lock on a file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # gone, or another user's
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look do not see each other
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def sweep_orphan(status: JobStatus, directory: Path) -> bool:
    """Kill what a runner that died without stopping its tool has left. Returns whether there was anything to kill.

    Args:
        status: What the runner said last.
        directory: The job directory.

    Raises:
        PrivilegeMissing: It belongs to another user.
    """
    tool = ProcessIdentity(status.tool_pid, status.tool_start_ticks, status.runner.boot_id)
    if runner_is_alive(status, directory):
        return False
    left = _left_of(tool, directory)
    if not left:
        return False
    for number, patience in zip((signal.SIGINT, signal.SIGTERM, signal.SIGKILL), _KILL_PATIENCE, strict=True):
        left |= _left_of(tool, directory)
        for process in left:
            send_signal(process, number)
        deadline = time.monotonic() + patience
        while any(map(is_alive, left)) and time.monotonic() < deadline:
            time.sleep(0.02)
    return True


def _left_of(tool: ProcessIdentity, directory: Path) -> set[ProcessIdentity]:
    """Return who is left of the group that the tool leads or led."""
    members = set(members_of_group(tool.pid)) if tool.pid > 0 else set()
    if is_alive(tool):  # while it lives the number of its group cannot be anybody else's
        return members
    leader_is_another = any(member.pid == tool.pid for member in members)
    if leader_is_another:
        return set()
    return {one for one in members if one.boot_id == tool.boot_id and _speaks_of(directory, one.pid)}


def _speaks_of(directory: Path, pid: int) -> bool:
    """Whether a process was told to work in a job directory: all that tells ours by when its leader is gone."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return os.fsencode(f"{directory}/") in command
