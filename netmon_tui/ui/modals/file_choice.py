"""Where to write an export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Select, Static

from netmon_tui.ui.modals.new_file import NewFileDialog
from netmon_tui.ui.rendering import content


class ExportChoice(NamedTuple):
    """A format and a file."""

    format: str
    path: Path


class Export(NewFileDialog[ExportChoice]):
    """Asks for format and file name.

    Args:
        title: What is exported.
        formats: Names of formats, the default first; they are the file's extension too.
        folder: Where the file goes unless another path is typed.
        stem: Name of the file without extension.
    """

    def __init__(self, title: str, formats: Sequence[str], folder: Path, stem: str) -> None:
        super().__init__()
        self._title = title
        self._formats = tuple(formats)
        self._folder = folder
        self._stem = stem

    def compose(self) -> ComposeResult:
        """Format, path, buttons."""
        with self.box(self._title):
            yield Label("Format")
            options = [(content(name), name) for name in self._formats]
            yield Select(options, value=self._formats[0], allow_blank=False, id="format", compact=True)
            yield Label("File")
            yield Input(self._path(self._formats[0]), id="path", compact=True)
            yield self.path_words()
            yield Static("", id="export-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Export", id="export", variant="primary")

    def on_mount(self) -> None:
        """Focus the path: the format is mostly right."""
        self.query_one("#path").focus()

    def _path(self, format: str) -> str:
        return str(self._folder / f"{self._stem}.{format}")

    @on(Select.Changed, "#format")
    def _format_changed(self, event: Select.Changed) -> None:
        path = self.query_one("#path", Input)
        if Path(path.value).stem == self._stem:
            path.value = self._path(str(event.value))

    @on(Button.Pressed, "#export")
    @on(Input.Submitted, "#path")
    def _export(self) -> None:
        if not self.typed:
            self.query_one("#export-error", Static).update("A file name is needed")
            return
        self.dismiss(ExportChoice(str(self.query_one("#format", Select).value), self.path))
