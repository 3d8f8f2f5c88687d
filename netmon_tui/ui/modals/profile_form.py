"""A scan profile of one's own: new, as a copy, or changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Static

from netmon_tui.domain.owned import LONGEST_DESCRIPTION, LONGEST_NAME
from netmon_tui.domain.profile import Profile, SaveProfile
from netmon_tui.errors import NetmonError
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.tick import Tick

LONGEST_OPTIONS = 4_096


class ProfileForm(Dialog[Profile]):
    """Asks for name, options and description; stays open until they are accepted. Gives what was saved.

    Args:
        title: What happens.
        first: What stands in the fields to begin with.
        save: Saves the profile, shared or not; raises NetmonError when something is refused.
        shared: Whether it is shared to begin with.
    """

    def __init__(
        self,
        title: str,
        first: SaveProfile,
        save: Callable[[SaveProfile, bool], Awaitable[Profile]],
        *,
        shared: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._first = first
        self._save = save
        self._shared = shared

    def compose(self) -> ComposeResult:
        """Fields and buttons."""
        with self.box(self._title, id="profile-form"):
            for label, name, value, most in (
                ("Name", "profile-name", self._first.name, LONGEST_NAME),
                ("Options", "profile-options", self._first.arguments, LONGEST_OPTIONS),
                ("Description", "profile-description", self._first.description, LONGEST_DESCRIPTION),
            ):
                with Horizontal(classes="form--row"):
                    yield Label(content(label))
                    yield Input(value, id=name, max_length=most, compact=True)
            yield Tick("Everybody may see and use it", self._shared, id="profile-shared", compact=True)
            yield Static("", id="profile-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Save", id="save", variant="primary")

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    @work(exclusive=True, group="save-profile", exit_on_error=False)
    async def _submit(self) -> None:
        name, options, description = (field.value for field in self.query(Input))
        try:
            saved = await self._save(
                SaveProfile(name, options, description), self.query_one("#profile-shared", Tick).value
            )
        except NetmonError as error:
            self.query_one("#profile-error", Static).update(content(error))
        else:
            self.dismiss(saved)
