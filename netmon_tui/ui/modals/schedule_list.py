"""The schedules that one may see: make, change, switch, run and delete them, and open their last scans."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from netmon_tui.domain.schedule import SaveSchedule, Schedule, When
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.modals.scan_form import DEFAULT_PROFILE
from netmon_tui.ui.modals.schedule_form import ScheduleForm
from netmon_tui.ui.rendering import ASCII_CLASS, content, state_style, when
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Name", minimum=12, share=2, priority=0),
    Column("targets", "Target", minimum=12, share=2, priority=2),
    Column("when", "When", minimum=16, share=3, priority=0),
    Column("next", "Next", width=9, priority=0),
    Column("scan", "Last", width=5, align="right", priority=1),
    Column("state", "State", width=13, priority=0),
    Column("changes", "Changes", width=9, priority=1),
    Column("owner", "Owner", width=8, priority=3),
)
REFRESH_SECONDS = 2.0


class ScheduleList(Dialog[int]):
    """One's own schedules; an administrator's list has everybody's. Gives the scan that is to be opened.

    Args:
        session: Services and actor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("schedules.new", "n", "new", "New", "Make a schedule."),
        command("schedules.switch", "x", "switch", "On/off", "Let it run, or no longer."),
        command("schedules.run", "r", "run", "Run now", "Start its scan now."),
        command("schedules.open", "v", "open_scan", "Last scan", "Open the last scan that it started."),
        command("schedules.delete", "delete", "delete", "Delete", "Delete it; its scans stay."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._actor = session.actor
        self._service = session.services.schedules
        self._schedules: dict[str, Schedule] = {}
        self._source = MemorySource([column.key for column in COLUMNS])

    def compose(self) -> ComposeResult:
        """The list over what went wrong over the keys."""
        with self.box("Schedules", id="schedules-box") as box:
            box.border_subtitle = content("enter changes it, esc closes")
            yield Table(COLUMNS, source=self._source, empty_text="No schedules yet. Press n", id="schedules")
            yield Static("", id="schedule-about")
        yield KeyLine()

    def on_mount(self) -> None:
        """Fetch the rows, go to them, and keep them up to date."""
        self._refresh()
        self.set_interval(REFRESH_SECONDS, self._refresh)
        self.query_one(Table).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what is not to be done with the row under the cursor."""
        if action == "new":
            return self._actor.may(Permission.SCAN)
        if action not in {"switch", "run", "open_scan", "delete"}:
            return True
        schedule = self._schedule
        if action == "open_scan":
            return (schedule is not None and schedule.last_state is not None) or None
        return (schedule is not None and schedule.is_changed_by(self._actor)) or None

    @work(exclusive=True, group="schedules", exit_on_error=False)
    async def _refresh(self) -> None:
        await self._fetch()

    async def _fetch(self) -> None:
        try:
            found = await self._service.find_all(self._actor)
        except NetmonError as error:
            self.query_one(Table).set_texts(error=str(error))
            return
        self._schedules = {str(schedule.id): schedule for schedule in found}
        ascii_only, now = self.app.has_class(ASCII_CLASS), datetime.now(UTC)
        self._source.replace(_row(schedule, self._session, ascii_only, now) for schedule in found)
        self._look_at_row()

    @property
    def _schedule(self) -> Schedule | None:
        tables = self.query(Table)
        return self._schedules.get(str(tables.first().cursor_key)) if tables else None

    @on(Table.Highlighted)
    def _look_at_row(self) -> None:
        schedule = self._schedule
        self.query_one("#schedule-about", Static).update(content(_about(schedule) if schedule else ""))
        self.refresh_bindings()

    # what can be done

    @work(exclusive=True, group="schedule-change", exit_on_error=False)
    async def action_new(self) -> None:
        """Make a schedule."""
        first = SaveSchedule("", (), When(cron="@daily", zone=self._service.zone), DEFAULT_PROFILE)
        await self._ask("New schedule", first)

    @on(Table.Opened)
    @work(exclusive=True, group="schedule-change", exit_on_error=False)
    async def _edit(self) -> None:
        """Change the schedule under the cursor."""
        schedule = self._schedule
        if schedule is not None and schedule.is_changed_by(self._actor):
            await self._ask("Change a schedule", schedule.saved, schedule)

    async def _ask(self, title: str, first: SaveSchedule, changed: Schedule | None = None) -> None:
        """Open the form, and go to what was saved there."""
        try:
            profiles = await self._session.services.profiles.usable(self._actor)
        except NetmonError as error:
            toasts.report(self.app, error)
            return
        form = ScheduleForm(title, self._session, first, profiles, changed)
        saved = await self.app.push_screen_wait(form)
        if saved is not None:
            await self._fetch()
            self.query_one(Table).move_to_key(str(saved.id))

    @work(exclusive=True, group="schedule-change", exit_on_error=False)
    async def action_switch(self) -> None:
        """Let the schedule under the cursor run, or no longer."""
        if (schedule := self._schedule) is not None:
            try:
                await self._service.enable(self._actor, schedule, enabled=not schedule.enabled)
            except NetmonError as error:
                toasts.report(self.app, error)
            await self._fetch()

    @work(exclusive=True, group="schedule-change", exit_on_error=False)
    async def action_run(self) -> None:
        """Start the scan of the schedule under the cursor."""
        if (schedule := self._schedule) is not None:
            try:
                scan_id = await self._service.run_now(self._actor, schedule)
                toasts.tell(self.app, f"Scan {scan_id} of {schedule.name} is on its way")
            except NetmonError as error:
                toasts.report(self.app, error)
            await self._fetch()

    def action_open_scan(self) -> None:
        """Open the last scan of the schedule under the cursor."""
        if (schedule := self._schedule) is not None:
            self.dismiss(schedule.last_scan)

    @work(exclusive=True, group="schedule-change", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the schedule under the cursor, after asking."""
        if (schedule := self._schedule) is None:
            return
        text = f"{schedule.name} is deleted for good. Its scans stay."
        if not await self.app.push_screen_wait(Confirm("Delete a schedule", text, verb="Delete")):
            return
        try:
            await self._service.delete(self._actor, schedule)
        except NetmonError as error:
            toasts.report(self.app, error)
        await self._fetch()


def _row(schedule: Schedule, session: Session, ascii_only: bool, now: datetime) -> Row:
    look = state_style(_state(schedule))
    return Row(
        str(schedule.id),
        (
            schedule.reference_for(session.actor),
            " ".join(schedule.targets),
            schedule.words,
            _next(schedule.next_run, now),
            "" if schedule.last_scan is None else str(schedule.last_scan),
            Cell(look.label(ascii_only), look.tone),
            str(schedule.last_changes or ""),
            schedule.owner,
        ),
    )


def _state(schedule: Schedule) -> str:
    """Return one word for how it goes: off, failed, or the state of its last scan."""
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
    """Return what the row has no room for: why the last run failed, or what is scanned."""
    if schedule.last_error:
        return schedule.last_error
    return f"{' '.join(schedule.targets)}  {schedule.profile or schedule.arguments}"
