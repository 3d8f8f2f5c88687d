"""Help: what the tab is for and every key that works here."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.widgets import Static

from netmon_tui.ui.commands import Part, help_of, part_of, user_commands
from netmon_tui.ui.modals.plain_dialog import PlainDialog
from netmon_tui.ui.rendering import content, content_block

_KEY_WIDTH = 8
_BOX_CELLS = 84
_FRAME_CELLS = 6
"""What frame, padding and scroll bar take of it."""
_TITLES = {
    Part.HERE: "Here",
    Part.THERE: "In the fields, after a search, with marks",
    Part.LISTS: "In every list",
    Part.EVERYWHERE: "Everywhere",
}
_MOVES = (
    ("arrows", "Move, as hjkl, PgUp and PgDn do; left and right choose a column."),
    ("g  G", "First row, last row."),
    ("tab", "Next part of the screen; shift+tab goes back."),
)


class Help(PlainDialog[bool]):
    """A page of help.

    Args:
        title: Heading.
        text: What this place is for.
        bindings: Every binding that is active here.
        elsewhere: Those of parts of this place that do not have the focus, or of what is not there yet.
    """

    BINDINGS = [
        Binding("q,question_mark,f1", "cancel", "Close", id="help.close"),
        Binding("down,j", "scroll_lines(1)", "Down", id="help.down", show=False),
        Binding("up,k", "scroll_lines(-1)", "Up", id="help.up", show=False),
        Binding("home,g", "scroll_lines(-10000)", "Begin", id="help.begin", show=False),
        Binding("end,G", "scroll_lines(10000)", "End", id="help.end", show=False),
    ]

    def __init__(
        self, title: str, text: str, bindings: Sequence[ActiveBinding], elsewhere: Sequence[Binding] = ()
    ) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._active = bindings
        self._elsewhere = elsewhere

    def compose(self) -> ComposeResult:
        """A line a key: of this place, of lists, of every place. Then the text: who knows the place wants a key."""
        with self.box(self._title, id="help-box"):
            yield Static(id="help-keys")
            yield Static(content_block(_joined(self._text)), id="help-text")

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        box = self.query_one("#help-box")
        box.add_class("dialog--text")
        box.border_subtitle = content("arrows and pages scroll, esc closes")

    def on_resize(self) -> None:
        """Break the lines at the width of the box."""
        width = min(_BOX_CELLS, self.app.size.width) - _FRAME_CELLS
        self.query_one("#help-keys", Static).update(content_block(self._keys(width)))

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll by some lines, as far as there are any."""
        self.query_one("#help-box").scroll_relative(y=lines, animate=False)

    def _keys(self, width: int) -> str:
        lines: dict[Part, list[str]] = {part: [] for part in Part}
        for active, bindings in user_commands(self._active):
            lines[part_of(bindings[0])].append(_line(self._shown(bindings), help_of(active), width))
        known = {active.binding.id for active in self._active}
        lines[Part.THERE] += [
            _line(self._shown([one]), one.tooltip or one.description, width)
            for one in self._elsewhere
            if one.id not in known
        ]
        if lines[Part.LISTS]:
            lines[Part.LISTS] += [_line(keys, text, width) for keys, text in _MOVES]
        return "\n\n".join("\n".join([_TITLES[part], *found]) for part, found in lines.items() if found)

    def _shown(self, bindings: Sequence[Binding]) -> str:
        return "  ".join(dict.fromkeys(self.app.get_key_display(binding) for binding in bindings))


def _line(keys: str, text: str, width: int) -> str:
    """Return the keys and what they do, which is broken below itself."""
    begin = f"  {keys:<{_KEY_WIDTH}}  "
    return textwrap.fill(text, width, initial_indent=begin, subsequent_indent=" " * (_KEY_WIDTH + 4))


def _joined(text: str) -> str:
    """Let the screen break the lines: only empty ones stay."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def title_of(name: str) -> str:
    """Return the heading of a help page."""
    return f"Help: {name}" if name else "Help"
