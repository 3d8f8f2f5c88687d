"""The base of all dialogs: a framed box with a title over its keys, closed by escape without a result."""

from __future__ import annotations

from typing import TypeVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from netmon_tui.ui.defects import WorkerDefects
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.key_line import KeyLine

Result = TypeVar("Result")


class PlainDialog(WorkerDefects, ModalScreen[Result | None]):
    """Something over a screen. Dismissed with None by escape."""

    BINDINGS = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        Binding("pagedown", "scroll_text(1)", "More text", id="dialog.down", show=False),
        Binding("pageup", "scroll_text(-1)", "Less text", id="dialog.up", show=False),
    ]
    DEFAULT_CSS = """
    PlainDialog {
        align: center middle;
        & > .dialog--box {
            width: 76; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; padding: 0 1; background: $surface;
            overflow-y: auto;
        }
        .dialog--buttons { height: auto; margin-top: 1; align-horizontal: right; }
        .dialog--error { color: $text-error; height: auto; }
        Button { margin-left: 1; }
        /* Buttons are at the bottom. */
        ToastRack { dock: top; align: right top; margin-bottom: 0; }
    }
    """

    def on_mount(self) -> None:
        """Show the keys of the dialog over those of the screen behind it."""
        self.mount(KeyLine())

    def box(self, title: str, *, id: str | None = None) -> Vertical:
        """Return the framed container to compose the dialog's content in."""
        frame = Vertical(classes="dialog--box", id=id)
        frame.border_title = content(title)
        return frame

    def action_scroll_text(self, pages: int) -> None:
        """Scroll the text of the dialog, if it has one that scrolls, wherever the cursor is."""
        for text in self.query(".dialog--text"):
            text.scroll_relative(y=pages * max(1, text.size.height - 1), animate=False)

    def action_cancel(self) -> None:
        """Close without a result."""
        self.dismiss(None)
