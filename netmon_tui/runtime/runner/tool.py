"""Start one tool the safe way, stop it by the ladder, and leave nothing of it behind."""

# pathlib would cost the runner 8 ms and 1 MB
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import errno
import os
import resource
import signal
import time

from .identity import start_ticks, stat_fields

TYPE_CHECKING = False  # typing itself would cost 5 ms
if TYPE_CHECKING:
    from typing import Any, NoReturn

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PIPE_BYTES = 1 << 20
"""Room between tool and runner: the largest a user may ask for without rights."""
PATIENCE = (5.0, 3.0)
"""Seconds from SIGINT to SIGTERM and from SIGTERM to SIGKILL."""
LEFTOVER_PATIENCE = 5.0
"""Seconds for killed descendants to be gone."""
_F_SETPIPE_SZ = 1031
_PR_SET_CHILD_SUBREAPER = 36


class Tool:
    """A started tool, in a session and process group of its own.

    Args:
        spec: The fields of :class:`netmon_tui.domain.job.JobSpec` as read from ``spec.json``.
        directory: The job directory, which becomes the tool's working directory.

    Raises:
        OSError: The tool could not be started, with the reason of ``execve``.
    """

    def __init__(self, spec: dict[str, Any], directory: str) -> None:
        self.stdout, out = os.pipe()
        self.stderr, error = os.pipe()
        self.terminal, slave = os.openpty() if spec["private_pty"] else (-1, -1)
        _widen(self.stdout)
        report, child_report = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            _become_tool(spec, directory, (out, error, slave), child_report)
        for descriptor in (out, error, child_report):
            os.close(descriptor)
        # Our copy of the slave stays open: without one the terminal would hang up, and the tool with it.
        problem = os.read(report, 16)
        os.close(report)
        if problem:
            os.waitpid(self.pid, 0)
            raise OSError(int(problem), os.strerror(int(problem)))
        self.start_ticks = start_ticks(self.pid)
        for descriptor in (self.stdout, self.stderr, self.terminal):
            if descriptor >= 0:
                os.set_blocking(descriptor, False)

    def has_ended(self) -> bool:
        """Whether the tool is dead; it stays a zombie, so that its numbers cannot be given to others."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def signal_group(self, number: int) -> None:
        """Send a signal to the tool and its group; allowed only until :meth:`reap`."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def signal(self, number: int) -> None:
        """Send a signal to the tool alone; allowed only until :meth:`reap`."""
        os.kill(self.pid, number)

    def catches(self, number: int) -> bool:
        """Whether the tool has a handler for the signal, which else could end it."""
        with open(f"/proc/{self.pid}/status") as file:
            masks = [int(line[8:], 16) for line in file if line.startswith("SigCgt:")]
        return bool(masks and masks[0] >> (number - 1) & 1)

    def reap(self) -> int:
        """Kill what is left of the group and of all descendants; return the exit status (-N for signal N)."""
        self.signal_group(signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        _kill_descendants()
        return os.waitstatus_to_exitcode(status)


class Ladder:
    """SIGINT, then SIGTERM, then SIGKILL to the tool's group, with patience between the steps."""

    def __init__(self, tool: Tool, patience: tuple[float, float]) -> None:
        self._tool = tool
        self._steps = [(signal.SIGINT, patience[0]), (signal.SIGTERM, patience[1]), (signal.SIGKILL, 1.0)]
        self._next = 0.0
        self.begun = False

    def climb(self, now: float) -> None:
        """Take the next step when its time has come; the last one is repeated."""
        if now < self._next:
            return
        self.begun = True
        number, wait = self._steps[0]
        self._tool.signal_group(number)
        self._tool.signal_group(signal.SIGCONT)  # a stopped process would not see the signal
        self._next = now + wait
        if len(self._steps) > 1:
            del self._steps[0]


def become_subreaper() -> None:
    """Inherit the tool's orphans, so that none can slip away. Without ctypes or the call: without that."""
    try:
        import ctypes
    except ImportError:
        return
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _widen(pipe: int) -> None:
    import fcntl

    try:
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, PIPE_BYTES)
    except OSError as error:
        # EPERM: this user has used up the pipe room; the usual 64 KiB work too, only less well.
        if error.errno != errno.EPERM:
            raise


def _become_tool(
    spec: dict[str, Any], directory: str, descriptors: tuple[int, int, int], report: int
) -> NoReturn:
    """Turn the forked child into the tool; on failure tell the parent the error number."""
    try:
        os.setsid()
        _connect(*descriptors)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.umask(0o077)
        os.chdir(directory)
        _set_limits(spec)
        os.execve(spec["argv"][0], spec["argv"], _environment(directory))  # noqa: S606
    except OSError as error:
        os.write(report, str(error.errno or errno.EIO).encode())
    finally:
        os._exit(127)


def _connect(out: int, error: int, terminal: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    if terminal >= 0:
        import fcntl
        import termios

        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(error, 2)


def _environment(directory: str) -> dict[str, str]:
    home = f"{directory}/home"
    fixed = {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": home, "WIRESHARK_CONFIG_DIR": home}
    return fixed | {name: os.environ[name] for name in ("TZ",) if name in os.environ}


def _set_limits(spec: dict[str, Any]) -> None:
    limits = spec["limits"]
    _limit(resource.RLIMIT_CORE, 0)
    if limits["cpu_seconds"]:
        # SIGXCPU at the soft limit says why the tool died; the hard one is for a tool that catches it.
        _limit(resource.RLIMIT_CPU, limits["cpu_seconds"], limits["cpu_seconds"] + 2)
    if limits["memory_bytes"]:
        _limit(resource.RLIMIT_AS, limits["memory_bytes"])
    if limits["output_bytes"] and not spec["capture_file"]:
        _limit(resource.RLIMIT_FSIZE, limits["output_bytes"])


def _limit(which: int, soft: int, hard: int | None = None) -> None:
    highest = resource.getrlimit(which)[1]
    wanted = soft if hard is None else hard
    ceiling = wanted if highest == resource.RLIM_INFINITY else min(wanted, highest)
    resource.setrlimit(which, (min(soft, ceiling), ceiling))


def _kill_descendants() -> None:
    """Kill our children, which are the tool's orphans, until there are none: theirs become ours meanwhile."""
    deadline = time.monotonic() + LEFTOVER_PATIENCE
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            for child in _children():
                os.kill(child, signal.SIGKILL)
            time.sleep(0.01)


def _children() -> list[int]:
    """Return our children; no other process can reap them, so the numbers stay theirs."""
    own = str(os.getpid()).encode()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if stat_fields(pid)[1:2] == [own]]
