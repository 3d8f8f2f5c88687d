"""A value on the screen that changes often."""

from __future__ import annotations

from itertools import takewhile

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from netmon_tui.ui.rendering import Tone, content

_TONES = ("success", "warning", "error", "accent", "muted", "strong")


class Figure(Widget):
    """One line of text in a fixed place, of which only the cells that differ are sent to the terminal.

    Its size comes from the style sheet, never from the text, so that a new value needs no new layout.
    The tone becomes the class ``-<tone>``.
    """

    DEFAULT_CSS = "Figure { height: 1; width: 1fr; text-wrap: nowrap; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown = content("")
        self._tone: Tone = ""

    @property
    def text(self) -> str:
        """What is shown."""
        return self._shown.plain

    def render(self) -> Content:
        """Return the text."""
        return self._shown

    def render_line(self, y: int) -> Strip:
        """Return the line, which Textual would make of the text by wrapping, looking for links and the like."""
        if self.size.height > 1 or self.text_selection is not None:
            return super().render_line(y)
        self._dirty_regions.clear()
        look, width, text = self.visual_style, self.size.width, self._shown.plain
        gap = width - cell_len(text)
        line = Segment(text, look.rich_style_with_offset(0, 0))  # with which a mouse marks text
        if gap <= 0:
            return Strip([line]).crop(0, width)
        space, before = look.background_style.rich_style, self._gap_before(gap)
        parts = (Segment(" " * before, space), line, Segment(" " * (gap - before), space))
        return Strip([part for part in parts if part.text], width)

    def _gap_before(self, gap: int) -> int:
        align = self.styles.text_align
        return gap if align in ("right", "end") else gap // 2 if align == "center" else 0

    def show(self, value: object, tone: Tone = "") -> None:
        """Show a value, foreign or not, on one line."""
        before, self._shown = self._shown.plain, content(value)
        after = self._shown.plain
        if after != before:
            self._refresh_changed(before, after)
        if tone != self._tone:
            self._tone = tone
            for name in _TONES:
                self.set_class(name == tone, f"-{name}")

    def _refresh_changed(self, before: str, after: str) -> None:
        """Repaint the cells that differ; everything when the text moves."""
        first, width = _difference(before, after)
        align, length = self.styles.text_align, cell_len(after)
        if align in ("left", "start"):
            self.refresh(Region(first, 0, width, 1))
        elif align in ("right", "end") and length == cell_len(before):
            self.refresh(Region(first + max(0, self.size.width - length), 0, width, 1))
        else:
            self.refresh()


def _difference(before: str, after: str) -> tuple[int, int]:
    """Return the first cell in which two texts differ, and how many cells from there on may."""
    same = _common(before, after)
    while same and any(not cell_len(text[same : same + 1]) for text in (before, after) if text[same:]):
        same -= 1  # a mark without a width is drawn with the character before it
    first, old, new = cell_len(after[:same]), cell_len(before), cell_len(after)
    if old != new or len(before) != len(after):
        return first, max(old, new) - first
    tail = _common(before[:same:-1], after[:same:-1])
    return first, new - first - cell_len(after[len(after) - tail :])


def _common(left: str, right: str) -> int:
    """Return how many characters two texts have in common at their beginnings."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
