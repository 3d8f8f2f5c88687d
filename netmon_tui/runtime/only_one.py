"""A claim that one program at a time has, and loses when it ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netmon_tui.errors import StorageError

_LOOK_SECONDS = 0.01
"""Between two tries."""


@contextmanager
def in_turn(path: Path, seconds: float) -> Iterator[None]:
    """Wait until no other program has a lock, but not for ever: one that stands still must stop nobody. Blocks.

    Args:
        path: The file that is locked; it is made, and stays.
        seconds: The longest wait.

    Raises:
        StorageError: The file cannot be made or locked.
    """
    turn, deadline = OnlyOne(path), time.monotonic() + seconds
    while not turn.take() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    try:
        yield
    finally:
        turn.release()


class OnlyOne:
    """A lock on a file of its own.

    Args:
        path: The file; it is made, and stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether this program has it, or has it now. Does not wait.

        Raises:
            StorageError: The file cannot be made or locked.
        """
        if self._descriptor is None:
            try:
                self._descriptor = self._locked()
            except BlockingIOError:
                return False
            except OSError as error:
                raise StorageError(
                    f"cannot lock {self._path}",
                    why=error.strerror or str(error),
                    fix="check owner and mode of the file: its owner must be the user this program runs as",
                ) from error
        return True

    def _locked(self) -> int:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def write(self, words: str) -> None:
        """Leave words for the others, if this program has it.

        Raises:
            StorageError: The file cannot be written.
        """
        if self._descriptor is None:
            return
        data = f"{os.getpid()} {words}\n".encode("ascii")
        try:
            os.pwrite(self._descriptor, data, 0)
            os.ftruncate(self._descriptor, len(data))
        except OSError as error:
            raise StorageError(f"cannot write {self._path}", why=error.strerror or str(error)) from error

    def read(self) -> tuple[int, str]:
        """Return the process id and the words of the program that left some last; 0 and nothing without any."""
        try:
            pid, _, words = self._path.read_text("ascii").rstrip("\n").partition(" ")
            return int(pid), words
        except (OSError, ValueError):
            return 0, ""

    def release(self) -> None:
        """Give it to the next one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
