"""A line over a screen in which something is typed, for one answer: it says how it is given and left."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class LineInput(Input):
    """Its screen hears what is submitted, and leaves it by its own way back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Accept", tooltip="Take what stands in the line.", id="line.accept"),
        Binding("escape", "screen.back", "Leave", tooltip="Leave the line as it was.", id="line.leave"),
    ]
