"""What a defect of ours leads to: one line for the user, the traceback without any values in the log.

Textual's own report prints the local variables of every frame, and one of them may be a password.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from pathlib import Path

from textual.app import App
from textual.css.query import NoMatches
from textual.message_pump import MessagePump
from textual.worker import Worker, WorkerState

from netmon_tui.errors import NetmonError
from netmon_tui.ui.rendering import content

_log = logging.getLogger("netmon_tui.defects")


class ReportsDefects(App[int]):
    """An application that ends on a defect with one line and exit status 1."""

    log_file: Path
    """Where the details go."""

    def open_log(self) -> None:
        """Make the log writable; raises NetmonError."""
        raise NotImplementedError

    def _handle_exception(self, error: Exception) -> None:
        """End on a defect; that a form misses its parts, which is built while the application ends, is none."""
        if self._running or not isinstance(error, NoMatches):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End; Textual calls it while the exception is handled."""
        error = sys.exc_info()[1]
        if error is not None:
            with suppress(NetmonError):  # a log that cannot be opened must not hide the line below
                if not logging.getLogger("netmon_tui").handlers:
                    self.open_log()
                record(error)
        self.bell()
        line = f"netmon-tui failed: {type(error).__name__}; details in {self.log_file}"
        self._exit_renderables.append(content(line).plain)
        self._close_messages_no_wait()


class WorkerDefects(MessagePump):
    """A screen or widget whose workers do not fail in silence.

    Its workers handle every expected error and have ``exit_on_error=False``, because a defect in one of them
    should not take the rest of the screen away; what they let through is a defect.
    """

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say so and write it down."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            error = event.worker.error
            record(error)
            self.app.notify(
                f"Unexpected {type(error).__name__}; details are in the log",
                title="Failed",
                severity="error",
                markup=False,
            )


def record(error: BaseException) -> None:
    """Write the traceback to the log; it has lines of source in it, and no values of variables."""
    _log.error("unexpected %s", type(error).__name__, exc_info=error)
