"""The terminal's clipboard, by OSC 52: the one way in which widgets copy."""

from __future__ import annotations

from textual.widget import Widget

from netmon_tui.security.hostile_text import clean
from netmon_tui.ui.rendering import size

LIMIT = 50_000
"""Bytes that terminals take by OSC 52; many cut, silently, somewhere above."""


def copy(widget: Widget, *values: str) -> None:
    """Copy a line of values with tabs between them, without what would hurt where it is pasted, and say so.

    Nobody answers whether the terminal took it.
    """
    text = "\t".join(clean(value, LIMIT + 1) for value in values)
    length = len(text.encode("utf-8", "replace"))
    if length > LIMIT:
        widget.notify(
            f"Too long for the terminal's clipboard ({size(length)}). Export it instead.",
            severity="warning",
            markup=False,
        )
    elif text:
        widget.app.copy_to_clipboard(text)
        widget.notify(f"Sent to the terminal's clipboard: {clean(text, 60)}", markup=False)
