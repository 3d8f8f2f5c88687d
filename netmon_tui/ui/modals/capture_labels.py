"""What people say about a capture: its name, its tags, a note, and whether it is kept whatever its age."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Static

from netmon_tui.domain.capture import Capture, CaptureLabels
from netmon_tui.domain.capture_filter import LONGEST_NAME
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.widgets.tick import Tick

_LONGEST_TAGS = 1_100
"""Characters: 32 tags of 32, and what stands between."""


class CaptureLabelForm(SavingForm[Capture]):
    """Stays open until what is typed is accepted. Gives the capture as it is then.

    Args:
        capture: As it is.
        save: Changes it; raises NetmonError when something is refused.
    """

    def __init__(self, capture: Capture, save: Callable[[CaptureLabels], Awaitable[Capture]]) -> None:
        super().__init__()
        self._capture = capture
        self._save = save

    def compose(self) -> ComposeResult:
        """Fields and buttons."""
        from textual.widgets import TextArea  # costs start-up time, and is for this form alone

        capture = self._capture
        with self.box(f"Capture {capture.id}", id="capture-labels"):
            with Horizontal(classes="form--line"):
                yield Label("Name", classes="form--label")
                yield Input(capture.name, id="name", max_length=LONGEST_NAME, compact=True)
            with Horizontal(classes="form--line"):
                yield Label("Tags", classes="form--label")
                tags = " ".join(capture.tags)
                yield Input(tags, id="tags", placeholder="words", max_length=_LONGEST_TAGS, compact=True)
            yield Label("Note", classes="form--label")
            yield TextArea(capture.note, id="note", compact=True)
            yield Tick("Keep it whatever its age", capture.kept, id="kept", compact=True)
            yield Static("", id="labels-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Save", id="save", variant="primary")

    async def save(self) -> Capture:
        """Save the labels."""
        return await self._save(self._labels())

    def _labels(self) -> CaptureLabels:
        from textual.widgets import TextArea

        typed = tuple(self.query_one("#tags", Input).value.replace(",", " ").split())
        known = {tag.casefold() for tag in typed}
        return CaptureLabels(
            name=self.query_one("#name", Input).value,
            note=self.query_one("#note", TextArea).text,
            add_tags=typed,
            remove_tags=tuple(tag for tag in self._capture.tags if tag not in known),
            kept=self.query_one("#kept", Tick).value,
        )
