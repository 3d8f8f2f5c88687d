"""The runner's main loop: one tool, its streams, its limits and its end."""

# pathlib would cost the runner 8 ms and 1 MB
# ruff: noqa: PTH100, PTH102, PTH110, PTH119, PTH123

from __future__ import annotations

import json
import os
import select
import signal
import stat
import time

from .identity import hold
from .quota import Quota
from .status import StatusFile
from .streams import NO_ROOM, ErrorStream, KeptStream, create_file, read_ready
from .tool import LEFTOVER_PATIENCE, PATIENCE, Ladder, Tool, become_subreaper

TYPE_CHECKING = False  # typing itself would cost 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .capture import Capture

TICK = 0.125
"""Seconds between looks at limits, counters and the stop file: no figure is older than that when it is read."""
STOPPING_TICK = 0.05
QUOTA_WORDS = "the quota of its owner's captures is used up"
SHORTEST_PAUSE, LONGEST_PAUSE = 0.005, 0.02
"""Seconds in which a busy tool may fill its pipe."""


class Runner:
    """Runs the job of one directory from start to end."""

    def __init__(self, directory: str, spec: dict[str, Any], status: StatusFile) -> None:
        self._directory = directory
        self._spec = spec
        self._limits = spec["limits"]
        self._quota = Quota(spec, directory)
        self._status = status
        self._why: str | None = None
        self._reason = ""
        self._cut = False
        self._paused_at: float | None = None
        self._streams: dict[int, Callable[[], bool]] = {}
        self._poll = select.poll()
        self._next_tick = 0.0
        self._moved_at = 0.0
        self._wake = _install_signals()

    # --- start ---------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start the tool, watch it, and write the last status."""
        if self._is_short_of_space():
            self._status.end("disk_full", None, self._reason)
            return
        try:
            os.mkdir(f"{self._directory}/home", 0o700)
            self._tool = Tool(self._spec, self._directory)
        except OSError as error:
            self._status.end("start_failed", None, error.strerror or str(error))
            return
        try:
            self._attach()
            self._watch_until_ended()
        finally:
            exit_status = self._tool.reap()
        self._finish(exit_status)

    def _attach(self) -> None:
        """Connect the streams and set the clocks."""
        tool, spec = self._tool, self._spec
        self._ladder = Ladder(tool, tuple(spec.get("patience", PATIENCE)))
        self._deadline = time.monotonic() + self._limits["seconds"] if self._limits["seconds"] else None
        self._capture = _open_capture(spec, tool, self._directory)
        hear = self._capture.hear if self._capture else lambda line: True
        errors = create_file(self._directory, "stderr")
        by_dumpcap = os.path.basename(spec["argv"][0]) == "dumpcap"
        self._errors = ErrorStream(tool.stderr, errors, self._refused, hear, rewrites=by_dumpcap)
        self._output: KeptStream | None = None
        self._watch(tool.stderr, self._errors.move)
        if self._capture:
            self._watch(tool.stdout, self._move_packets)
        else:
            self._output = KeptStream(tool.stdout, create_file(self._directory, "stdout"), self._refused)
            self._watch(tool.stdout, self._output.move)
        if tool.terminal >= 0:
            self._watch(tool.terminal, self._drain_terminal)
        self._watch(self._wake, self._woken)
        if stat.S_ISFIFO(os.fstat(0).st_mode):
            self._watch(0, self._lifeline_moved)
        self._status.fields |= {"tool_pid": tool.pid, "tool_start_ticks": tool.start_ticks}
        self._note_start()

    def _note_start(self) -> None:
        """Say "running" as soon as that is true: for a capture, once it captures."""
        fields = self._status.fields
        if fields["state"] == "starting" and (not self._capture or self._capture.listening):
            fields |= {"state": "running", "started": time.time()}
            self._status.write()

    # --- the loop ------------------------------------------------------------------------------------

    def _watch(self, descriptor: int, move: Callable[[], bool]) -> None:
        self._streams[descriptor] = move
        self._poll.register(descriptor, select.POLLIN)

    def _watch_until_ended(self) -> None:
        while not self._tool.has_ended():
            now = time.monotonic()
            if now >= self._next_tick:
                self._tick(now)
            self._serve(max(0.0, self._next_tick - time.monotonic()))

    def _serve(self, patience: float) -> None:
        """Wait for something to move, and move it."""
        for descriptor, _ in self._poll.poll(patience * 1000):
            if not self._streams[descriptor]():
                self._poll.unregister(descriptor)
                del self._streams[descriptor]
                os.close(descriptor)
        self._note_start()

    def _tick(self, now: float) -> None:
        if self._capture:
            self._capture.tick(now)
            self._status.fields["counters"] = self._capture.counters()
        self._check_pause(now)
        self._check_limits(now)
        if self._why:
            self._step_down(now)
        self._status.write()
        self._next_tick = now + (STOPPING_TICK if self._why else TICK)

    def _check_limits(self, now: float) -> None:
        if os.path.exists(f"{self._directory}/stop"):
            self._stop("stopped", "")
        if self._capture and self._quota.is_used_up(self._capture.file.bytes, now):
            self._stop("quota", QUOTA_WORDS)
        if self._deadline is not None and self._paused_at is None and now >= self._deadline:
            self._stop("deadline", f"the time limit of {self._limits['seconds']:g} s was reached")
        if self._is_short_of_space():
            self._stop("floor", self._reason)

    def _check_pause(self, now: float) -> None:
        """Halt the tool while the file is there. The ladder wakes it for its end; paused time is not its time."""
        wanted = not self._why and os.path.exists(f"{self._directory}/pause")
        if wanted and self._paused_at is None:
            self._paused_at = now
            self._status.fields["state"] = "paused"
            self._tool.signal_group(signal.SIGSTOP)
        elif not wanted and self._paused_at is not None:
            self._count_pause(now)
            if not self._why:
                self._status.fields["state"] = "running"
                self._tool.signal_group(signal.SIGCONT)

    def _count_pause(self, now: float) -> None:
        """Take a pause that is over, if there was one, from the tool's time."""
        if self._paused_at is not None:
            halted, self._paused_at = now - self._paused_at, None
            self._status.fields["halted"] += halted
            if self._deadline is not None:
                self._deadline += halted

    def _is_short_of_space(self) -> bool:
        floor = self._limits["free_space_floor"]
        if not floor:
            return False
        volume = os.statvfs(self._directory)
        short: bool = volume.f_bavail * volume.f_frsize < floor
        if short and not self._why:
            least = f"{floor >> 20} MiB" if floor >= 1 << 20 else f"{floor} bytes"
            self._reason = f"less than {least} are free"
        return short

    # --- streams -------------------------------------------------------------------------------------

    def _move_packets(self) -> bool:
        assert self._capture
        file = self._capture.file
        moved, more = file.move()
        if file.error:
            self._refused(file.error)
        limit = self._limits["output_bytes"]
        if limit and file.bytes >= limit:
            self._stop("size_limit", f"the size limit of {limit} bytes was reached")
        if not self._why and self._quota.is_reached(file.bytes):
            self._stop("quota", QUOTA_WORDS)
        self._let_fill(moved, file.busy_bytes if more else 0)
        return more

    def _let_fill(self, moved: int, wanted: int) -> None:
        """Wait until the pipe has some content again: to move little and often costs more than much and seldom.

        Args:
            moved: Bytes that had come since the last time.
            wanted: Bytes that are worth a move; with so many in it the pipe is far from full.
        """
        now = time.monotonic()
        came_in, self._moved_at = now - self._moved_at, now
        if moved < wanted:
            time.sleep(min(max(came_in * wanted / max(1, moved), SHORTEST_PAUSE), LONGEST_PAUSE))

    def _drain_terminal(self) -> bool:
        return read_ready(self._tool.terminal, 4096) != b""

    def _woken(self) -> bool:
        for number in read_ready(self._wake, 64) or b"":
            if number == signal.SIGTERM:
                self._stop("stopped", "")
        return True

    def _lifeline_moved(self) -> bool:
        """Nobody writes there: what can be read is its end, when the application has gone."""
        if os.read(0, 64):
            return True
        if not self._spec["detached"]:
            self._stop("lifeline", "the application ended")
        return False

    def _refused(self, error: OSError) -> None:
        """Stop because a file of ours can no longer be written."""
        self._cut = True
        if error.errno in NO_ROOM:
            self._stop("disk_full", error.strerror or "the disk is full")
        else:
            self._stop("failed", error.strerror or str(error))

    # --- the end -------------------------------------------------------------------------------------

    def _stop(self, why: str, reason: str) -> None:
        """Begin to stop for the first reason that is given."""
        if self._why:
            return
        self._why, self._reason = why, reason
        self._status.fields["state"] = "stopping"
        if why in ("disk_full", "floor"):
            self._status.release_reserve()
        self._next_tick = 0.0

    def _step_down(self, now: float) -> None:
        """Climb the ladder; a capture that may write is given time to see its last packets first."""
        gently = self._why in ("stopped", "deadline", "lifeline") and not self._ladder.begun
        if not (self._capture and gently) or self._capture.is_drained(now):
            self._ladder.climb(now)

    def _finish(self, exit_status: int) -> None:
        """Empty the pipes, whose writers are all dead now, and give the verdict."""
        self._count_pause(time.monotonic())
        for move in [m for d, m in self._streams.items() if d in (self._tool.stdout, self._tool.stderr)]:
            deadline = time.monotonic() + LEFTOVER_PATIENCE
            while move() and time.monotonic() < deadline:
                pass
        if self._capture:
            self._capture.finish(clean=exit_status >= 0)
            self._status.fields["counters"] = self._capture.counters()
        if self._output and self._output.lost:
            os.write(2, b"%d bytes of stdout were not kept\n" % self._output.lost)
        why, error = self._verdict(exit_status)
        self._status.end(why, exit_status, error)

    def _verdict(self, exit_status: int) -> tuple[str, str]:
        """Return why the tool ended, and the reason in words."""
        if self._why and (self._ladder.begun or self._cut):
            return self._why, self._reason
        if exit_status == 0 and not (self._capture and self._capture.complaint):
            return "finished", ""
        if exit_status == -signal.SIGXCPU:
            return "cpu", f"more than {self._limits['cpu_seconds']} s of processor time"
        if exit_status == -signal.SIGXFSZ:
            return "size_limit", f"a file of more than {self._limits['output_bytes']} bytes"
        words = self._last_words() or _exit_in_words(exit_status)
        if self._limits["memory_bytes"] and self._errors.speaks_of_memory():
            return "memory", words
        return "failed", words

    def _last_words(self) -> str:
        if not self._capture:
            return self._errors.last_words()
        return self._capture.complaint or self._errors.last_words(ignored=self._capture.is_figures)


def _open_capture(spec: dict[str, Any], tool: Tool, directory: str) -> Capture | None:
    if not spec["capture_file"]:
        return None
    from .capture import Capture  # sockets cost 5 ms

    return Capture(spec, tool, directory)


def _exit_in_words(status: int) -> str:
    return f"exit status {status}" if status > 0 else f"ended by {signal.Signals(-status).name}"


def _install_signals() -> int:
    """Turn SIGTERM and SIGCHLD into bytes of a pipe, ignore a terminal's signals; return its read end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda number, frame: None)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    return reader


def main(directory: str) -> None:
    """Run the job whose ``spec.json`` lies in the directory."""
    os.umask(0o077)
    directory = os.path.abspath(directory)
    os.chdir("/")
    with open(f"{directory}/spec.json", "rb") as file:
        spec = json.load(file)
    hold(file.name)
    status = StatusFile(directory)
    runner = Runner(directory, spec, status)  # hears signals before anybody knows where to send them
    status.write()
    become_subreaper()
    runner.run()
