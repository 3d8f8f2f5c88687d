"""The schedules that one may see: make, change, switch, run and delete them, and open what they started last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from netmon_tui.domain.schedule import SaveSchedule, Schedule, When
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.capture_schedule_form import CaptureScheduleForm
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.modals.scan_form import DEFAULT_PROFILE
from netmon_tui.ui.modals.schedule_form import ScheduleForm
from netmon_tui.ui.rendering import ASCII_CLASS, content, state_style, when
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Name", minimum=12, share=2, priority=0),
    Column("targets", "Where", minimum=12, share=2, priority=2),
    Column("when", "When", minimum=16, share=3, priority=0),
    Column("next", "Next", width=9, priority=0),
    Column("scan", "Last", width=5, align="right", priority=1),
    Column("state", "State", width=13, priority=0),
    Column("changes", "Changes", width=9, priority=1),
    Column("owner", "Owner", width=8, priority=3),
)
REFRESH_SECONDS = 2.0
_OF_CAPTURES = "of captures: ctrl+r in their form"


class ScheduleList(ListDialog[Schedule, Schedule]):
    """One's own schedules; an administrator's list has everybody's. Gives that whose last run is to be opened.

    Args:
        session: Services and actor.
    """

    NOUN = "a schedule"
    enter_word = "Change"
    ON_ROW = frozenset({"switch", "run", "open_last", "delete"})
    BINDINGS: ClassVar[list[BindingType]] = [
        command("schedules.new", "n", "new", "New", "Make a schedule of scans."),
        command("schedules.switch", "x", "switch", "On/off", "Let it run, or no longer."),
        command("schedules.run", "r", "run", "Run now", "Start its scan or capture now."),
        command("schedules.open", "v", "open_last", "Last run", "Open the last scan or capture of it."),
        command("schedules.delete", "delete", "delete", "Delete", "Delete it; its scans and captures stay."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(
            session,
            "Schedules",
            COLUMNS,
            id="schedules",
            hint=f"enter changes it, esc closes; {_OF_CAPTURES}",
            empty=f"No schedules yet. n makes one of scans; {_OF_CAPTURES}",
        )
        self._service = session.services.schedules

    def compose_below(self) -> ComposeResult:
        """What went wrong."""
        yield Static("", id="schedule-about")

    def on_mount(self) -> None:
        """Keep the rows up to date."""
        self.set_interval(REFRESH_SECONDS, self._refresh)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer new ones to those who may scan."""
        if action == "new":
            return self._actor.may(Permission.SCAN)
        return super().check_action(action, parameters)

    async def fetch(self) -> Iterable[Schedule]:
        """Return those that the actor may see."""
        return await self._service.find_all(self._actor)

    def row(self, kept: Schedule) -> Row:
        """Return the line of a schedule as of now."""
        return _row(kept, self._session, self.app.has_class(ASCII_CLASS), datetime.now(UTC))

    def allows(self, action: str, kept: Schedule) -> bool:
        """Whether it may be changed and run, or has something to open."""
        if action == "open_last":
            return kept.last_state is not None
        return kept.is_changed_by(self._actor)

    def why_not(self, action: str, kept: Schedule) -> str:
        """Return what is missing."""
        return "It has not run yet" if action == "open_last" else super().why_not(action, kept)

    def look_at_row(self) -> None:
        """Say what the row has no room for."""
        schedule = self.chosen
        self.query_one("#schedule-about", Static).update(content(_about(schedule) if schedule else ""))
        super().look_at_row()

    def loss(self, kept: Schedule) -> str:
        """Return what stays."""
        return f"{kept.name} is deleted for good. Its {kept.noun}s stay."

    async def delete(self, kept: Schedule) -> None:
        """Delete it."""
        await self._service.delete(self._actor, kept)

    # what can be done

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_new(self) -> None:
        """Make a schedule."""
        first = SaveSchedule("", (), When(cron="@daily", zone=self._service.zone), DEFAULT_PROFILE)
        await self._ask("New schedule", first)

    def take(self, kept: Schedule) -> None:
        """Change it."""
        if kept.is_changed_by(self._actor):
            self._edit(kept)

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def _edit(self, schedule: Schedule) -> None:
        if schedule.capture is not None:
            form = CaptureScheduleForm(self._session, schedule.saved, schedule.capture, schedule)
            await self.show(await self.app.push_screen_wait(form))
            return
        await self._ask("Change a schedule", schedule.saved, schedule)

    async def _ask(self, title: str, first: SaveSchedule, changed: Schedule | None = None) -> None:
        """Open the form, and go to what was saved there."""
        try:
            profiles = await self._session.services.profiles.usable(self._actor)
        except NetmonError as error:
            toasts.report(self.app, error)
            return
        form = ScheduleForm(title, self._session, first, profiles, changed)
        await self.show(await self.app.push_screen_wait(form))

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_switch(self) -> None:
        """Let the schedule under the cursor run, or no longer."""
        if (schedule := self.chosen) is not None:
            await self.carry_out(self._service.enable(self._actor, schedule, enabled=not schedule.enabled))

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_run(self) -> None:
        """Start what the schedule under the cursor starts."""
        if (schedule := self.chosen) is not None:
            await self.carry_out(self._run(schedule))

    async def _run(self, schedule: Schedule) -> None:
        number = await self._service.run_now(self._actor, schedule)
        toasts.tell(self.app, f"{schedule.noun.capitalize()} {number} of {schedule.name} is on its way")

    def action_open_last(self) -> None:
        """Open the last scan or capture of the schedule under the cursor."""
        if (schedule := self.chosen) is not None:
            self.dismiss(schedule)


def _row(schedule: Schedule, session: Session, ascii_only: bool, now: datetime) -> Row:
    look = state_style(_state(schedule))
    return Row(
        str(schedule.id),
        (
            schedule.reference_for(session.actor),
            schedule.target_words,
            schedule.words,
            _next(schedule.next_run, now),
            "" if schedule.last_id is None else str(schedule.last_id),
            Cell(look.label(ascii_only), look.tone),
            str(schedule.last_changes or ""),
            schedule.owner,
        ),
    )


def _state(schedule: Schedule) -> str:
    """Return one word for how it goes: off, failed, or the state of what it started last."""
    if not schedule.enabled:
        return "off"
    if schedule.last_error and not schedule.runs:
        return "failed"
    return schedule.last_state.value if schedule.last_state is not None else "pending"


def _next(moment: datetime | None, now: datetime) -> str:
    """Return when it runs next, in local time and as short as possible: ``03:00``, ``Fri 03:00``, ``Nov 3``."""
    if moment is None:
        return ""
    local = moment.astimezone()
    days = (local.date() - now.astimezone().date()).days
    return f"{local:%a %H:%M}" if 0 < days < 7 else when(moment, now)


def _about(schedule: Schedule) -> str:
    """Return what the row has no room for: why the last run failed, or what is scanned or captured."""
    if schedule.last_error:
        return schedule.last_error
    return f"{schedule.target_words}  {schedule.option_words}"
