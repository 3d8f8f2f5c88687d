"""A schedule of scans: what is scanned again and again, and when, with its next run times."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Label, Select

from netmon_tui.domain.owned import LONGEST_NAME
from netmon_tui.domain.profile import Profile
from netmon_tui.domain.schedule import SaveSchedule, Schedule
from netmon_tui.ui.modals.profile_form import LONGEST_OPTIONS
from netmon_tui.ui.modals.times_form import PREVIEW_SECONDS, TimesForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.tick import Tick

OWN_OPTIONS = ""
"""Value of the profile list when the options are the schedule's own."""
LONGEST_TARGETS = 16_384


class ScheduleForm(TimesForm):
    """Asks for name, targets, options and times.

    Args:
        title: What happens.
        session, first, changed: As of the base.
        profiles: Those that may be chosen.
    """

    def __init__(
        self,
        title: str,
        session: Session,
        first: SaveSchedule,
        profiles: Sequence[Profile],
        changed: Schedule | None = None,
    ) -> None:
        super().__init__(session, first, changed)
        self._title = title
        self._options = {profile.reference_for(session.actor): profile.arguments for profile in profiles}

    def compose(self) -> ComposeResult:
        """Fields, run times, buttons."""
        first = self._first
        names = list(dict.fromkeys([*self._options, *([first.profile] if first.profile else [])]))
        choices = [*((content(name), name) for name in names), (content("Own options"), OWN_OPTIONS)]
        with self.box(self._title, id="schedule-form"):
            yield from self.labelled("Name", "schedule-name", first.name, LONGEST_NAME)
            yield from self.labelled("Targets", "schedule-targets", " ".join(first.targets), LONGEST_TARGETS)
            with Horizontal(classes="form--row"):
                yield Label("Profile")
                yield Select(
                    choices, value=first.profile, allow_blank=False, id="schedule-profile", compact=True
                )
            yield from self.labelled("Options", "schedule-options", first.arguments, LONGEST_OPTIONS)
            yield from self.times()
            yield Tick("Run scripts that may do harm", first.confirmed, id="schedule-confirmed", compact=True)
            yield Tick("One nmap, no stages", not first.staged, id="schedule-one-nmap", compact=True)
            yield from self.buttons()

    def on_mount(self) -> None:
        """Show the options of the profile."""
        self._profile_chosen()

    @on(Select.Changed, "#schedule-profile")
    def _profile_chosen(self) -> None:
        """Show the options of a profile, which are the profile's to change, or let options be typed."""
        chosen = str(self.query_one("#schedule-profile", Select).value)
        options = self.query_one("#schedule-options", Input)
        options.disabled = chosen != OWN_OPTIONS
        if chosen in self._options:
            options.value = self._options[chosen]
        self.look(PREVIEW_SECONDS)

    def request(self) -> SaveSchedule:
        """Return what the fields say; raises InvalidInput when they name no times."""
        profile = str(self.query_one("#schedule-profile", Select).value)
        return SaveSchedule(
            name=self.typed("schedule-name"),
            targets=tuple(self.typed("schedule-targets").replace(",", " ").split()),
            when=self.when(),
            profile=profile,
            arguments="" if profile else " ".join(self.typed("schedule-options").split()),
            catch_up=self.catches_up,
            confirmed=self.query_one("#schedule-confirmed", Tick).value,
            staged=not self.query_one("#schedule-one-nmap", Tick).value,
        )
