"""``status.json``: what the runner says about its job, replaced as a whole or not at all."""

# pathlib would cost the runner 8 ms and 1 MB
# ruff: noqa: PTH105, PTH108

from __future__ import annotations

import json
import os
import time

from .identity import boot_id, start_ticks

TYPE_CHECKING = False  # typing itself would cost 5 ms
if TYPE_CHECKING:
    from typing import Any

RESERVE_BYTES = 65_536
"""Space set aside in the job directory, so that a full disk can still be reported."""
LAST_WORD_PATIENCE = 120.0
"""Seconds for which the final status is tried again when the disk is full."""


class StatusFile:
    """The runner's side of ``status.json``.

    ``fields`` are those of :class:`netmon_tui.domain.job.JobStatus`; change them, then call :meth:`write`.
    """

    def __init__(self, directory: str) -> None:
        self._path = f"{directory}/status.json"
        self._temporary = self._path + ".tmp"
        self._reserve = f"{directory}/reserve"
        self._written = b""
        self._set_aside()
        pid = os.getpid()
        self.fields: dict[str, Any] = {
            "state": "starting",
            "runner": {"pid": pid, "start_ticks": start_ticks(pid), "boot_id": boot_id()},
            "tool_pid": 0,
            "tool_start_ticks": 0,
            "started": 0.0,
            "ended": 0.0,
            "halted": 0.0,
            "why": None,
            "exit_status": None,
            "error": "",
            "counters": None,
        }

    def _set_aside(self) -> None:
        try:
            flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW
            descriptor = os.open(self._reserve, flags, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            finally:
                os.close(descriptor)
        except OSError:
            # Already full, or a file system that cannot reserve: writing is tried again, that is all.
            self.release_reserve()

    def release_reserve(self) -> None:
        """Give the reserved space back: the disk is full, or the job over."""
        try:
            os.unlink(self._reserve)
        except FileNotFoundError:
            pass

    def write(self) -> bool:
        """Replace the file when something changed. False when that was not possible (a full disk)."""
        data = json.dumps(self.fields).encode()
        if data == self._written:
            return True
        try:
            self._replace(data)
        except OSError:
            return False
        self._written = data
        return True

    def _replace(self, data: bytes) -> None:
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW
        descriptor = os.open(self._temporary, flags, 0o600)
        try:
            if os.write(descriptor, data) != len(data):
                raise OSError("short write")
        finally:
            os.close(descriptor)
        os.replace(self._temporary, self._path)

    def end(self, why: str, exit_status: int | None, error: str) -> None:
        """Write the last status; on a full disk try for two minutes."""
        self.fields |= {"why": why, "exit_status": exit_status, "error": error}
        self.fields |= {"state": "ended", "ended": time.time()}
        self.release_reserve()
        patience = time.monotonic() + LAST_WORD_PATIENCE
        while not self.write() and time.monotonic() < patience:
            time.sleep(0.25)
