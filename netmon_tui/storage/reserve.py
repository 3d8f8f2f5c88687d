"""Space beside a database that is set aside for a full disk: without it nothing could be read, or deleted."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from shutil import disk_usage

from netmon_tui.config.files import PRIVATE_FILE
from netmon_tui.domain.byte_count import byte_count

RESERVE_BYTES = 1 << 20
"""SQLite's journal takes some 100 KiB to delete a capture or some hundred hosts, its index 32 KiB."""
_LEAST_BYTES = RESERVE_BYTES // 4
"""So much of it is worth setting aside where there is no room for all."""
_LEFTOVERS = ("log", "exports", "backups")
"""Directories beside the database that hold nothing which the program needs."""


class Reserve:
    """A file that is given up when the disk is full, and made again when there is room.

    It is best effort: where it cannot be made, a full disk is only told.

    Args:
        database: The file it stands beside.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}-reserve")

    def set_aside(self) -> None:
        """Make it as large as there is room for, unless it is whole (blocking)."""
        with suppress(OSError):
            size = self._size()
            if size >= RESERVE_BYTES:
                return
            wanted = min(RESERVE_BYTES, size + disk_usage(self.path.parent).free)
            if wanted > size and wanted >= _LEAST_BYTES:
                self._make(wanted)

    def _size(self) -> int:
        try:
            return self.path.lstat().st_size
        except FileNotFoundError:
            return 0

    def _make(self, size: int) -> None:
        flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, PRIVATE_FILE)
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:  # it filled up meanwhile, or the file system cannot reserve
            self.give_up()
        finally:
            os.close(descriptor)

    def give_up(self) -> None:
        """Give the space back to the disk (blocking)."""
        with suppress(OSError):
            self.path.unlink()


def removable_by_hand(database: Path) -> str:
    """Say which files beside a database nobody needs, or which result is the largest; may be empty (blocking)."""
    found = []
    for name in _LEFTOVERS:
        directory = database.with_name(name)
        with suppress(OSError):
            size = sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
            if size:
                found.append(f"{directory} ({byte_count(size)})")
    if found:
        return f"what is in {', '.join(found)} may be removed by hand"
    return _largest_result(database.with_name("jobs"))


def _largest_result(jobs: Path) -> str:
    with suppress(OSError):
        results = [(path.stat().st_size, path) for path in jobs.glob("*/*") if path.is_file()]
        if results:
            size, path = max(results)
            return (
                f"the largest result, {path} ({byte_count(size)}), can be removed by hand, and is lost then"
            )
    return ""
