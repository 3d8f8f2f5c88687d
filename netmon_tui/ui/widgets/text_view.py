"""Lines of foreign text to scroll through: a tool's output, a host's details."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size, clamp
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from netmon_tui.security.hostile_text import clean
from netmon_tui.ui.rendering import Tone

LONGEST_LINE = 2_000
"""Characters of a line that are shown."""


class TextLine(NamedTuple):
    """A line before it is broken to the width of the screen."""

    text: str
    """Raw: the view passes it through the gate."""
    tone: Tone = ""
    indent: int = 0
    """Cells in front of it and of its continuations."""


class TextView(ScrollView, can_focus=True):
    """Shows lines, broken at the width like a terminal does, and repaints only those that changed."""

    COMPONENT_CLASSES = {
        "text-view--success",
        "text-view--warning",
        "text-view--error",
        "text-view--accent",
        "text-view--muted",
        "text-view--strong",
    }
    DEFAULT_CSS = """
    TextView { height: 1fr; overflow: hidden scroll; scrollbar-size-vertical: 1; }
    """
    BINDINGS = [
        Binding("down,j", "move(1)", "Down", id="text.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="text.up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", id="text.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="text.page_up", show=False),
        Binding("home,g", "edge(False)", "Begin", id="text.first", show=False),
        Binding("end,G", "edge(True)", "End", id="text.last", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[TextLine] = []
        self._rows: list[tuple[str, Tone]] = []
        """What is painted, broken to ``_width``."""
        self._first: list[int] = []
        """Row at which each line begins."""
        self._width = 0
        self._painted: dict[int, tuple[str, Tone]] = {}

    @property
    def lines(self) -> Sequence[TextLine]:
        """All lines."""
        return self._lines

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.size.height)

    @property
    def is_at_end(self) -> bool:
        """Whether the last row is visible."""
        return self.scroll_offset.y + self.page >= len(self._rows)

    def show(self, lines: Sequence[TextLine], *, follow: bool = False) -> None:
        """Show other lines; what they have in common with the present ones from the start on stays.

        Args:
            lines: All lines.
            follow: Whether a view that shows the end goes on to the new end.
        """
        if self._lines == lines:
            return
        at_end = self.is_at_end
        same = _common(self._lines, lines)
        self._lines = list(lines)
        self._break(same)
        if follow and at_end:
            self._go(len(self._rows))
        self._repaint_changed()

    def scroll_to_line(self, number: int) -> None:
        """Bring a line to the top, as far as there is text below it."""
        if number < len(self._first):
            self._go(self._first[number])

    def action_move(self, rows: int) -> None:
        """Scroll by rows."""
        self._go(self.scroll_offset.y + rows)

    def action_page(self, pages: int) -> None:
        """Scroll by screens."""
        self._go(self.scroll_offset.y + pages * self.page)

    def action_edge(self, last: bool) -> None:
        """Go to the begin or the end."""
        self._go(len(self._rows) if last else 0)

    def render_line(self, y: int) -> Strip:
        """Paint one row of the screen."""
        if self._line_width != self._width:
            self._break(0)  # the first paint comes before the first resize event
        text, tone = self._painted[y] = self._row(y)
        style = self.rich_style
        if tone:
            style += self.get_component_rich_style(f"text-view--{tone}", partial=True)
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        """Paint all again when the theme changed."""
        super().notify_style_update()
        self._painted.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines at the new width."""
        if self._line_width != self._width:
            self._break(0)
            self.refresh()

    @property
    def _line_width(self) -> int:
        return max(1, self.scrollable_content_region.width)  # without the scrollbar

    def _row(self, y: int) -> tuple[str, Tone]:
        index = self.scroll_offset.y + y
        return self._rows[index] if index < len(self._rows) else ("", "")

    def _go(self, row: int) -> None:
        target = clamp(row, 0, max(0, len(self._rows) - self.page))
        self.scroll_to(y=target, animate=False, force=True)

    def _break(self, start: int) -> None:
        """Break the lines from ``start`` on into rows, and give the scrollbar their number."""
        self._width = self._line_width
        if start < len(self._first):
            del self._rows[self._first[start] :]
        del self._first[start:]
        for line in self._lines[start:]:
            self._first.append(len(self._rows))
            self._rows += [(row, line.tone) for row in _broken(line, self._width)]
        wanted = Size(self._width, len(self._rows))
        if wanted != self.virtual_size:
            # A plain assignment would lay out the whole screen anew.
            self.set_reactive(Widget.virtual_size, wanted)
            self.scroll_y = self.validate_scroll_y(self.scroll_y)
            bar = self.vertical_scrollbar
            bar.window_virtual_size, bar.window_size = max(1, len(self._rows)), self.page
            bar.position = self.scroll_y

    def _repaint_changed(self) -> None:
        changed = [
            Region(0, y, self.size.width, 1)
            for y in range(self.size.height)
            if self._painted.get(y) != self._row(y)
        ]
        if changed:
            self.refresh(*changed)


def _common(old: Sequence[TextLine], new: Sequence[TextLine]) -> int:
    """Return how many lines both begin with."""
    for number, (a, b) in enumerate(zip(old, new, strict=False)):
        if a != b:
            return number
    return min(len(old), len(new))


def _broken(line: TextLine, width: int) -> Iterator[str]:
    """Yield the rows of a line: broken behind a space where there is a good one."""
    indent = " " * min(line.indent, width // 2)
    room = max(1, width - len(indent))
    text = clean(line.text, LONGEST_LINE)
    if not text.isascii():
        yield from (indent + piece for piece in (chop_cells(text, room) if cell_len(text) > room else [text]))
        return
    while len(text) > room:
        space = text.rfind(" ", room // 2, room + 1)
        cut = space if space > 0 else room
        yield indent + text[:cut]
        text = text[cut:].removeprefix(" ") if space > 0 else text[cut:]
    yield indent + text
