"""Something that a user keeps under a name: the form that asks for its texts and whether it is shared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Static

from netmon_tui.ui.modals.dialog import Result
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.tick import Tick


class Field(NamedTuple):
    """One text of the form."""

    label: str
    value: str
    """What stands there to begin with."""
    most: int
    """Characters."""


class NamedForm(SavingForm[Result]):
    """Stays open until what is typed is accepted. Gives what was saved.

    Args:
        title: What happens.
        prefix: Begins the ids of its parts, such as ``profile``.
        fields: The texts that are asked for, the name first.
        save: Saves them, shared or not; raises NetmonError when something is refused.
        shared: Whether it is shared to begin with.
    """

    def __init__(
        self,
        title: str,
        prefix: str,
        fields: Sequence[Field],
        save: Callable[[list[str], bool], Awaitable[Result]],
        *,
        shared: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._prefix = prefix
        self._fields = fields
        self._save = save
        self._shared = shared

    def compose(self) -> ComposeResult:
        """Fields and buttons."""
        with self.box(self._title, id=f"{self._prefix}-form") as box:
            box.add_class("named-form")
            for field in self._fields:
                with Horizontal(classes="form--row"):
                    yield Label(content(field.label))
                    name = f"{self._prefix}-{field.label.lower()}"
                    yield Input(field.value, id=name, max_length=field.most, compact=True)
            yield Tick(
                "Everybody may see and use it", self._shared, id=f"{self._prefix}-shared", compact=True
            )
            yield Static("", id=f"{self._prefix}-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Save", id="save", variant="primary")

    async def save(self) -> Result:
        """Save the texts."""
        return await self._save([field.value for field in self.query(Input)], self.query_one(Tick).value)
