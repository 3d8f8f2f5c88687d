"""One line that somebody types, for a decision that is asked with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from netmon_tui.errors import NetmonError
from netmon_tui.ui.modals.dialog import Dialog, Result
from netmon_tui.ui.rendering import content

_LONGEST = 200


class LineForm(Dialog[Result], Generic[Result]):
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

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#accept")
    @on(Input.Submitted)
    @work(exclusive=True, group="accept-line", exit_on_error=False)
    async def _submit(self) -> None:
        try:
            meant = await self._accept(self.query_one(Input).value)
        except NetmonError as error:
            self.query_one("#line-error", Static).update(content(error))
        else:
            self.dismiss(meant)
