"""A schedule: what is scanned again and again, and when, with its next run times."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Label, Select, Static

from netmon_tui.domain.owned import LONGEST_NAME
from netmon_tui.domain.profile import Profile
from netmon_tui.domain.schedule import SaveSchedule, Schedule, SchedulePreview
from netmon_tui.errors import NetmonError
from netmon_tui.ui.modals.form import Form
from netmon_tui.ui.modals.profile_form import LONGEST_OPTIONS
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.tick import Tick

OWN_OPTIONS = ""
"""Value of the profile list when the options are the schedule's own."""
PREVIEW_SECONDS = 0.2
"""Pause in typing after which the preview follows."""
LONGEST_TARGETS = 16_384
LONGEST_TIMES = 200
LONGEST_ZONE = 64


class ScheduleForm(Form[Schedule]):
    """Asks for name, targets, options and times; stays open until they are accepted. Gives what was saved.

    Args:
        title: What happens.
        session: Services and actor.
        first: What stands in the fields to begin with.
        profiles: Those that may be chosen.
        changed: The schedule that is changed; None makes a new one.
    """

    def __init__(
        self,
        title: str,
        session: Session,
        first: SaveSchedule,
        profiles: Sequence[Profile],
        changed: Schedule | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._actor = session.actor
        self._schedules = session.services.schedules
        self._first = first
        self._options = {profile.reference_for(session.actor): profile.arguments for profile in profiles}
        self._changed = changed

    def compose(self) -> ComposeResult:
        """Fields, run times, buttons."""
        first = self._first
        names = list(dict.fromkeys([*self._options, *([first.profile] if first.profile else [])]))
        choices = [*((content(name), name) for name in names), (content("Own options"), OWN_OPTIONS)]
        with self.box(self._title, id="schedule-form"):
            yield from self._row("Name", "schedule-name", first.name, LONGEST_NAME)
            yield from self._row("Targets", "schedule-targets", " ".join(first.targets), LONGEST_TARGETS)
            with Horizontal(classes="form--row"):
                yield Label("Profile")
                yield Select(
                    choices, value=first.profile, allow_blank=False, id="schedule-profile", compact=True
                )
            yield from self._row("Options", "schedule-options", first.arguments, LONGEST_OPTIONS)
            yield from self._row("When", "schedule-when", self._schedules.typed(first.when), LONGEST_TIMES)
            yield Static("1d12h, or cron: 0 3 * * mon-fri, or @daily", classes="form--hint")
            yield from self._row("Zone", "schedule-zone", first.when.zone, LONGEST_ZONE)
            yield Tick("Make up for a missed run", first.catch_up, id="schedule-catch-up", compact=True)
            yield Tick("Run scripts that may do harm", first.confirmed, id="schedule-confirmed", compact=True)
            yield Tick("One nmap, no stages", not first.staged, id="schedule-one-nmap", compact=True)
            yield Static("", id="schedule-preview")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Save", id="save", variant="primary", disabled=True)

    def _row(self, label: str, id: str, value: str, most: int) -> ComposeResult:
        with Horizontal(classes="form--row"):
            yield Label(content(label))
            yield Input(value, id=id, max_length=most, compact=True)

    def on_mount(self) -> None:
        """Look at what is there."""
        self._profile_chosen()
        self._look(0.0)

    @on(Select.Changed, "#schedule-profile")
    def _profile_chosen(self) -> None:
        """Show the options of a profile, which are the profile's to change, or let options be typed."""
        chosen = str(self.query_one("#schedule-profile", Select).value)
        options = self.query_one("#schedule-options", Input)
        options.disabled = chosen != OWN_OPTIONS
        if chosen in self._options:
            options.value = self._options[chosen]
        self._look(PREVIEW_SECONDS)

    @on(Tick.Changed)
    @on(Input.Changed)
    def _typed(self) -> None:
        self._look(PREVIEW_SECONDS)

    @work(exclusive=True, group="schedule-preview", exit_on_error=False)
    async def _look(self, delay: float) -> None:
        """Show the run times once typing pauses; the next key press starts the pause anew."""
        await asyncio.sleep(delay)
        try:
            preview = await self._schedules.preview(self._actor, self._request(), self._changed)
        except NetmonError as error:
            preview = SchedulePreview(error=str(error))
        self._show(preview)

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    @work(exclusive=True, group="schedule-preview", exit_on_error=False)
    async def _submit(self) -> None:
        try:
            saved = await self._saved(self._request())
        except NetmonError as error:
            self._show(SchedulePreview(error=str(error)))
        else:
            self.dismiss(saved)

    async def _saved(self, new: SaveSchedule) -> Schedule:
        if self._changed is None:
            return await self._schedules.create(self._actor, new)
        return await self._schedules.change(self._actor, self._changed, new)

    def _request(self) -> SaveSchedule:
        """Return what the fields say; raises InvalidInput when they name no times."""
        field = {str(one.id): one.value for one in self.query(Input)}
        profile = str(self.query_one("#schedule-profile", Select).value)
        return SaveSchedule(
            name=field["schedule-name"],
            targets=tuple(field["schedule-targets"].replace(",", " ").split()),
            when=self._schedules.when_typed(field["schedule-when"], field["schedule-zone"]),
            profile=profile,
            arguments="" if profile else " ".join(field["schedule-options"].split()),
            catch_up=self.query_one("#schedule-catch-up", Tick).value,
            confirmed=self.query_one("#schedule-confirmed", Tick).value,
            staged=not self.query_one("#schedule-one-nmap", Tick).value,
        )

    def _show(self, preview: SchedulePreview) -> None:
        self.query_one("#save", Button).disabled = bool(preview.error)
        lines = [content(preview.error or preview.words).stylize("$text-error" if preview.error else "")]
        lines += [content(f"{time:%a %Y-%m-%d %H:%M %Z}").stylize("$text-muted") for time in preview.times]
        self.query_one("#schedule-preview", Static).update(Content("\n").join(lines))
