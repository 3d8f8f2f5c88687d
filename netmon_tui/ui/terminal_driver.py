"""The terminal as it is over SSH: it can be gone at any moment, with or without a signal.

Textual writes from a thread that ends with the first failed write; the application then waits for ever for room in
that thread's queue, and its input thread spins on the end of file. Here a failed write is swallowed and told.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import IO, Any, Protocol, cast

from textual.drivers.linux_driver import LinuxDriver

from netmon_tui.ui.sent_screen import SentScreen


class _LossyFile:
    """The terminal's file; after the first failure everything written to it is dropped.

    Args:
        file: The real one.
        lost: Called once, from the writing thread.
    """

    def __init__(self, file: IO[str], lost: Callable[[], None]) -> None:
        self._file = file
        self._lost = lost
        self._is_lost = False

    def write(self, text: str) -> int:
        """Write, unless the terminal is gone."""
        self._attempt(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, unless the terminal is gone."""
        self._attempt(self._file.flush)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Whether it is (or was) a terminal."""
        return True

    def _attempt(self, action: Callable[[], object]) -> None:
        if self._is_lost:
            return
        try:
            action()
        except OSError:
            self._is_lost = True
            self._lost()


class _HangsUp(Protocol):
    """An application that leaves when its terminal is gone."""

    def hang_up(self) -> None:
        """Leave."""


class TerminalDriver(LinuxDriver):
    """Textual's driver, which outlives its terminal long enough for an orderly end."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._file = cast("Any", _LossyFile(cast("IO[str]", self._file), self._tell_hang_up))
        self.sent = SentScreen()
        """What the terminal shows."""

    def start_application_mode(self) -> None:
        """Begin, or go on after a pause, with a screen of which nothing is known."""
        self.sent.forget()
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def _tell_hang_up(self) -> None:
        self._loop.call_soon_threadsafe(cast("_HangsUp", self._app).hang_up)


def is_hung_up(descriptor: int = 0) -> bool:
    """Whether the other end of a terminal is gone, though nobody sent a signal."""
    if not os.isatty(descriptor):
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLHUP)
    return any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0))


def let_go_of_terminal() -> None:
    """Write to nowhere from here on: Python flushes at its end, and failing would change the exit status."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
