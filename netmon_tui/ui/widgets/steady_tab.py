"""A tab that keys choose, never the focus."""

from __future__ import annotations

from textual import events
from textual.widgets import TabPane


class SteadyTab(TabPane):
    """Textual shows the tab in which something was focused, when it hears of it.

    Who has pressed the key of another tab meanwhile would be led back.
    """

    def _on_descendant_focus(self, event: events.DescendantFocus) -> None:
        event.prevent_default()
