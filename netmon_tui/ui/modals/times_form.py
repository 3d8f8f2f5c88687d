"""When something is started again and again: the base of the forms of schedules, with the next run times."""

from __future__ import annotations

import asyncio

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from netmon_tui.domain.schedule import SaveSchedule, Schedule, SchedulePreview, When
from netmon_tui.errors import NetmonError
from netmon_tui.ui.modals.form import Form
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.tick import Tick

PREVIEW_SECONDS = 0.2
"""Pause in typing after which the preview follows."""
LONGEST_TIMES = 200
LONGEST_ZONE = 64


class TimesForm(Form[Schedule]):
    """Stays open until the schedule is accepted. Gives what was saved.

    Args:
        session: Services and actor.
        first: What stands in the fields to begin with.
        changed: The schedule that is changed; None makes a new one.
    """

    def __init__(self, session: Session, first: SaveSchedule, changed: Schedule | None = None) -> None:
        super().__init__()
        self._actor = session.actor
        self._schedules = session.services.schedules
        self._first = first
        self._changed = changed

    def request(self) -> SaveSchedule:
        """Return what the fields say; raises InvalidInput when they cannot be read."""
        raise NotImplementedError

    # fields

    def labelled(self, label: str, id: str, value: str, most: int, empty: str = "") -> ComposeResult:
        """A line to type in, with its name before it, and what it means when nothing is typed."""
        with Horizontal(classes="form--row"):
            yield Label(content(label))
            yield Input(value, id=id, placeholder=empty, max_length=most, compact=True)

    def times(self) -> ComposeResult:
        """When it runs, and what becomes of a run that was missed."""
        when = self._first.when
        yield from self.labelled("When", "schedule-when", self._schedules.typed(when), LONGEST_TIMES)
        yield Static("1d12h, or cron: 0 3 * * mon-fri, or @daily", classes="form--hint")
        yield from self.labelled("Zone", "schedule-zone", when.zone, LONGEST_ZONE)
        yield Tick("Make up for a missed run", self._first.catch_up, id="schedule-catch-up", compact=True)

    def buttons(self) -> ComposeResult:
        """The run times, and the end."""
        yield Static("", id="schedule-preview")
        with Horizontal(classes="dialog--buttons"):
            yield Button("Cancel", id="cancel")
            yield Button("Save", id="save", variant="primary", disabled=True)

    def typed(self, id: str) -> str:
        """Return what is typed in a field."""
        return self.query_one(f"#{id}", Input).value

    def when(self) -> When:
        """Return the times; raises InvalidInput when they are none."""
        return self._schedules.when_typed(self.typed("schedule-when"), self.typed("schedule-zone"))

    @property
    def catches_up(self) -> bool:
        """Whether a missed run is made up for."""
        return self.query_one("#schedule-catch-up", Tick).value

    # what would run

    def on_mount(self) -> None:
        """Look at what is there."""
        self.look(0.0)

    @on(Tick.Changed)
    @on(Input.Changed)
    def _typed(self) -> None:
        self.look(PREVIEW_SECONDS)

    @work(exclusive=True, group="schedule-preview", exit_on_error=False)
    async def look(self, delay: float) -> None:
        """Show the run times once typing pauses; the next key press starts the pause anew."""
        await asyncio.sleep(delay)
        try:
            preview = await self._schedules.preview(self._actor, self.request(), self._changed)
        except NetmonError as error:
            preview = SchedulePreview(error=str(error))
        self._show(preview)

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    @work(exclusive=True, group="schedule-preview", exit_on_error=False)
    async def _submit(self) -> None:
        try:
            saved = await self._saved(self.request())
        except NetmonError as error:
            self._show(SchedulePreview(error=str(error)), tried=True)
        else:
            self.dismiss(saved)

    async def _saved(self, new: SaveSchedule) -> Schedule:
        if self._changed is None:
            return await self._schedules.create(self._actor, new)
        return await self._schedules.change(self._actor, self._changed, new)

    def _show(self, preview: SchedulePreview, *, tried: bool = False) -> None:
        self.query_one("#save", Button).disabled = bool(preview.error)
        # what nobody has filled in yet is no mistake
        tone = "$text-error" if tried or self.has_typing else "$text-muted"
        lines = [content(preview.error or preview.words).stylize(tone if preview.error else "")]
        lines += [content(f"{time:%a %Y-%m-%d %H:%M %Z}").stylize("$text-muted") for time in preview.times]
        self.query_one("#schedule-preview", Static).update(Content("\n").join(lines))
