"""The base of all dialogs: a framed box with a title over its keys, closed by escape without a result."""

from __future__ import annotations

from typing import TypeVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.widgets._toast import Toast

from netmon_tui.ui.defects import WorkerDefects
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.key_line import KeyLine

Result = TypeVar("Result")


class PlainDialog(WorkerDefects, ModalScreen[Result | None]):
    """Something over a screen. Dismissed with None by escape."""

    box_title = ""
    """What its frame is called."""

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
        /* At one edge, and flat: beside most dialogs there are few lines, and below are their buttons. */
        ToastRack { dock: top; align: right top; margin-bottom: 0; }
        Toast { width: auto; max-width: 100%; margin-top: 0; padding: 0 1; }
        &.-toasts-low ToastRack { dock: bottom; align: right bottom; margin-bottom: 1; }
    }
    """

    def on_mount(self) -> None:
        """Show the keys of the dialog over those of the screen behind it."""
        self.mount(KeyLine())
        self.screen_layout_refresh_signal.subscribe(self, lambda _: self._place_toasts())

    def on_descendant_focus(self) -> None:
        """Let no toast cover where the cursor goes."""
        self._place_toasts()

    def box(self, title: str, *, id: str | None = None) -> Vertical:
        """Return the framed container to compose the dialog's content in."""
        frame = Vertical(classes="dialog--box", id=id)
        frame.border_title = content(title)
        self.box_title = title
        return frame

    def _place_toasts(self) -> None:
        """Show toasts above, or below where they cover less there: never the cursor, if that can be helped."""
        toasts = [one.region for one in self.query(Toast)]
        if not any(toasts):
            return
        width, height = max(one.width for one in toasts), sum(one.height for one in toasts)
        left, last = self.size.width - width, self.size.height - 1  # where the keys are
        above, below = Region(left, 0, width, height), Region(left, last - height, width, height)
        self.set_class(self._covered(below) < self._covered(above), "-toasts-low")

    def _covered(self, place: Region) -> tuple[int, int, int]:
        """Return how much a place takes of the focused widget, how many widgets it covers, and of the box."""
        focused = self.focused.region if self.focused is not None else Region()
        fields = sum(one.region.overlaps(place) for one in self.focus_chain)
        box = sum(one.region.intersection(place).area for one in self.query(".dialog--box"))
        return focused.intersection(place).area, fields, box

    def action_scroll_text(self, pages: int) -> None:
        """Scroll the text of the dialog, if it has one that scrolls, wherever the cursor is."""
        for text in self.query(".dialog--text"):
            text.scroll_relative(y=pages * max(1, text.size.height - 1), animate=False)

    def action_cancel(self) -> None:
        """Close without a result."""
        self.dismiss(None)
