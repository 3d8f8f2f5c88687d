"""The terminal as it is over SSH: it can be gone at any moment, with or without a signal.

Textual writes from a thread that ends with the first failed write; the application then waits for ever for room in
that thread's queue. Its input thread wakes ten times a second, spins on the end of file and takes the application
down with it when a byte is no UTF-8. Here that a write or a read fails is told, and input is waited for.
"""

from __future__ import annotations

import os
import select
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import IO, Any, Protocol, cast

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from netmon_tui.ui.sent_screen import SentScreen

_INPUT_BYTES = 4096
"""Read at once; a paste may be more."""


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


class _Bell(Event):
    """An event that can be waited for together with files: it has a descriptor that is readable while it is set."""

    def __init__(self) -> None:
        super().__init__()
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def set(self) -> None:
        """Set it."""
        super().set()
        os.eventfd_write(self._descriptor, 1)

    def clear(self) -> None:
        """Set it back."""
        super().clear()
        with suppress(BlockingIOError):
            os.eventfd_read(self._descriptor)


class TerminalDriver(LinuxDriver):
    """Textual's driver, which outlives its terminal long enough for an orderly end."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self.exit_event = self._bell = _Bell()
        self._file = cast("Any", _LossyFile(cast("IO[str]", self._file), self._tell_hang_up))
        self.sent = SentScreen()
        """What the terminal shows."""

    def start_application_mode(self) -> None:
        """Begin, or go on after a pause, with a screen of which nothing is known: an empty one."""
        self.sent.forget()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._loop.call_soon_threadsafe(self._paint_all)

    def _paint_all(self) -> None:
        if self._app.screen_stack:
            self._app.screen.refresh()

    def _sigtstp_application(self, *_: Any) -> None:
        """Pause with the next turn of the loop, as all signals are answered here.

        They interrupt the main thread anywhere, also where it holds the lock of what is to be written: who writes
        then waits for itself.
        """
        self._at_next_turn(super()._sigtstp_application)

    def _sigcont_application(self, *_: Any) -> None:
        """Go on after a pause with the next turn of the loop."""
        self._at_next_turn(self._go_on)

    def _at_next_turn(self, act: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(act)

    def _go_on(self) -> None:
        """Go on, also after a pause that could not be prepared for (SIGSTOP).

        Textual would begin a second time then, with a second pair of threads on the same terminal.
        """
        if not self._must_signal_resume:
            self.suspend_application_mode()
        super()._sigcont_application()

    def run_input_thread(self) -> None:
        """Pass on what is typed, until the bell is rung or the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not self._bell.is_set():
            # Some time after an escape alone it is that key, and not the beginning of a longer one.
            due = parser._timeout_time
            wait = None if due is None else max(0.0, due - time.monotonic())
            ready, _, _ = select.select([self.fileno, self._bell], [], [], wait)
            if self.fileno in ready:
                typed = self._read()
                if not typed:
                    self._tell_hang_up()
                    return
                text = decode(
                    typed
                )  # nothing yet when a character has only begun, which to the parser is the end
                for event in parser.feed(text) if text else ():
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    def _read(self) -> bytes:
        """Return what was typed; nothing when the terminal is gone."""
        try:
            return os.read(self.fileno, _INPUT_BYTES)
        except OSError:
            return b""

    def _tell_hang_up(self) -> None:
        self._loop.call_soon_threadsafe(cast("_HangsUp", self._app).hang_up)


def is_hung_up(descriptor: int = 0) -> bool:
    """Whether the other end of a terminal is gone, though nobody sent a signal."""
    if not os.isatty(descriptor):
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLHUP)
    return any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0))


def is_job_of_a_shell() -> bool:
    """Whether somebody of this session would wake us if we were stopped: a group without such a parent is orphaned.

    The stop is no signal that the kernel leaves out there, so it would be for ever.
    """
    group, session = os.getpgrp(), os.getsid(0)
    try:
        fields = Path(f"/proc/{group}/stat").read_text().rpartition(")")[2].split()
        return group != session and os.getsid(int(fields[1])) == session
    except OSError:  # the leader of the group has ended
        return False


def let_go_of_terminal() -> None:
    """Write to nowhere from here on: Python flushes at its end, and failing would change the exit status."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
