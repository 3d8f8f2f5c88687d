"""Small children for checks, such as ``tcpdump -d``: short, bounded in everything, and without rights."""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from netmon_tui.errors import ToolMissing

PRLIMIT = "/usr/bin/prlimit"
"""Of util-linux. Python's own ways: code between fork and exec is not safe in a program with threads, and
limiting somebody else's process from outside takes CAP_SYS_RESOURCE, which root in a container has not."""
MEMORY_BYTES = 1 << 30
"""Address space of a check."""
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "WIRESHARK_CONFIG_DIR": "/nonexistent",
}
_NOBODY = 65_534
"""User nobody and group nogroup, by the same number on Debian."""
_PIECE = 65_536
_LOOK_SECONDS = 0.5
"""Between two looks whether the output of a child that was killed has come to its end."""


class Finished(NamedTuple):
    """How a small child ended."""

    returncode: int
    """Negative for the signal that ended it."""
    stdout: str
    """Undecodable bytes are replaced: this is for words, not for data."""
    stderr: str
    timed_out: bool
    """It was killed at the deadline."""


def run_checked(
    argv: tuple[str, ...],
    *,
    timeout: float,
    cpu_seconds: int,
    input: bytes | None = None,
    unprivileged: bool = True,
    max_output: int = 1 << 20,
    memory_bytes: int = MEMORY_BYTES,
) -> Finished:
    """Run a small program to its end. Blocks: call it in a thread.

    Args:
        argv: The command, argv[0] an absolute path.
        timeout: Seconds after which it is killed with its whole group.
        cpu_seconds: Processor time after which it is killed.
        input: What it reads; nothing when None.
        unprivileged: Run it as nobody when we are root.
        max_output: Bytes of stdout and of stderr that are kept; the rest is read and thrown away.
        memory_bytes: Its address space.

    Raises:
        ToolMissing: There is no such program.
    """
    with os.fdopen(os.memfd_create("input"), "r+b") as source:
        source.write(input or b"")
        source.seek(0)
        limits = (f"--cpu={cpu_seconds}:{cpu_seconds + 1}", f"--as={memory_bytes}", "--core=0")
        command = (_require(PRLIMIT), *limits, "--", _require(argv[0]), *argv[1:])
        identity = nobodys_identity() if unprivileged else {}
        process = _start(command, source.fileno(), identity)
    try:
        outputs, timed_out = _read_all(process, timeout, max_output)
    finally:
        # Not reaped yet, so the number of the group is still its own.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    stdout, stderr = (data.decode("utf-8", "replace") for data in outputs)
    return Finished(process.returncode, stdout, stderr, timed_out)


def _start(argv: tuple[str, ...], source: int, identity: dict[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
        **identity,
    )


async def end_process(process: asyncio.subprocess.Process) -> None:
    """Kill a child of asyncio's with its group, and wait for it.

    Its stdout is read to the end: before that asyncio takes no child to have ended, and it stops reading a pipe of
    which nobody takes anything. Its stderr must go nowhere or to a task of the caller's.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    pipe = process.stdout
    with suppress(RuntimeError):  # somebody else is reading it
        while pipe is not None and not pipe.at_eof():
            with suppress(TimeoutError):  # two who read one pipe may take the wake-up from each other
                await asyncio.wait_for(pipe.read(_PIECE), _LOOK_SECONDS)
    await process.wait()


def nobodys_identity() -> dict[str, Any]:
    """Return the arguments of Popen that make a child of root nobody; empty for others, and for the root of a
    user namespace that has no such user or lets no groups be dropped.
    """
    if os.geteuid() != 0 or not _nobody_is_possible():
        return {}
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": ()}


def _nobody_is_possible() -> bool:
    try:
        groups = Path("/proc/self/setgroups").read_text().strip()
        maps = [Path(f"/proc/self/{kind}_map").read_text().split("\n") for kind in ("uid", "gid")]
    except OSError:
        return True  # a kernel without user namespaces
    return groups == "allow" and all(any(_covers(line, _NOBODY) for line in lines) for lines in maps)


def _covers(line: str, identifier: int) -> bool:
    """Whether a line of a uid_map (first inside, first outside, how many) has an identifier inside."""
    numbers = [int(word) for word in line.split()]
    return len(numbers) == 3 and numbers[0] <= identifier < numbers[0] + numbers[2]


def _require(path: str) -> str:
    if not os.access(path, os.X_OK):
        raise ToolMissing(f"{Path(path).name} is not installed", why=f"there is no program {path}")
    return path


def _read_all(
    process: subprocess.Popen[bytes], timeout: float, most: int
) -> tuple[tuple[bytes, bytes], bool]:
    """Read both outputs to their ends or until the deadline, keeping the first ``most`` bytes of each."""
    assert process.stdout and process.stderr
    deadline = time.monotonic() + timeout
    kept = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for pipe in kept:
            selector.register(pipe, selectors.EVENT_READ, kept[pipe])
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                data = os.read(key.fd, _PIECE)
                key.data.extend(data[: most - len(key.data)])
                if not data:
                    selector.unregister(key.fileobj)
        timed_out = bool(selector.get_map())
    for pipe in kept:
        pipe.close()
    return (bytes(kept[process.stdout]), bytes(kept[process.stderr])), timed_out
