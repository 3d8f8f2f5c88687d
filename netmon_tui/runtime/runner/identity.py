"""Who a process is: its start time and the boot it belongs to. Also used by the application."""

# pathlib would cost the runner 8 ms and 1 MB
# ruff: noqa: PTH123

from __future__ import annotations

import os

_DEAD = (b"Z", b"X", b"x")


def stat_fields(pid: int) -> list[bytes]:
    """Return /proc/PID/stat from field 3 (state) on, or an empty list when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return []
    # Field 2 is the name in brackets and may itself hold spaces and brackets.
    return text[text.rfind(b")") + 2 :].split()


def start_ticks(pid: int) -> int:
    """Return field 22 of /proc/PID/stat: clock ticks from boot to start. 0 for a dead process or a zombie."""
    fields = stat_fields(pid)
    return int(fields[19]) if fields and fields[0] not in _DEAD else 0


def boot_id() -> str:
    """Return the random name of this boot."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def hold(path: str) -> None:
    """Lock a file until this process ends, which is seen also in pid namespaces that do not have its number."""
    import fcntl  # the application needs it not from here

    descriptor = os.open(path, os.O_RDONLY)  # closed by the end of this process, and by no tool
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        # A file system without locks: there the number alone tells.
        os.close(descriptor)
