"""A button of one line for the first screen, which must be painted at once.

Textual's own has a stylesheet of 7 kB: reading it took a tenth of the time to the login.
"""

from __future__ import annotations

from textual.binding import Binding
from textual.message import Message
from textual.widgets import Static

from netmon_tui.ui.rendering import content


class PlainButton(Static, can_focus=True):
    """A word to press: enter, space or a click.

    Args:
        label: The word.
        id: Identifier of the widget.
    """

    class Pressed(Message):
        """It was pressed; ``control`` is the button."""

        def __init__(self, button: PlainButton) -> None:
            super().__init__()
            self.button = button

        @property
        def control(self) -> PlainButton:
            """The button."""
            return self.button

    ALLOW_SELECT = False
    BINDINGS = [Binding("enter,space", "press", "Press", show=False)]

    def __init__(self, label: str, *, id: str) -> None:
        super().__init__(content(label), id=id)

    def on_click(self) -> None:
        """As enter."""
        self.action_press()

    def action_press(self) -> None:
        """Say that it was pressed."""
        self.post_message(self.Pressed(self))
