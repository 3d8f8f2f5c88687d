"""Yes or no, before something is lost."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Static

from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content, content_block


class Confirm(Dialog[bool]):
    """A question with a verb for an answer; ``True`` when it is chosen.

    Args:
        title: What is about to happen.
        text: What it means, plain text.
        verb: The button that does it.
        dangerous: Whether something is lost for good: then the other button has the focus.
    """

    def __init__(self, title: str, text: str, *, verb: str, dangerous: bool = True) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._verb = verb
        self._dangerous = dangerous

    def compose(self) -> ComposeResult:
        """Text over two buttons."""
        with self.box(self._title) as box:
            if self._dangerous:
                box.border_subtitle = content(f"enter cancels, tab goes to {self._verb}")
            yield Static(content_block(self._text), id="confirm-text")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button(content(self._verb), id="yes", variant="error" if self._dangerous else "primary")

    def on_mount(self) -> None:
        """Focus the harmless answer when the other one is dangerous."""
        self.query_one("#cancel" if self._dangerous else "#yes").focus()

    @on(Button.Pressed)
    def _answer(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes" or None)
