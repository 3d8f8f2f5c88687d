"""How the output of a script differs between two scans, line by line."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import Tone, content
from netmon_tui.ui.widgets.text_view import TextLine, TextView

_AROUND = 4
"""Rows of the screen that the frame and what is behind it keep."""
_TONES: dict[str, Tone] = {"-": "error", "+": "success", "@": "accent"}


class ScriptDifference(Dialog[bool]):
    """A unified diff to read.

    Args:
        title: Host, port and script.
        scans: The earlier and the later scan.
        lines: As unified diffs have them, raw.
    """

    def __init__(self, title: str, scans: tuple[int, int], lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._scans = scans
        self._lines = [TextLine(line, _TONES.get(line[:1], "")) for line in lines]

    def compose(self) -> ComposeResult:
        """The lines."""
        with self.box(self._title, id="difference-box") as box:
            box.border_subtitle = content("- scan {}, + scan {}; esc closes".format(*self._scans))
            yield TextView(id="difference")

    def on_mount(self) -> None:
        """As high as the lines, within reason; let the keys scroll."""
        view = self.query_one(TextView)
        view.styles.height = max(1, min(self._room, len(self._lines)))
        view.show(self._lines)
        view.focus()
        self.call_after_refresh(self._fit)  # how many rows long lines take is known when the width is

    @property
    def _room(self) -> int:
        return self.app.size.height - _AROUND

    def _fit(self) -> None:
        view = self.query_one(TextView)
        view.styles.height = max(1, min(self._room, view.virtual_size.height))
