"""The scan profiles that one may use: choose one, make others, change one's own."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.profile import LONGEST_NAME, Profile, SaveProfile
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.modals.profile_form import ProfileForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Name", minimum=16, share=2, priority=0),
    Column("arguments", "Options", minimum=16, share=3, priority=0),
    Column("owner", "Owner", width=8, priority=1),
    Column("shared", "Shared", width=6, priority=1),
    Column("description", "Description", minimum=36, share=2, priority=2),
)
_COPY = " copy"


class ProfileList(Dialog[Profile]):
    """One's own profiles, those that others share, and Zenmap's. Gives the one that is chosen.

    Args:
        session: Services and actor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("profiles.edit", "e", "edit", "Edit", "Change name, options and description."),
        command(
            "profiles.copy", "c", "copy", "New copy", "Make a profile of your own that is like this one."
        ),
        command("profiles.share", "s", "share", "Share", "Let everybody use it, or no longer."),
        command("profiles.delete", "delete", "delete", "Delete", "Delete it; scans made with it stay."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._actor = session.actor
        self._service = session.services.profiles
        self._profiles: dict[str, Profile] = {}
        self._source = MemorySource([column.key for column in COLUMNS])

    def compose(self) -> ComposeResult:
        """The list over the keys."""
        with self.box("Scan profiles", id="profiles-box") as box:
            box.border_subtitle = content("enter uses it, esc closes")
            yield Table(COLUMNS, source=self._source, id="profiles")
        yield KeyLine()

    def on_mount(self) -> None:
        """Fetch the rows and go to them."""
        self._refresh()
        self.query_one(Table).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what is not to be done with the row under the cursor."""
        if action not in {"edit", "copy", "share", "delete"}:
            return True
        profile = self._profile
        if action == "copy":
            return profile is not None or None
        return (profile is not None and profile.is_changed_by(self._actor)) or None

    @work(exclusive=True, group="profiles", exit_on_error=False)
    async def _refresh(self) -> None:
        await self._fetch()

    async def _fetch(self) -> None:
        try:
            usable = await self._service.usable(self._actor)
        except NetmonError as error:
            self.query_one(Table).set_texts(error=str(error))
            return
        own_first = sorted(usable, key=lambda profile: profile.is_built_in)
        self._profiles = {profile.reference_for(self._actor): profile for profile in own_first}
        self._source.replace(
            Row(reference, (reference, p.arguments, p.owner, "yes" if p.shared else "", p.description))
            for reference, p in self._profiles.items()
        )
        self.refresh_bindings()

    @property
    def _profile(self) -> Profile | None:
        tables = self.query(Table)
        return self._profiles.get(str(tables.first().cursor_key)) if tables else None

    @on(Table.Highlighted)
    def _look_at_keys(self) -> None:
        self.refresh_bindings()

    @on(Table.Opened)
    def _choose(self) -> None:
        self.dismiss(self._profile)

    @work(exclusive=True, group="profile-change", exit_on_error=False)
    async def action_edit(self) -> None:
        """Change the profile under the cursor."""
        profile = self._profile
        if profile is None:
            return

        async def save(new: SaveProfile, shared: bool) -> Profile:
            changed = await self._service.change(self._actor, profile, new)
            if shared != changed.shared:
                changed = await self._service.share(self._actor, changed, shared=shared)
            return changed

        first = SaveProfile(profile.name, profile.arguments, profile.description)
        form = ProfileForm("Change a profile", first, save, shared=profile.shared)
        await self._show(await self.app.push_screen_wait(form))

    @work(exclusive=True, group="profile-change", exit_on_error=False)
    async def action_copy(self) -> None:
        """Make a new one that begins as the profile under the cursor."""
        profile = self._profile
        if profile is None:
            return

        async def save(new: SaveProfile, shared: bool) -> Profile:
            return await self._service.create(self._actor, new, shared=shared)

        name = profile.name[: LONGEST_NAME - len(_COPY)] + _COPY
        form = ProfileForm("Copy a profile", SaveProfile(name, profile.arguments, profile.description), save)
        await self._show(await self.app.push_screen_wait(form))

    @work(exclusive=True, group="profile-change", exit_on_error=False)
    async def action_share(self) -> None:
        """Let everybody use the profile under the cursor, or no longer."""
        profile = self._profile
        if profile is None:
            return
        try:
            await self._show(await self._service.share(self._actor, profile, shared=not profile.shared))
        except NetmonError as error:
            self._report(error)

    @work(exclusive=True, group="profile-change", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the profile under the cursor, after asking."""
        profile = self._profile
        if profile is None:
            return
        text = f"{profile.name} is deleted for good. Scans that were made with it stay."
        if not await self.app.push_screen_wait(Confirm("Delete a profile", text, verb="Delete")):
            return
        try:
            await self._service.delete(self._actor, profile)
        except NetmonError as error:
            self._report(error)
        await self._fetch()

    async def _show(self, profile: Profile | None) -> None:
        """Fetch the rows again and go to the one that was changed."""
        if profile is not None:
            await self._fetch()
            self.query_one(Table).move_to_key(profile.reference_for(self._actor))

    def _report(self, error: NetmonError) -> None:
        toasts.report(self.app, error)
