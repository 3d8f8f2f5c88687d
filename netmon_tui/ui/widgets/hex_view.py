"""The bytes of a packet: offset, hexadecimal and ASCII, with the bytes of one field marked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size, clamp
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netmon_tui.ui.clipboard import copy

_OFFSET_GAP = 2
_PER_LINE = (16, 8, 4)


class HexView(ScrollView, can_focus=True):
    """Lines of 16, 8 or 4 bytes, whichever fits; a cursor says which byte is meant."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"hex--offset", "hex--marked", "hex--found", "hex--cursor"}
    DEFAULT_CSS = "HexView { height: 1fr; overflow: hidden scroll; scrollbar-size-vertical: 1; }"
    BINDINGS = [
        Binding("right,l", "move(1)", "Next byte", id="hex.right", show=False),
        Binding("left,h", "move(-1)", "Byte before", id="hex.left", show=False),
        Binding("down,j", "lines(1)", "Line down", id="hex.down", show=False),
        Binding("up,k", "lines(-1)", "Line up", id="hex.up", show=False),
        Binding("pagedown", "pages(1)", "Page down", id="hex.page_down", show=False),
        Binding("pageup", "pages(-1)", "Page up", id="hex.page_up", show=False),
        Binding("home,g", "edge(False)", "First byte", id="hex.first", show=False),
        Binding("end,G", "edge(True)", "Last byte", id="hex.last", show=False),
        Binding(
            "y",
            "copy(True)",
            "Copy hex",
            tooltip="Copy the field's bytes, or all, as hex.",
            id="hex.copy_hex",
        ),
        Binding(
            "Y",
            "copy(False)",
            "Copy text",
            tooltip="Copy the field's bytes, or all, as text.",
            id="hex.copy_text",
        ),
    ]

    class ByteChosen(Message):
        """The user moved to another byte."""

        def __init__(self, offset: int) -> None:
            super().__init__()
            self.offset = offset

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._data = b""
        self._marked = range(0)
        self._found: Sequence[range] = ()
        self._cursor = 0

    @property
    def marked(self) -> bytes:
        """The bytes that are marked."""
        return self._data[self._marked.start : self._marked.stop]

    @property
    def per_line(self) -> int:
        """Bytes of one line at the present width."""
        room = self.size.width - self.scrollbar_size_vertical - self._digits - _OFFSET_GAP
        return next((count for count in _PER_LINE if 4 * count + 2 <= room), _PER_LINE[-1])

    @property
    def _digits(self) -> int:
        return max(4, len(f"{len(self._data):x}"))

    def show(self, data: bytes) -> None:
        """Show the bytes of a packet, nothing marked."""
        if data != self._data:
            self._data, self._marked, self._found, self._cursor = data, range(0), (), 0
            self._fit()
            self.scroll_to(y=0, animate=False, force=True)
            self.refresh()

    def mark(self, offset: int, size: int) -> None:
        """Mark a field's bytes; a negative offset marks nothing.

        The first of them comes into sight, or the first in them that was found.
        """
        wanted = range(offset, min(offset + size, len(self._data))) if offset >= 0 else range(0)
        if wanted == self._marked:
            return
        before, self._marked = self._marked, wanted
        if wanted and self._cursor not in wanted:
            self._refresh_lines(range(self._cursor, self._cursor + 1))
            self._cursor = _first_in(wanted, self._found)
        if wanted:
            self._reveal(_first_in(wanted, self._found))
        self._refresh_lines(before)
        self._refresh_lines(wanted)

    def show_found(self, places: Sequence[range]) -> None:
        """Show where something was found, ascending, and bring the first place into sight."""
        if places != self._found:
            self._found = places
            if places:
                self._reveal(places[0].start)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint one line of the screen."""
        start = (self.scroll_offset.y + y) * self.per_line
        data = self._data[start : start + self.per_line]
        base = self.rich_style
        if not data:
            return Strip([Segment(" " * self.size.width, base)])
        segments = [
            Segment(f"{start:0{self._digits}x}".ljust(self._digits + _OFFSET_GAP), self._look("offset"))
        ]
        segments += self._run(start, data, base, "{:02x}", " ")
        segments.append(Segment("   " * (self.per_line - len(data)) + " ", base))
        segments += self._run(start, data, base, "{}", "")
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _run(self, start: int, data: bytes, base: Style, form: str, gap: str) -> Iterator[Segment]:
        """Yield the bytes of a line, and the gaps after them, in their styles."""
        for index, value in enumerate(data, start):
            shown = form.format(value if gap else _printable(value))
            yield Segment(shown, self._style_of(index, base))
            if gap:
                within = index in self._marked and index + 1 in self._marked and index + 1 < start + len(data)
                yield Segment(gap, self._look("marked") if within else base)

    def _style_of(self, index: int, base: Style) -> Style:
        if self.has_focus and index == self._cursor:
            return self._look("cursor")
        if _is_in(index, self._found):
            return self._look("found")
        return self._look("marked") if index in self._marked else base

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(f"hex--{name}")

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
        self._fit()
        self.refresh()

    def on_focus(self) -> None:
        """Show the cursor."""
        self._refresh_lines(range(self._cursor, self._cursor + 1))

    def on_blur(self) -> None:
        """Hide the cursor."""
        self._refresh_lines(range(self._cursor, self._cursor + 1))

    def action_move(self, count: int) -> None:
        """Move by bytes."""
        self._go(self._cursor + count)

    def action_lines(self, lines: int) -> None:
        """Move by lines."""
        self._go(self._cursor + lines * self.per_line)

    def action_pages(self, pages: int) -> None:
        """Move by screens."""
        self._go(self._cursor + pages * self.per_line * max(1, self.size.height - 1))

    def action_edge(self, last: bool) -> None:
        """Move to the first or the last byte."""
        self._go(len(self._data) - 1 if last else 0)

    def action_copy(self, as_hex: bool) -> None:
        """Copy the bytes that are marked, or all when none are."""
        data = self.marked or self._data
        copy(self, data.hex(" ") if as_hex else data.decode("utf-8", "backslashreplace"))

    def on_click(self, event: events.Click) -> None:
        """Move to the byte that was clicked, in either half."""
        place = event.get_content_offset(self)
        if place is None:
            return
        left = place.x - self._digits - _OFFSET_GAP
        column = left // 3 if left < 3 * self.per_line else left - 3 * self.per_line - 1
        if 0 <= column < self.per_line:
            self._go((self.scroll_offset.y + place.y) * self.per_line + column)

    def _go(self, offset: int) -> None:
        if not self._data:
            return
        before, self._cursor = self._cursor, clamp(offset, 0, len(self._data) - 1)
        if self._cursor != before:
            self._reveal(self._cursor)
            self._refresh_lines(range(before, before + 1))
            self._refresh_lines(range(self._cursor, self._cursor + 1))
            self.post_message(self.ByteChosen(self._cursor))

    def _fit(self) -> None:
        self.virtual_size = Size(self.size.width, -(-len(self._data) // self.per_line))

    def _reveal(self, offset: int) -> None:
        line, height = offset // self.per_line, max(1, self.size.height)
        top = clamp(self.scroll_offset.y, line - height + 1, line)
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

    def _refresh_lines(self, offsets: range) -> None:
        """Repaint the visible lines on which some bytes stand."""
        if offsets:
            first = max(0, offsets[0] // self.per_line - self.scroll_offset.y)
            last = min(self.size.height - 1, offsets[-1] // self.per_line - self.scroll_offset.y)
            if first <= last:
                self.refresh(Region(0, first, self.size.width, last - first + 1))


def _first_in(wanted: range, found: Sequence[range]) -> int:
    """Return where the first of the found places begins that begins in a range; else where the range begins."""
    return next((place.start for place in found if place.start in wanted), wanted.start)


def _is_in(offset: int, found: Sequence[range]) -> bool:
    at = bisect_right(found, offset, key=lambda place: place.start) - 1
    return at >= 0 and offset in found[at]


def _printable(value: int) -> str:
    return chr(value) if 0x20 <= value < 0x7F else "."
