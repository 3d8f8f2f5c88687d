"""The form of a new scan: what is typed on top, what exactly would run below."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label, Select, Static

from netmon_tui.domain.named_set import SetKind
from netmon_tui.domain.profile import Profile, SaveProfile
from netmon_tui.domain.scan import ScanPreview, StartScan
from netmon_tui.domain.schedule import SaveSchedule, When
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.form import Form
from netmon_tui.ui.modals.profile_form import LONGEST_OPTIONS, ProfileForm
from netmon_tui.ui.modals.profile_list import ProfileList
from netmon_tui.ui.modals.schedule_form import ScheduleForm
from netmon_tui.ui.modals.set_list import SetList
from netmon_tui.ui.modals.switch_form import SwitchForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.scan_preview import accepted
from netmon_tui.ui.widgets.tick import Tick

DEFAULT_PROFILE = "Quick scan"
OWN_OPTIONS = ""
"""Value of the profile list when the options are nobody's profile."""
PREVIEW_SECONDS = 0.2
"""Pause in typing after which the preview follows."""
LONGEST_TARGETS = 16_384
LONGEST_NAME = 120
ANY_TARGET = "localhost"
"""What options are tried with while there is no target."""
MOST_SCRIPTS = 12
"""Scripts that a question names."""
STAGES_KEY = "ctrl+g"
HIGH = 30
"""Rows from which on the commands of the stages have room beside the rest."""
_SEPARATORS = re.compile(r"[\s,]+")


