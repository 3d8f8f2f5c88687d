"""The base of dialogs that write a new file: where it will be is told while its name is typed."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from textual import on
from textual.widgets import Button, Input, Static

from netmon_tui.services.readable_files import whole_path
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content

Result = TypeVar("Result")


class NewFileDialog(Dialog[Result]):
    """Has a line ``#path``, the words of :meth:`path_words` and a line ``#export-error``."""

    DEFAULT_CSS = """
    NewFileDialog #whole-path { display: none; height: auto; color: $text-muted; }
    """

    def path_words(self) -> Static:
        """Return what says where the file will be, to compose under its name."""
        return Static("", id="whole-path")

    @property
    def asks_for_file(self) -> bool:
        """Whether what is typed is the name of a file."""
        return True

    @property
    def typed(self) -> str:
        """What is typed."""
        return self.query_one("#path", Input).value.strip()

    @property
    def path(self) -> Path:
        """The new file, from the root."""
        return whole_path(self.typed)

    @on(Input.Changed, "#path")
    def tell_path(self) -> None:
        """Say where the file will be, unless that is what is typed."""
        told = self.query_one("#whole-path", Static)
        told.display = bool(self.typed) and self.asks_for_file and str(self.path) != self.typed
        told.update(content(f"writes {self.path}"))

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)
