"""The base of dialogs that ask something: the line of keys says what enter does, and F1 explains all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, TypeVar

from textual.binding import ActiveBinding, Binding, BindingType
from textual.widgets import Button, Input, Select

from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.modals.plain_dialog import PlainDialog
from netmon_tui.ui.widgets.tick import Tick

Result = TypeVar("Result")


class Dialog(PlainDialog[Result]):
    """A decision. Dismissed with None by escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f1,question_mark", "explain", "Help", tooltip="Show all keys of this dialog.", id="dialog.help"
        ),
    ]
    HELP_TEXT = (
        "tab and shift+tab go through fields and buttons. enter in a line of text is the main button; on a field\n"
        "with an arrow it opens what can be chosen. space ticks."
    )
    """What the keys have in common."""

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """What can be pressed; enter is called what it does where the cursor is."""
        found = super().active_bindings
        enter, does = found.get("enter"), self._enter_does()
        if enter is not None and does and not enter.binding.show:
            told = replace(enter.binding, description=does, tooltip=does, id="dialog.accept", show=True)
            found["enter"] = enter._replace(binding=told, tooltip=does)
        return found

    def _enter_does(self) -> str:
        """Return what enter does, in a word; empty where only the focused widget knows."""
        focused = self.focused
        if isinstance(focused, Button):
            return str(focused.label)
        if isinstance(focused, Input | Tick):
            main = [one for one in self.query(Button) if one.variant == "primary"]
            can = [one for one in main if not (isinstance(focused, Tick) and one.disabled)]
            return next((str(one.label) for one in can), "")
        chooses = focused is not None and any(isinstance(one, Select) for one in focused.ancestors_with_self)
        return "Choose" if chooses else ""

    def action_explain(self) -> None:
        """Show all keys."""
        self.app.push_screen(
            Help(title_of(self.box_title), self.HELP_TEXT, list(self.active_bindings.values()))
        )
