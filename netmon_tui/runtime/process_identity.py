"""Processes told apart by number, start time and boot, and signalled without hitting a stranger."""

from __future__ import annotations

import functools
import os
import signal
from pathlib import Path

from netmon_tui.domain.job import ProcessIdentity
from netmon_tui.errors import PrivilegeMissing
from netmon_tui.runtime.runner import identity


@functools.cache
def _this_boot() -> str:
    return identity.boot_id()


def identity_of(pid: int) -> ProcessIdentity | None:
    """Return who has this process id now, or None when nobody does (or only a zombie)."""
    ticks = identity.start_ticks(pid)
    return ProcessIdentity(pid, ticks, _this_boot()) if ticks else None


def is_alive(process: ProcessIdentity) -> bool:
    """Whether exactly this process still runs; a zombie does not."""
    return process.pid > 0 and identity_of(process.pid) == process


def members_of_group(group: int) -> list[ProcessIdentity]:
    """Return who is in a process group now."""
    number = str(group).encode()
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    members = [identity_of(pid) for pid in pids if identity.stat_fields(pid)[2:3] == [number]]
    return [member for member in members if member]


def send_signal(process: ProcessIdentity, number: signal.Signals) -> bool:
    """Send a signal to exactly this process. False when it is gone.

    Raises:
        PrivilegeMissing: It belongs to another user.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        # Looked at after opening: from here on the descriptor can only mean the process that was seen.
        if not is_alive(process):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise PrivilegeMissing(
            f"process {process.pid} cannot be stopped",
            why="it belongs to another user",
            fix="stop it as the user who started it, or as root",
        ) from error
    finally:
        os.close(descriptor)
    return True
