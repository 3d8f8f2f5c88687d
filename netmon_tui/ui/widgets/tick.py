"""A check box whose state is not colour alone."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Checkbox


class Tick(Checkbox, inherit_bindings=False):
    """``[x]`` or ``[ ]`` before a label; Textual's own shows the same sign in two colours.

    Enter is for the whole form, as it is in a line of text: it must not change what was just ticked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_button", "Tick", id="tick.toggle", show=False),
        Binding("enter", "accept", "Accept", id="tick.accept", show=False),
    ]

    def action_accept(self) -> None:
        """Press the button that the form is for, if it has one."""
        for button in self.screen.query(Button):
            if button.variant == "primary" and not button.disabled:
                button.press()

    @property
    def _button(self) -> Content:
        style = self.get_visual_style("toggle--button")
        return Content.assemble(("[x]" if self.value else "[ ]", style), " ")
