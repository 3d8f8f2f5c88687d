"""One line that somebody types, for a decision that is asked with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from netmon_tui.ui.modals.dialog import Result
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.rendering import content

_LONGEST = 4_096
"""As long as a path may be."""


class LineForm(SavingForm[Result]):
    """Stays open until what is typed is accepted; gives what it means then.

    Args:
        title: What is asked for.
        ways: What can be typed.
        verb: What the button does.
        accept: Returns what a line means; raises NetmonError when it is refused.
    """

    def __init__(self, title: str, ways: str, verb: str, accept: Callable[[str], Awaitable[Result]]) -> None:
        super().__init__()
        self._title, self._ways, self._verb = title, ways, verb
        self._accept = accept

    def compose(self) -> ComposeResult:
        """Field and buttons."""
        with self.box(self._title, id="line-form"):
            yield Static(content(self._ways))
            yield Input(id="line", max_length=_LONGEST, compact=True)
            yield Static("", id="line-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button(content(self._verb), id="accept", variant="primary")

    def on_mount(self) -> None:
        """Focus the field."""
        self.query_one(Input).focus()

    async def save(self) -> Result:
        """Return what the line means."""
        return await self._accept(self.query_one(Input).value)
