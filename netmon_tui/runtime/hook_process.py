"""Programs that are told of events: bounded in time and output, without a shell, and never left behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
KEPT_BYTES = 2048
"""Of what a program prints; the rest is read and thrown away."""
_LOOK_SECONDS = 0.1
"""Between two looks whether it ended, though something that it started keeps its output open."""
_DEATH_SECONDS = 1.0
"""A program that was killed has ended by then, unless it may not be killed."""
_READ_BYTES = 65_536
_BREATH_BYTES = 16 * 1024 * 1024
"""Read of a program that floods before it has to wait: it takes no processor time from what matters."""


class Ended(NamedTuple):
    """How a program ended."""

    returncode: int
    """Negative for the signal that ended it."""
    output: str
    """The beginning of what it printed on stdout and stderr; foreign text."""
    overdue: bool
    """It was killed at the deadline, or because :func:`run_hook` was told to stop."""
    runs_on: int = 0
    """Its number, if it could not be killed: it has become another user's, by sudo perhaps."""


def run_hook(
    argv: Sequence[str],
    document: bytes,
    *,
    timeout: float,
    environment: Mapping[str, str] = ENVIRONMENT,
    stopped: Callable[[], bool] = lambda: False,
) -> Ended:
    """Run a program to its end, or kill it. Blocks: call it in a thread.

    When it has ended, what it started in its process group is ended as well. One that cannot be killed is left.

    Args:
        argv: The command, argv[0] an absolute path.
        document: What it reads on stdin.
        timeout: Seconds after which it is killed with its group.
        environment: All there is of it.
        stopped: Says that it is to be killed at once.

    Raises:
        OSError: It cannot be started.
    """
    with os.fdopen(os.memfd_create("event", os.MFD_CLOEXEC), "r+b") as source:
        source.write(document)
        source.seek(0)
        process = subprocess.Popen(
            argv,
            stdin=source.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
    try:
        output, overdue = _watch(process, time.monotonic() + timeout, stopped)
    finally:
        runs_on = not _end(process)
    words = output.decode("utf-8", "replace")
    return Ended(process.returncode or 0, words, overdue, process.pid if runs_on else 0)


def _end(process: subprocess.Popen[bytes]) -> bool:
    """Kill a program and its group, which has its number as long as it is not reaped; whether it has ended."""
    with suppress(PermissionError):  # it is another user's now
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.wait(_DEATH_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _watch(
    process: subprocess.Popen[bytes], deadline: float, stopped: Callable[[], bool]
) -> tuple[bytes, bool]:
    """Read the output until the program has ended; return its beginning, and whether it has not."""
    assert process.stdout is not None
    kept, count = bytearray(), 0
    with process.stdout as pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            ready = bool(selector.get_map()) and bool(selector.select(_LOOK_SECONDS))
            if ready:
                data = os.read(pipe.fileno(), _READ_BYTES)
                count += len(data)
                kept += data[: KEPT_BYTES - len(kept)]
                if not data:
                    selector.unregister(pipe)
            if (not ready or not selector.get_map()) and _has_ended(process.pid):
                return bytes(kept), False
            if stopped() or time.monotonic() > deadline:
                return bytes(kept), not _has_ended(process.pid)
            if not selector.get_map() or count > _BREATH_BYTES:
                time.sleep(_LOOK_SECONDS)


def _has_ended(pid: int) -> bool:
    """Whether a child has ended; it stays to be reaped."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
