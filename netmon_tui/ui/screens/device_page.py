"""One device: what is said about it, and when it was at which address."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.device import DevicePage, Presence
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.modals.history import History
from netmon_tui.ui.rendering import ASCII_CLASS, duration, seen_last, state_style
from netmon_tui.ui.screens.device_actions import DeviceActions
from netmon_tui.ui.screens.pivots import PIVOT_NEEDS, AddressPage, pivot_commands
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.presence_line import presence_line
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

HELP = (
    "Every time at which this lladdr had an address, the latest first. A time ends when nothing was heard for an\n"
    "hour (quiet), when the address did not answer (gone), or when another lladdr had it (replaced).\n"
    "The blocks show how much of each hour of the last day, and of each six hours of the last week, it was there.\n"
    "enter shows every lladdr that the address under the cursor had; s, c and H go on with that address;\n"
    "N changes name, note and marks, esc goes back."
)
_FORM = "%Y-%m-%d %H:%M"
_READ_SECONDS = 2.0
"""Between two looks while nothing new is stored."""
TIMES = (
    Column("address", "Address", minimum=15, share=3, priority=0),
    Column("interface", "Iface", width=7, priority=3),
    Column("state", "State", width=10, priority=0),
    Column("started", "From", width=16, priority=0),
    Column("ended", "Last seen", width=16, priority=0),
    Column("lasted", "Lasted", width=10, align="right", priority=2),
)


class DevicePageScreen(AddressPage):
    """What is remembered of one lladdr.

    Args:
        session: Services and actor.
        lladdr: In normal form.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("device.back", "escape", "back", "Back", "To the list."),
        command("device.mark", "N", "mark", "Name", "Name, note and marks of this device."),
        *pivot_commands("device"),
        command("device.freeze", "p", "freeze", "Freeze", "Stop and continue updating.", show=False),
        command(
            "device.help", "question_mark,f1", "help", "Help", "What this screen is for and all its keys."
        ),
    ]
    NEEDS: ClassVar = {**PIVOT_NEEDS, "mark": Permission.MARK_NEIGHBOURS}

    def __init__(self, session: Session, lladdr: str) -> None:
        super().__init__(session)
        self._lladdr = lladdr
        self._read_at = 0.0
        """Monotonic seconds."""
        self._source = MemorySource([column.key for column in TIMES])

    def compose(self) -> ComposeResult:
        """Lines over the table of times."""
        yield Figure(id="device-head")
        yield Figure(id="device-marks")
        yield Figure(id="device-note-line")
        yield Figure(id="device-times-line")
        yield Table(TIMES, source=self._source, empty_text="It was never seen", id="device-times")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin in the table."""
        self.query_one(Table).focus()

    async def refresh_live(self, *, changed: bool) -> None:
        """Read the device again, also where only the live table tells more."""
        if changed or time.monotonic() - self._read_at >= _READ_SECONDS:
            self._read_at = time.monotonic()
            self._show(await self.session.services.segment.devices.page(self.session.actor, self._lladdr))

    def _show(self, page: DevicePage) -> None:
        device, ascii_only, now = page.device, self.app.has_class(ASCII_CLASS), datetime.now(UTC)
        vendor = "(private)" if device.private else device.vendor
        look = state_style("present" if page.present else "away")
        name = f"{device.marks.name}  " if device.marks.name else ""
        self.query_one("#device-head", Figure).show(f" {name}{device.lladdr}  {vendor}")
        marks = ", ".join(device.marks.words) or "no marks"
        count = len(device.addresses)
        self.query_one("#device-marks", Figure).show(
            f" {look.label(ascii_only)}   {count} address{'' if count == 1 else 'es'}   {marks}"
        )
        note = self.query_one("#device-note-line", Figure)
        note.display = bool(device.marks.note)
        note.show(f" {device.marks.note}")
        self.query_one("#device-times-line", Figure).show(
            f" {presence_line(page.presences, now, ascii_only)}", "muted"
        )
        self._source.replace(_row(one, now, ascii_only) for one in page.presences)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what the role does not include."""
        if action == "mark":
            return self.session.actor.may(self.NEEDS[action])
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Back to where one came from."""
        self.dismiss(None)

    @work(exclusive=True, group="device-mark", exit_on_error=False)
    async def action_mark(self) -> None:
        """Ask what is said about the device."""
        if await DeviceActions(self.session, self.app).mark(self._lladdr):
            self.refresh_now()

    @on(Table.Opened)
    def _open(self) -> None:
        if (place := self._under_cursor) is not None:
            self._show_lladdrs(*place)

    @work(exclusive=True, group="device-address", exit_on_error=False)
    async def _show_lladdrs(self, interface: str, address: str) -> None:
        services, actor = self.session.services, self.session.actor
        try:
            rows = await services.segment.devices.history(actor, interface, address)
            scans = await services.segment.pivots.scans_elsewhere(actor, self._lladdr, address)
        except NetmonError as error:
            toasts.report(self.app, error)
            return
        record = next(iter(services.neighbours.of(actor, [(interface, address)])), None)
        found = await self.app.push_screen_wait(History(address, rows, self._lladdr, scans, record))
        if found is not None:
            self.app.push_screen(ScanDetailScreen(self.session, found.scan_id, found.address))

    @property
    def pivot(self) -> tuple[str, str]:
        """The address under the cursor."""
        interface, address = self._under_cursor or ("", "")
        return address, interface

    @property
    def _under_cursor(self) -> tuple[str, str] | None:
        """Interface and address under the cursor."""
        key = self.query_one(Table).cursor_key
        return (str(key[0]), str(key[1])) if isinstance(key, tuple) else None

    def action_help(self) -> None:
        """Show help."""
        self.app.push_screen(Help(title_of("A device"), HELP, list(self.active_bindings.values())))


def _row(one: Presence, now: datetime, ascii_only: bool) -> Row:
    look = state_style(one.ending or ("present" if one.lasts(now) else "quiet"))
    seconds = (one.ended - one.started).total_seconds()
    return Row(
        (one.interface, one.address, one.started),
        (
            one.address,
            one.interface,
            Cell(look.label(ascii_only), look.tone),
            one.started.astimezone().strftime(_FORM),
            seen_last(one.ended, now, _FORM),
            Cell(duration(seconds), sort=seconds),
        ),
    )
