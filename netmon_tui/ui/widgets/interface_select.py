"""The interface of a form: opens no list of its own but asks for a dialog that shows where the traffic is."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.widgets import Select
from textual.widgets._select import SelectCurrent


class InterfaceSelect(Select[str]):
    """Shows the interface that is chosen."""

    @dataclass
    class Asked(Message):
        """Another interface is to be chosen."""

        select: InterfaceSelect

        @property
        def control(self) -> InterfaceSelect:
            """The widget that asks."""
            return self.select

    def action_show_overlay(self) -> None:
        """Ask for the dialog."""
        self.post_message(self.Asked(self))

    @on(SelectCurrent.Toggle)
    def _ask(self, event: SelectCurrent.Toggle) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Asked(self))
