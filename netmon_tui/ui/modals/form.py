"""The bases of dialogs in which something is typed: what was typed is not lost by one key."""

from __future__ import annotations

from abc import abstractmethod

from textual import on, work
from textual.binding import Binding
from textual.events import Event
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from netmon_tui.errors import NetmonError
from netmon_tui.ui.modals.dialog import Dialog, Result
from netmon_tui.ui.rendering import content

LOST = "escape again closes this; what was typed is lost"


class Form(Dialog[Result]):
    """Asks for what is typed. Escape closes it at once only while nothing was."""

    BINDINGS = [Binding("tab", "app.focus_next", "Next field", id="form.next")]

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[object, str] = {}
        self._has_typing = False
        self._has_warned = False
        self._hint: str | None = None
        """What the frame said before it warned."""

    def on_mount(self) -> None:
        """Note what stands in the fields before anybody types."""
        self._before = {field: field.value for field in self.query(Input)}

    @on(Input.Changed)
    def _note_input(self, event: Input.Changed) -> None:
        if event.input.has_focus and event.value != self._before.get(event.input, ""):
            self._note_typing()

    def on_text_area_changed(self, event: Event) -> None:
        """Note typing in a field of many lines, whose class would cost start-up time to import."""
        self._note_typing()

    def _note_typing(self) -> None:
        self._has_typing = True
        if self._has_warned:
            self._has_warned = False
            self._frame.border_subtitle = content(self._hint or "")

    @property
    def has_typing(self) -> bool:
        """Whether something was typed."""
        return self._has_typing

    @property
    def _frame(self) -> Widget:
        return self.query_one(".dialog--box")

    def action_cancel(self) -> None:
        """Close without a result; where something was typed, the second time."""
        if self._has_typing and not self._has_warned:
            self._has_warned, self._hint = True, self._frame.border_subtitle
            self._frame.border_subtitle = content(LOST)
        else:
            self.dismiss(None)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)


class SavingForm(Form[Result]):
    """Stays open until what is typed is accepted; gives what that made.

    It has a primary button, and a line ``.dialog--error`` that says what was refused.
    """

    @abstractmethod
    async def save(self) -> Result:
        """Do what the fields ask for and return what came of it; raises NetmonError when that is refused."""

    @on(Button.Pressed, ".-primary")
    @on(Input.Submitted)
    @work(exclusive=True, group="save", exit_on_error=False)
    async def submit(self) -> None:
        """Close with what was saved, or say why it is not."""
        try:
            saved = await self.save()
        except NetmonError as error:
            self.query_one(".dialog--error", Static).update(content(error))
        else:
            self.dismiss(saved)
