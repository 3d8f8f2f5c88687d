"""Space beside a database that is set aside for a full disk: without it nothing could be read, or deleted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shutil import disk_usage

from netmon_tui.config.files import PRIVATE_FILE
from netmon_tui.domain.byte_count import byte_count

RESERVE_BYTES = 2 << 20
"""SQLite's journal takes some 100 KiB to delete a capture or some hundred hosts, its index 32 KiB. To merge what is
in it already, the database may grow by :data:`JOURNAL_PAGES`, which has to leave enough."""
JOURNAL_PAGES = RESERVE_BYTES // 2 // 4096
"""With so many in the journal SQLite merges it."""
_LEAST_BYTES = RESERVE_BYTES // 4
"""So much of it is worth setting aside where there is no room for all."""


class Reserve:
    """A file that is given up when the disk is full, and made again when there is room.

    It is best effort: where it cannot be made, a full disk is only told.

    Args:
        database: The file it stands beside.
        unneeded: Directories of this program with files that it does not need.
        results: The directory of its results.
    """

    def __init__(self, database: Path, unneeded: Sequence[Path] = (), results: Path | None = None) -> None:
        self.path = database.with_name(f"{database.name}-reserve")
        self._unneeded = unneeded
        self._results = results

    def set_aside(self, *, all_there_is: bool = False) -> bool:
        """Make it as large as may be; return whether it is whole (blocking).

        Args:
            all_there_is: Take back what was given up; else half of what is free is left to others.
        """
        with suppress(OSError):
            size = self._size()
            if size >= RESERVE_BYTES:
                return True
            free = disk_usage(self.path.parent).free
            wanted = min(RESERVE_BYTES, size + (free if all_there_is else free // 2))
            if wanted > size and wanted >= _LEAST_BYTES:
                self._make(wanted)
            return wanted == RESERVE_BYTES
        return False

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

    def removable_by_hand(self) -> str:
        """Say which files of the program nobody needs, or which result is the largest; may be empty (blocking)."""
        found = []
        for directory in self._unneeded:
            with suppress(OSError):
                size = sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
                if size:
                    found.append(f"{directory} ({byte_count(size)})")
        if found:
            return f"what is in {', '.join(found)} may be removed by hand"
        return self._largest_result()

    def _largest_result(self) -> str:
        with suppress(OSError):
            files = self._results.glob("*/*") if self._results else ()
            results = [(path.stat().st_size, path) for path in files if path.is_file()]
            if results:
                size, path = max(results)
                words = f"the largest result, {path} ({byte_count(size)}), can be removed by hand"
                return f"{words}, and is lost then"
        return ""
