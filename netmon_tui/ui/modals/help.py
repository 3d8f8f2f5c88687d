"""Help: what the tab is for and every key that works here."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.widgets import Static

from netmon_tui.ui.commands import Part, help_of, part_of, user_commands
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content, content_block

_KEY_WIDTH = 8
_TITLES = {Part.HERE: "Here", Part.LISTS: "In every list", Part.EVERYWHERE: "Everywhere"}
_MOVES = (
    ("arrows", "Move, as hjkl, PgUp and PgDn do; left and right choose a column."),
    ("g  G", "First row, last row."),
    ("tab", "Next part of the screen; shift+tab goes back."),
)


class Help(Dialog[bool]):
    """A page of help.

    Args:
        title: Heading.
        text: What this place is for.
        bindings: Every binding that is active here.
    """

    BINDINGS = [
        Binding("q,question_mark,f1", "cancel", "Close", id="help.close"),
        Binding("down,j", "scroll_lines(1)", "Down", id="help.down", show=False),
        Binding("up,k", "scroll_lines(-1)", "Up", id="help.up", show=False),
        Binding("home,g", "scroll_lines(-10000)", "Begin", id="help.begin", show=False),
        Binding("end,G", "scroll_lines(10000)", "End", id="help.end", show=False),
    ]

    def __init__(self, title: str, text: str, bindings: Sequence[ActiveBinding]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._active = bindings

    def compose(self) -> ComposeResult:
        """Text, then a line a key: of this place, of lists, of every place."""
        with self.box(self._title, id="help-box"):
            yield Static(content_block(_joined(self._text)), id="help-text")
            yield Static(content_block(self._keys()), id="help-keys")

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        box = self.query_one("#help-box")
        box.add_class("dialog--text")
        box.border_subtitle = content("arrows and pages scroll, esc closes")

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll by some lines, as far as there are any."""
        self.query_one("#help-box").scroll_relative(y=lines, animate=False)

    def _keys(self) -> str:
        lines: dict[Part, list[str]] = {part: [] for part in Part}
        for active, bindings in user_commands(self._active):
            keys = dict.fromkeys(self.app.get_key_display(binding) for binding in bindings)
            lines[part_of(bindings[0])].append(_line("  ".join(keys), help_of(active)))
        if lines[Part.LISTS]:
            lines[Part.LISTS] += [_line(keys, text) for keys, text in _MOVES]
        return "\n\n".join("\n".join([_TITLES[part], *found]) for part, found in lines.items() if found)


def _line(keys: str, text: str) -> str:
    return f"  {keys:<{_KEY_WIDTH}}  {text}"


def _joined(text: str) -> str:
    """Let the screen break the lines: only empty ones stay."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def title_of(name: str) -> str:
    """Return the heading of a help page."""
    return f"Help: {name}" if name else "Help"
