"""A value on the screen that changes often."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from netmon_tui.ui.rendering import Tone, content

_TONES = ("success", "warning", "error", "accent", "muted", "strong")


class Figure(Static):
    """One line of text in a fixed place, sent to the terminal only when it differs.

    Its size comes from the style sheet, never from the text, so that a new value needs no new layout.
    The tone becomes the class ``-<tone>``.
    """

    DEFAULT_CSS = "Figure { height: 1; width: 1fr; text-wrap: nowrap; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("", id=id, classes=classes)
        self._shown = Content("")
        self._tone: Tone = ""

    @property
    def text(self) -> str:
        """What is shown."""
        return self._shown.plain

    def show(self, value: object, tone: Tone = "") -> None:
        """Show a value, foreign or not, on one line."""
        wanted = content(value)
        if wanted != self._shown:
            self._shown = wanted
            self.update(content(wanted.plain), layout=False)
        if tone != self._tone:
            self._tone = tone
            for name in _TONES:
                self.set_class(name == tone, f"-{name}")
