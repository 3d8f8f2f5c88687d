"""Leaving while jobs run."""

from __future__ import annotations

from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Static

from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content

QuitChoice = Literal["leave", "stop"]


class Quit(Dialog[QuitChoice]):
    """Asks what happens to running jobs.

    Args:
        running: How many jobs run.
    """

    def __init__(self, running: int) -> None:
        super().__init__()
        self._jobs = running

    def compose(self) -> ComposeResult:
        """The choice."""
        jobs = "1 job runs. It goes" if self._jobs == 1 else f"{self._jobs} jobs run. They go"
        with self.box("Quit"):
            yield Static(content(f"{jobs} on without this screen, within their limits."))
            with Horizontal(classes="dialog--buttons"):
                yield Button("Stay", id="stay")
                yield Button("Stop mine and quit", id="stop", variant="warning")
                yield Button("Quit, jobs go on", id="leave", variant="primary")

    def on_mount(self) -> None:
        """Focus what loses nothing."""
        self.query_one("#leave").focus()

    @on(Button.Pressed, "#stay")
    def _stay(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#stop")
    def _stop(self) -> None:
        self.dismiss("stop")

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.dismiss("leave")