class ScanForm(Form[StartScan]):
    """Asks for targets, profile, options and name; gives a request that was accepted by the preview.

    Args:
        session: Services and actor.
        request: What stands in the fields to begin with; foreign text may stand in it.
        profiles: Those that may be chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("scan_form.save", "ctrl+s", "save_profile", "Save", "Keep these options as a profile."),
        command("scan_form.switches", "ctrl+t", "switches", "Switches", "Set the options with switches."),
        command("scan_form.profiles", "ctrl+o", "profiles", "Profiles", "Choose, copy and change profiles."),
        command("scan_form.sets", "ctrl+n", "sets", "Sets", "Choose and change sets of targets and ports."),
        command("scan_form.schedule", "ctrl+r", "schedule", "Schedule", "Repeat this scan by a schedule."),
        command("scan_form.stages", STAGES_KEY, "stages", "Stages", "Show the commands of the stages."),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (HIGH, "-high")]

    def __init__(self, session: Session, request: StartScan, profiles: Sequence[Profile]) -> None:
        super().__init__()
        self._session = session
        self._scanning = session.services.scanning
        self._neighbours = session.services.neighbours
        self._profiles = _by_reference(profiles, session.actor)
        fresh = not request.profile and not request.arguments
        self._profile = DEFAULT_PROFILE if fresh else request.profile
        self._options = self._profiles[DEFAULT_PROFILE].arguments if fresh else request.arguments
        self._targets = " ".join(request.targets)
        self._name = request.name
        self._staged = request.staged
        self._preview = ScanPreview()
        """What the fields said last."""
        self._shows_stages = False
        """Whether the stages are shown instead of the rest, where there is no room for both."""

    def compose(self) -> ComposeResult:
        """Fields, preview, buttons."""
        with self.box("New scan", id="scan-form"):
            with Horizontal(classes="form--row"):
                yield Label("Targets")
                yield Input(self._targets, id="targets", max_length=LONGEST_TARGETS, compact=True)
            yield Static("Addresses, networks, ranges, names, @sets", id="networks", classes="form--hint")
            with Horizontal(classes="form--row"):
                yield Label("Profile")
                yield Select(
                    self._choices(),
                    value=self._profile if self._profile in self._profiles else OWN_OPTIONS,
                    allow_blank=False,
                    id="profile",
                    compact=True,
                )
            yield Static("", id="profile-description", classes="form--hint")
            with Horizontal(classes="form--row"):
                yield Label("Options")
                yield Input(self._options, id="options", max_length=LONGEST_OPTIONS, compact=True)
            with Horizontal(classes="form--row"):
                yield Label("Name")
                yield Input(
                    self._name, placeholder="optional", id="name", max_length=LONGEST_NAME, compact=True
                )
                yield Tick(content("One nmap, no stages"), not self._staged, id="one-nmap", compact=True)
            with VerticalScroll(id="scan-preview", classes="dialog--text", can_focus=False):
                yield Static("", id="preview")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Start", id="start", variant="primary", disabled=True)

    def on_mount(self) -> None:
        """Look at what is there, and suggest the networks of this machine."""
        self._describe()
        self._look(0.0)
        self._suggest()

    @work(exclusive=True, group="scan-networks", exit_on_error=False)
    async def _suggest(self) -> None:
        try:
            networks = await self._neighbours.local_networks()
        except NetmonError:
            return  # a suggestion less
        if networks:
            self.query_one("#targets", Input).suggester = SuggestFromList(networks)
            self.query_one("#networks", Static).update(content("Local: " + "  ".join(networks)))

    @on(Select.Changed, "#profile")
    def _profile_chosen(self, event: Select.Changed) -> None:
        chosen = self._profiles.get(str(event.value))
        self._describe()
        options = self.query_one("#options", Input)
        if chosen is not None and _same(options.value) != _same(chosen.arguments):
            options.value = chosen.arguments

    @on(Input.Changed, "#options")
    def _options_typed(self, event: Input.Changed) -> None:
        select = self.query_one("#profile", Select)
        fitting = self._fitting(str(select.value), event.value)
        if fitting != select.value:
            with self.prevent(Select.Changed):  # its answer would come after the next key, and undo that
                select.value = fitting
            self._describe()
        self._look(PREVIEW_SECONDS)

    # profiles

    def _choices(self) -> list[tuple[Content, str]]:
        names = [(content(reference), reference) for reference in self._profiles]
        return [*names, (content("Own options"), OWN_OPTIONS)]

    @work(exclusive=True, group="scan-profiles", exit_on_error=False)
    async def action_save_profile(self) -> None:
        """Keep the present options as a profile."""
        profiles, actor = self._session.services.profiles, self._session.actor

        async def save(new: SaveProfile, shared: bool) -> Profile:
            return await profiles.create(actor, new, shared=shared)

        first = SaveProfile("", _same(self.query_one("#options", Input).value))
        saved = await self.app.push_screen_wait(ProfileForm("Save as a profile", first, save))
        if saved is not None:
            await self._offer(saved)

    @work(exclusive=True, group="scan-profiles", exit_on_error=False)
    async def action_profiles(self) -> None:
        """Show all profiles; one that is chosen there is taken."""
        await self._offer(await self.app.push_screen_wait(ProfileList(self._session)))

    @work(exclusive=True, group="scan-profiles", exit_on_error=False)
    async def action_schedule(self) -> None:
        """Make a schedule of what is typed."""
        asked = self._request()
        when = When(cron="@daily", zone=self._session.services.schedules.zone)
        arguments = "" if asked.profile else asked.arguments
        first = SaveSchedule(asked.name, asked.targets, when, asked.profile, arguments, staged=asked.staged)
        saved = await self.app.push_screen_wait(
            ScheduleForm("New schedule", self._session, first, list(self._profiles.values()))
        )
        if saved is not None:
            toasts.tell(self.app, f"{saved.name} runs {saved.words}")

    async def _offer(self, chosen: Profile | None) -> None:
        """Fetch the profiles again, and take one, or keep the options as they are."""
        try:
            usable = await self._session.services.profiles.usable(self._session.actor)
        except NetmonError as error:
            toasts.report(self.app, error)
            return
        self._profiles = _by_reference(usable, self._session.actor)
        select, options = self.query_one("#profile", Select), self.query_one("#options", Input)
        wanted = str(select.value)
        if chosen is not None:
            wanted, options.value = chosen.reference_for(self._session.actor), chosen.arguments
        with self.prevent(Select.Changed):
            select.set_options(self._choices())
            select.value = self._fitting(wanted, options.value)
        self._describe()

    def _fitting(self, wanted: str, options: str) -> str:
        """Return the profile that has these options, the wanted one rather than another."""
        fitting = [name for name, one in self._profiles.items() if _same(one.arguments) == _same(options)]
        return wanted if wanted in fitting else next(iter(fitting), OWN_OPTIONS)

    # switches

    @work(exclusive=True, group="scan-switches", exit_on_error=False)
    async def action_switches(self) -> None:
        """Show the options as switches, and take what they were set to."""
        request = self._request()

        async def preview(line: str) -> ScanPreview:
            tried = replace(request, arguments=line, profile="", targets=request.targets or (ANY_TARGET,))
            return await self._scanning.preview(self._session.actor, tried)

        line = await self.app.push_screen_wait(SwitchForm(self._session, request.arguments, preview))
        if line is not None:
            self.query_one("#options", Input).value = line

    # sets

    @work(exclusive=True, group="scan-sets", exit_on_error=False)
    async def action_sets(self) -> None:
        """Show the sets of targets and ports; one that is chosen there is put into its field."""
        chosen = await self.app.push_screen_wait(SetList(self._session, choosing=True))
        if chosen is None:
            return
        mention = chosen.mention_for(self._session.actor)
        if chosen.kind is SetKind.TARGETS:
            targets = self.query_one("#targets", Input)
            targets.value = f"{targets.value} {mention}".strip()
            return
        options = self.query_one("#options", Input)
        try:
            options.value = self._session.services.options.with_ports(options.value, mention)
        except NetmonError as error:
            toasts.report(self.app, error)

    # what would run

    @on(Input.Changed, "#targets")
    @on(Tick.Changed, "#one-nmap")
    def _changed(self) -> None:
        self._look(PREVIEW_SECONDS)

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._start()

    @work(exclusive=True, group="scan-preview", exit_on_error=False)
    async def _look(self, delay: float) -> None:
        """Show what would run once typing pauses; the next key press starts the pause anew."""
        await asyncio.sleep(delay)
        self._show(await self._scanning.preview(self._session.actor, self._request()))

    @work(exclusive=True, group="scan-preview", exit_on_error=False)
    async def _start(self) -> None:
        """Give the request back if it is accepted as it stands now."""
        request = self._request()
        preview = await self._scanning.preview(self._session.actor, request)
        self._show(preview)
        if preview.to_confirm and not await self.app.push_screen_wait(confirm_scripts(preview.to_confirm)):
            return
        if not preview.error:
            self.dismiss(replace(request, confirmed=bool(preview.to_confirm)))

    def _request(self) -> StartScan:
        """Return what the fields say."""
        targets = self.query_one("#targets", Input).value
        return StartScan(
            targets=tuple(target for target in _SEPARATORS.split(targets) if target),
            arguments=_same(self.query_one("#options", Input).value),
            profile=str(self.query_one("#profile", Select).value),
            name=self.query_one("#name", Input).value.strip(),
            staged=not self.query_one("#one-nmap", Tick).value,
        )

    def _describe(self) -> None:
        chosen = self._profiles.get(str(self.query_one("#profile", Select).value))
        words = chosen.description if chosen else "Only what is typed below."
        self.query_one("#profile-description", Static).update(content(words))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the stages where there are some: the line of keys has no room for more."""
        return action != "stages" or bool(self._preview.stages)

    def action_stages(self) -> None:
        """Show the commands of the stages instead of the rest, or the rest again."""
        self._shows_stages = not self._shows_stages
        self._show(self._preview)

    def on_resize(self) -> None:
        """Fold or unfold the stages as there is room."""
        self._show(self._preview)

    def _show(self, preview: ScanPreview) -> None:
        self._preview = preview
        self.refresh_bindings()
        self.query_one("#start", Button).disabled = bool(preview.error) or not preview.command
        view = self.query_one("#preview", Static)
        view.set_class(bool(preview.error), "dialog--error")
        view.update(content(preview.error) if preview.error else self._accepted(preview))

    def _accepted(self, preview: ScanPreview) -> Content:
        if not preview.command:
            return Content()
        has_room = self.size.height >= HIGH
        alone = bool(preview.stages) and self._shows_stages and not has_room
        return accepted(preview, with_stages=has_room or alone, with_rest=not alone, key=STAGES_KEY)


def confirm_scripts(scripts: Sequence[str]) -> Confirm:
    """Return the question before scripts run that may do harm.

    Args:
        scripts: Each with its categories.
    """
    shown = [f"  {one}" for one in scripts[:MOST_SCRIPTS]]
    if len(scripts) > MOST_SCRIPTS:
        shown.append(f"  and {len(scripts) - MOST_SCRIPTS} more")
    text = "\n".join(["They may harm a target, lock accounts or tell third parties:", *shown])
    return Confirm("Run these scripts?", text, verb="Run")


def _by_reference(profiles: Sequence[Profile], actor: Actor) -> dict[str, Profile]:
    return {profile.reference_for(actor): profile for profile in profiles}


def _same(options: str) -> str:
    """Return options without what makes no difference."""
    return " ".join(options.split())
