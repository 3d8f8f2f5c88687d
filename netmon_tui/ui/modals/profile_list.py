"""The scan profiles that one may use: choose one, make others, change one's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import BindingType

from netmon_tui.domain.owned import LONGEST_NAME
from netmon_tui.domain.profile import Profile, SaveProfile
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.modals.profile_form import ProfileForm
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Name", minimum=16, share=2, priority=0),
    Column("arguments", "Options", minimum=16, share=3, priority=0),
    Column("owner", "Owner", width=8, priority=1),
    Column("shared", "Shared", width=6, priority=1),
    Column("description", "Description", minimum=36, share=2, priority=2),
)
_COPY = " copy"


class ProfileList(ListDialog[Profile, Profile]):
    """One's own profiles, those that others share, and Zenmap's. Gives the one that is chosen.

    Args:
        session: Services and actor.
    """

    NOUN = "a profile"
    ON_ROW = frozenset({"edit", "copy", "share", "delete"})
    BINDINGS: ClassVar[list[BindingType]] = [
        command("profiles.edit", "e", "edit", "Edit", "Change name, options and description."),
        command(
            "profiles.copy", "c", "copy", "New copy", "Make a profile of your own that is like this one."
        ),
        command("profiles.share", "s", "share", "Share", "Let everybody use it, or no longer."),
        command("profiles.delete", "delete", "delete", "Delete", "Delete it; scans made with it stay."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Scan profiles", COLUMNS, id="profiles", hint="enter uses it, esc closes")
        self._service = session.services.profiles

    async def fetch(self) -> Iterable[Profile]:
        """Return them, one's own first."""
        return sorted(await self._service.usable(self._actor), key=lambda profile: profile.is_built_in)

    def row(self, kept: Profile) -> Row:
        """Return the line of a profile, under the name that it has for the actor."""
        reference = kept.reference_for(self._actor)
        shared = "yes" if kept.shared else ""
        return Row(reference, (reference, kept.arguments, kept.owner, shared, kept.description))

    def allows(self, action: str, kept: Profile) -> bool:
        """Whether it may be changed; everything may be copied."""
        return action == "copy" or kept.is_changed_by(self._actor)

    def take(self, kept: Profile) -> None:
        """Choose it."""
        self.dismiss(kept)

    def loss(self, kept: Profile) -> str:
        """Return what stays."""
        return f"{kept.name} is deleted for good. Scans that were made with it stay."

    async def delete(self, kept: Profile) -> None:
        """Delete it."""
        await self._service.delete(self._actor, kept)

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_edit(self) -> None:
        """Change the profile under the cursor."""
        profile = self.chosen
        if profile is None:
            return

        async def save(new: SaveProfile, shared: bool) -> Profile:
            return await self._service.change(self._actor, profile, new, shared=shared)

        first = SaveProfile(profile.name, profile.arguments, profile.description)
        form = ProfileForm("Change a profile", first, save, shared=profile.shared)
        await self.show(await self.app.push_screen_wait(form))

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_copy(self) -> None:
        """Make a new one that begins as the profile under the cursor."""
        profile = self.chosen
        if profile is None:
            return

        async def save(new: SaveProfile, shared: bool) -> Profile:
            return await self._service.create(self._actor, new, shared=shared)

        name = profile.name[: LONGEST_NAME - len(_COPY)] + _COPY
        form = ProfileForm("Copy a profile", SaveProfile(name, profile.arguments, profile.description), save)
        await self.show(await self.app.push_screen_wait(form))

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_share(self) -> None:
        """Let everybody use the profile under the cursor, or no longer."""
        if (profile := self.chosen) is None:
            return
        try:
            await self.show(await self._service.share(self._actor, profile, shared=not profile.shared))
        except NetmonError as error:
            toasts.report(self.app, error)
