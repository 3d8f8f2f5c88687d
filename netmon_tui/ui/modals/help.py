"""Help: what the tab is for and every key that works here."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.widgets import Static

from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content, content_block

_KEY_WIDTH = 14
_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "delete": "del",
    "escape": "esc",
    "space": "space",
}


class Help(Dialog[bool]):
    """A page of help.

    Args:
        title: Heading.
        text: What this place is for.
        bindings: Every binding that is active here.
    """

    BINDINGS = [("q,question_mark,f1", "cancel", "Close")]

    def __init__(self, title: str, text: str, bindings: Sequence[ActiveBinding]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._active = bindings

    def compose(self) -> ComposeResult:
        """Text, then a line a key."""
        with self.box(self._title, id="help-box"):
            yield Static(content_block(f"{self._text.strip()}\n\n{self._keys()}"))

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query_one("#help-box").can_focus = True
        self.query_one("#help-box").focus()

    def _keys(self) -> str:
        by_action: dict[tuple[int, str], tuple[list[str], str]] = {}
        for active in self._active:
            binding = active.binding
            if not binding.description or binding.system:
                continue
            mark = (id(active.node), binding.action)
            keys, _ = by_action.setdefault(mark, ([], binding.tooltip or binding.description))
            if binding.key not in keys:
                keys.append(binding.key)
        lines = []
        for keys, text in by_action.values():
            shown = " ".join(_NAMES.get(key, key.replace("ctrl+", "^")) for key in keys)
            lines.append(f"{shown:<{_KEY_WIDTH}} {text}")
        return "\n".join(lines)


def title_of(name: str) -> str:
    """Return the heading of a help page."""
    return str(content(f"Help: {name}" if name else "Help"))
