"""One event of the neighbour table, in full."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content, content_block


class EventDetail(Dialog[bool]):
    """Something to read.

    Args:
        title: What happened, in two words.
        text: The rest of it, as lines.
    """

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """The lines."""
        with self.box(self._title, id="event-box") as box:
            box.border_subtitle = content("esc closes")
            box.can_focus = True
            yield Static(content_block(self._text), id="event")

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query_one("#event-box").focus()
