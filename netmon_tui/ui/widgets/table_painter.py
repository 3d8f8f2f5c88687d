"""Draws the lines of a table as strips; knows nothing of scrolling, keys or sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntFlag
from textwrap import wrap
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from netmon_tui.security.hostile_text import clean
from netmon_tui.ui.rendering import Tone
from netmon_tui.ui.widgets.row_source import Cell, Row, cell_text
from netmon_tui.ui.widgets.table_columns import GUTTER, Slot

_KEPT_LINES = 512
_UNDERLINE = Style(underline=True)
Part = tuple[str, Style]


class Mark(IntFlag):
    """What distinguishes a row beyond its content."""

    NONE = 0
    CURSOR = 1
    SELECTED = 2
    CHANGED = 4


def fitted(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """Return safe text as exactly ``width`` cells: padded, or cut with an ellipsis."""
    if text.isascii():
        if len(text) > width:
            return text[: width - 1] + "…"
        return text.rjust(width) if align == "right" else text.ljust(width)
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - cells) + text if align == "right" else text + " " * (width - cells)


class LinePainter:
    """Turns rows into strips of the table's width.

    Args:
        look: Gives the style of a component class such as ``table--cursor``; a partial one for tones.
    """

    def __init__(self, look: Callable[[str, bool], Style]) -> None:
        self._look = look
        self._styles: dict[tuple[str, Tone], Style] = {}
        self._lines: LRUCache[object, tuple[Row, Strip]] = LRUCache(_KEPT_LINES)
        self.slots: tuple[Slot, ...] = ()
        self.width = 0
        self.ascii_only = False
        self._gap = ""

    def arrange(self, slots: tuple[Slot, ...], width: int, ascii_only: bool) -> None:
        """Take another layout."""
        self.slots, self.width, self.ascii_only = slots, width, ascii_only
        self._gap = " " * (slots[1].x - slots[0].x - slots[0].width) if len(slots) > 1 else ""
        self._lines.clear()

    def forget(self) -> None:
        """Drop all styles and lines: the theme or the focus changed."""
        self._styles.clear()
        self._lines.clear()

    def row(self, row: Row, marks: Mark, column: int) -> Strip:
        """Return the line of a row; ``column`` is the index of the slot under the column cursor, or -1."""
        key = (row.key, int(marks), column)
        known = self._lines.get(key)
        if known is not None and (known[0] is row or known[0] == row):
            return known[1]
        strip = self._paint_row(row, marks, column)
        self._lines[key] = (row, strip)
        return strip

    def header(self, sort_column: str | None, reverse: bool, column: int) -> Strip:
        """Return the line of titles, with an arrow at the sorted column."""
        base = self._style("table--header", "")
        parts: list[Part] = [(" " * GUTTER, base)]
        for number, slot in enumerate(self.slots):
            title = clean(slot.column.title)
            if slot.column.key == sort_column:
                title = fitted(title, min(len(title), max(0, slot.width - 2))) + " " + self._arrow(reverse)
            style = base + _UNDERLINE if number == column else base
            parts += self._placed(slot, fitted(title, slot.width, slot.column.align), style, base)
        return self._strip(parts, base)

    def placeholder(self) -> Strip:
        """Return the line of a row that is not loaded yet."""
        base = self._style("table--placeholder", "")
        dot = "." if self.ascii_only else "·"
        parts: list[Part] = [(" " * GUTTER, base)]
        for slot in self.slots:
            parts += self._placed(slot, fitted(dot * min(3, slot.width), slot.width), base, base)
        return self._strip(parts, base)

    def blank(self) -> Strip:
        """Return the line below the last row."""
        return self._strip([], self._style("", ""))

    def notice(self, text: str, line: int, height: int, tone: Tone) -> Strip:
        """Return line ``line`` of ``height`` lines in whose middle a text stands."""
        base = self._style("table--empty", tone)
        lines = wrap(clean(text), max(1, self.width - 2)) or [""]
        number = line - max(0, (height - len(lines)) // 2)
        shown = lines[number] if 0 <= number < len(lines) else ""
        pad = max(0, (self.width - cell_len(shown)) // 2)
        return self._strip([(" " * pad + shown, base)], base)

    def _paint_row(self, row: Row, marks: Mark, column: int) -> Strip:
        base = self._base(row, marks)
        coloured = Mark.CURSOR not in marks
        parts: list[Part] = [(self._mark_sign(marks), base)]
        for number, slot in enumerate(self.slots):
            cell = row.cells[slot.index] if slot.index < len(row.cells) else ""
            text = clean(cell_text(cell), 4 * slot.width + 4)
            style = base
            if coloured and isinstance(cell, Cell) and cell.tone:
                style = self._toned(base, cell.tone)
            elif number == column:
                style = base + _UNDERLINE
            shown = text[: slot.width] if slot.column.least else text
            parts += self._placed(slot, fitted(shown, slot.width, slot.column.align), style, base)
        return self._strip(parts, base)

    def _base(self, row: Row, marks: Mark) -> Style:
        """Return the style of a whole line; the cursor's own colours win, to stay readable."""
        if Mark.CURSOR in marks:
            return self._style("table--cursor", "")
        name = "table--selected" if Mark.SELECTED in marks else "table--changed" if marks else ""
        return self._style(name, row.tone)

    def _style(self, name: str, tone: Tone) -> Style:
        found = self._styles.get((name, tone))
        if found is None:
            found = self._look(name, False)
            if tone:
                found = self._toned(found, tone)
            self._styles[(name, tone)] = found
        return found

    def _toned(self, base: Style, tone: Tone) -> Style:
        return base + self._look(f"table--{tone}", True)

    def _mark_sign(self, marks: Mark) -> str:
        """Return what the gutter shows, so that cursor and selection are not colour alone."""
        if Mark.SELECTED in marks:
            return "*" if self.ascii_only else "•"
        if Mark.CURSOR in marks:
            return ">" if self.ascii_only else "▌"
        return " "

    def _arrow(self, reverse: bool) -> str:
        if self.ascii_only:
            return "v" if reverse else "^"
        return "▼" if reverse else "▲"

    def _placed(self, slot: Slot, text: str, style: Style, base: Style) -> list[Part]:
        """Return the cell and, in the style of the line, the gap that follows it."""
        return [(text, style), (self._gap, base)] if slot is not self.slots[-1] else [(text, style)]

    def _strip(self, parts: Sequence[Part], base: Style) -> Strip:
        """Join parts of equal style and fill the line."""
        used = sum(cell_len(text) for text, _ in parts)
        segments: list[Segment] = []
        pending, style = "", base
        for text, own in (*parts, (" " * max(0, self.width - used), base)):
            if pending and own != style:
                segments.append(Segment(pending, style))
                pending = ""
            pending, style = pending + text, own
        segments.append(Segment(pending, style))
        return Strip(segments, max(used, self.width)).crop(0, self.width)
