"""What happened in the neighbour table, and what is done about it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.neighbour_event import EventFilter, NeighbourEvent
from netmon_tui.domain.user import Permission
from netmon_tui.domain.window import Window
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.event_detail import EventDetail
from netmon_tui.ui.modals.mute_form import MuteForm
from netmon_tui.ui.modals.mute_list import MuteList
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.screens.device_actions import DeviceActions
from netmon_tui.ui.screens.pivots import PIVOT_NEEDS, WithPivots, pivot_commands
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.event_words import COLUMNS, EventRow, event_row, event_text
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.pane import Pane
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.window_source import WindowSource

_ON_ROW = frozenset({"scan", "capture", "host", "mark", "acknowledge", "acknowledge_all", "mute"})


class NeighbourEventsPane(Pane, WithPivots):
    """The events that nobody has acknowledged, the latest first; the others when they are asked for."""

    HELP_TITLE = "Neighbour events"
    HELP_TEXT = (
        "What arpwatch would tell of the neighbour table, without its false alarms: new lladdrs, addresses that\n"
        "changed their lladdr, two devices with one address, another gateway, what is gone and what is back.\n"
        "What happens again within an hour, without its opposite between, is the same event once more.\n"
        "enter says what one may mean.\n\n"
        "t acknowledges the event under the cursor, or those selected with space; T all that the list has.\n"
        "m mutes what is noise, M lists the rules; v shows what is acknowledged, V what is muted."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        command(
            "events.acknowledge", "t", "acknowledge", "Acknowledge", "Seen to: this event, or those selected."
        ),
        command(
            "events.acknowledge_all",
            "T",
            "acknowledge_all",
            "All",
            "Seen to: all events that the list has, under its filter.",
        ),
        command("events.mute", "m", "mute", "Mute", "Keep events such as this one, but tell nobody of them."),
        command("events.mutes", "M", "mutes", "Mutes", "List what is muted.", show=False),
        command(
            "events.show_all",
            "v",
            "show('acknowledged')",
            "All",
            "Show acknowledged ones, or not.",
            show=False,
        ),
        command("events.show_muted", "V", "show('muted')", "Muted", "Show muted ones, too.", show=False),
        command("events.mark", "N", "mark", "Name", "Name, note and marks of this device."),
        *pivot_commands("events"),
    ]
    NEEDS: ClassVar = {
        **PIVOT_NEEDS,
        **dict.fromkeys(("mark", "acknowledge", "acknowledge_all", "mute"), Permission.MARK_NEIGHBOURS),
    }

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(session, id=id)
        self._source = WindowSource(self._count, self._fetch)
        self._service = session.services.segment.events
        self._shown = EventFilter(unacknowledged=True)
        self._revision = -1
        self._newest = 0
        """Greatest id of the list: what came after it was counted is not in it, and not acknowledged with it."""
        self._has_row = False

    def compose(self) -> ComposeResult:
        """How many there are, over the list."""
        yield Figure(id="events-head", classes="-muted")
        yield Table(COLUMNS, source=self._source, empty_text="Nothing to be seen to", id="events")

    def focus_content(self) -> None:
        """Focus the table."""
        self._table.focus()

    async def refresh_data(self) -> None:
        """Fetch the visible rows again if anything was stored."""
        revision = await self.session.services.revision()
        if revision != self._revision:
            self._revision = revision
            await self._show_head()
            self._source.invalidate()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what the role does not include, grey out what needs an event."""
        needed = self.NEEDS.get(action)
        if needed is not None and not self.session.actor.may(needed):
            return False
        allowed = super().check_action(action, parameters)
        return None if allowed and action in _ON_ROW and not self._has_row else allowed

    # the list

    @property
    def _table(self) -> Table:
        return self.query_one("#events", Table)

    @property
    def _event(self) -> NeighbourEvent | None:
        """The event under the cursor."""
        row = self._table.cursor_row
        return row.event if isinstance(row, EventRow) else None

    @property
    def pivot(self) -> tuple[str, str]:
        """The address of the event under the cursor."""
        event = self._event
        return (event.address, event.interface) if event is not None else ("", "")

    @property
    def _listed(self) -> EventFilter:
        return self._shown._replace(up_to=self._newest)

    async def _show_head(self) -> None:
        counts = (await self._service.tally(self.session.actor)).open
        words = [f"{thin(count)} {severity}" for severity, count in counts.items() if count]
        parts = [f"{', '.join(words) or 'nothing'} to be seen to"]
        parts += ["acknowledged, too (v)"] * (not self._shown.unacknowledged)
        parts += ["muted ones are shown, too"] * self._shown.muted
        is_weighty = counts[Severity.HIGH] + counts[Severity.MEDIUM] > 0
        self.query_one(Figure).show(f" {'  ·  '.join(parts)}", "warning" if is_weighty else "muted")

    async def _count(self, text: str) -> int:
        self._newest = (await self._service.tally(self.session.actor)).newest
        return await self._service.count(self.session.actor, self._listed, text)

    async def _fetch(self, window: Window) -> Sequence[Row]:
        events = await self._service.events(self.session.actor, self._listed, window)
        now = datetime.now(UTC)
        return [event_row(event, self._service.vendor(event.lladdr), now) for event in events]

    @on(Table.Highlighted, "#events")
    def _look_at_keys(self, event: Table.Highlighted) -> None:
        has_row = event.key is not None
        if has_row != self._has_row:
            self._has_row = has_row
            self.refresh_bindings()

    async def action_show(self, what: str) -> None:
        """Show what is acknowledged, or muted, as well; or no longer."""
        if what == "muted":
            self._shown = self._shown._replace(muted=not self._shown.muted)
        else:
            self._shown = self._shown._replace(unacknowledged=not self._shown.unacknowledged)
        await self._show_again()

    async def _show_again(self) -> None:
        self._revision = -1
        await self.refresh_data()

    @on(Table.Opened, "#events")
    def _open(self) -> None:
        if (event := self._event) is not None:
            text = event_text(event, self._service.vendor)
            self.app.push_screen(EventDetail(f"{event.kind.words} ({event.severity})", text))

    # what is done about it

    @work(exclusive=True, group="event-change", exit_on_error=False)
    async def action_acknowledge(self) -> None:
        """Mark the selected events, or the one under the cursor, as seen to."""
        selected = sorted(int(str(key)) for key in self._table.selected_keys)
        chosen = selected or [event.id for event in [self._event] if event]
        if chosen:
            await self._carry_out(self._service.acknowledge(self.session.actor, chosen))
            self._table.grid.select(())

    @work(exclusive=True, group="event-change", exit_on_error=False)
    async def action_acknowledge_all(self) -> None:
        """Mark all events of the list as seen to, but none that came after it was shown."""
        actor, text, listed = self.session.actor, self._table.filter_text, self._listed
        question = Confirm(
            "Acknowledge all",
            f"All {thin(self._source.count)} events of this list become seen to, for everybody.",
            verb="Acknowledge",
            dangerous=False,
        )
        if not await self.app.push_screen_wait(question):
            return
        await self._carry_out(self._service.acknowledge_all(actor, listed, text))

    async def _carry_out(self, change: Awaitable[int]) -> None:
        try:
            count = await change
        except NetmonError as error:
            self.report(error)
        else:
            self.tell(f"{thin(count)} acknowledged" if count else "That was acknowledged already")
        await self._show_again()

    @work(exclusive=True, group="device-mark", exit_on_error=False)
    async def action_mark(self) -> None:
        """Ask what is said about the device of the event under the cursor."""
        if (event := self._event) is not None and event.lladdr:
            await DeviceActions(self.session, self.app).mark(event.lladdr)

    @work(exclusive=True, group="event-change", exit_on_error=False)
    async def action_mute(self) -> None:
        """Ask how widely events such as the one under the cursor are to be muted."""
        if (event := self._event) is not None:
            made = await self.app.push_screen_wait(MuteForm(self.session, event))
            if made is not None:
                self.tell(f"Muted: {made}")
                await self._show_again()

    @work(exclusive=True, group="event-change", exit_on_error=False)
    async def action_mutes(self) -> None:
        """List what is muted."""
        await self.app.push_screen_wait(MuteList(self.session))
