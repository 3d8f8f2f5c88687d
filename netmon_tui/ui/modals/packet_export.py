"""Taking packets out of a capture: which, into what, and where to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Select, Static

from netmon_tui.domain.capture import Capture
from netmon_tui.domain.capture_choice import CAPTURE_FORMATS, ExportForm, PacketChoice
from netmon_tui.ui.modals.new_file import NewFileDialog
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.tick import Tick

NEW_CAPTURE = "a new capture"


class PacketExportChoice(NamedTuple):
    """What was asked for."""

    choice: PacketChoice
    form: ExportForm
    path: Path | None
    """The new file; None for a new capture."""
    name: str
    """Of the new capture."""


class PacketExport(NewFileDialog[PacketExportChoice]):
    """Asks which packets are taken out, and into what.

    Args:
        capture: Of which capture; into a file of its own format, unless another is chosen.
        choices: What can be chosen, the likeliest first.
        folder: Where a file goes unless another path is typed.
        as_capture: Whether a new capture is offered, and first.
    """

    def __init__(
        self, capture: Capture, choices: Sequence[PacketChoice], folder: Path, *, as_capture: bool
    ) -> None:
        super().__init__()
        self._capture_id = capture.id
        self._choices = choices
        self._folder = folder
        formats = sorted(CAPTURE_FORMATS, key=lambda form: form != capture.format)
        self._formats = [NEW_CAPTURE, *formats] if as_capture else formats
        self._proposed = ""

    def compose(self) -> ComposeResult:
        """Which, into what, where to."""
        with self.box(f"Packets of capture {self._capture_id}", id="packet-export"):
            with Horizontal(classes="form--line"):
                yield Label("Packets", classes="form--label")
                which = [(content(choice.words()), place) for place, choice in enumerate(self._choices)]
                yield Select(which, value=0, allow_blank=False, id="choice", compact=True)
            with Horizontal(classes="form--line"):
                yield Label("Into", classes="form--label")
                into = [(content(name), name) for name in self._formats]
                yield Select(into, value=self._formats[0], allow_blank=False, id="format", compact=True)
            with Horizontal(classes="form--line"):
                yield Label("File", id="path-label", classes="form--label")
                yield Input(id="path", compact=True)
            yield self.path_words()
            yield Tick("Replace addresses by others, and cut the payload away", id="anonymise", compact=True)
            yield Tick("Keep the payload nevertheless", id="keep-payload", compact=True)
            yield Static("", id="not-hidden")
            yield Static("", id="export-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Export", id="export", variant="primary")

    def on_mount(self) -> None:
        """Focus the path: the rest is mostly right."""
        self._propose()
        self.query_one("#path").focus()

    @property
    def _format(self) -> str:
        return str(self.query_one("#format", Select).value)

    @property
    def asks_for_file(self) -> bool:
        """Not of a new capture, which has a name."""
        return self._format != NEW_CAPTURE

    @on(Select.Changed, "#format")
    def _propose(self) -> None:
        """Ask for another kind of file; a new capture has a name and no form."""
        makes = self._format == NEW_CAPTURE
        self.query_one("#path-label", Label).update("Name" if makes else "File")
        self.query_one("#anonymise", Tick).display = not makes
        self.query_one("#export", Button).label = "Make" if makes else "Export"
        self._remark()
        self.tell_path()

    @on(Tick.Changed)
    def _remark(self) -> None:
        """Say what anonymising does not hide, and propose another file unless one was typed."""
        form, path = self._form(), self.query_one("#path", Input)
        if path.value == self._proposed:
            marked = "-anonymised" if form.anonymise else ""  # so that it is not taken for the real one
            file = self._folder / f"capture-{self._capture_id}{marked}.{form.format}"
            path.value = self._proposed = "" if self._format == NEW_CAPTURE else str(file)
        self.query_one("#keep-payload", Tick).display = form.anonymise
        remarks = self.query_one("#not-hidden", Static)
        remarks.update(content(" ".join(form.remarks())))
        remarks.display = form.anonymise

    def _form(self) -> ExportForm:
        if self._format == NEW_CAPTURE:
            return ExportForm()
        anonymise = self.query_one("#anonymise", Tick).value
        keep = anonymise and self.query_one("#keep-payload", Tick).value
        return ExportForm(self._format, anonymise, keep)

    @on(Button.Pressed, "#export")
    @on(Input.Submitted, "#path")
    def _export(self) -> None:
        choice = self._choices[int(str(self.query_one("#choice", Select).value))]
        if not self.asks_for_file:
            self.dismiss(PacketExportChoice(choice, ExportForm(), None, self.typed))
        elif self.typed:
            self.dismiss(PacketExportChoice(choice, self._form(), self.path, ""))
        else:
            self.query_one("#export-error", Static).update("A file name is needed")
