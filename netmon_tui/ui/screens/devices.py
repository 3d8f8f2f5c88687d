"""The Devices tab of the neighbours: one row for each lladdr, with all its addresses over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.device import DeviceLine
from netmon_tui.domain.user import Permission
from netmon_tui.domain.window import Window
from netmon_tui.ui.commands import command
from netmon_tui.ui.rendering import ASCII_CLASS, state_style, when
from netmon_tui.ui.screens.device_actions import DeviceActions
from netmon_tui.ui.screens.device_page import DevicePageScreen
from netmon_tui.ui.screens.pivots import PIVOT_NEEDS, WithPivots, pivot_commands
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.pane import Pane
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.window_source import WindowSource

COLUMNS = (
    Column("name", "Name", minimum=12, share=2, priority=0),
    Column("lladdr", "lladdr", width=17, priority=0),
    Column("vendor", "Vendor", minimum=10, share=2, priority=3),
    Column("addresses", "Address", minimum=16, share=2, priority=0),
    Column("present", "State", width=9, priority=1),
    Column("first_seen", "First seen", width=10, priority=5),
    Column("last_seen", "Last seen", width=10, priority=2),
    Column("marks", "Marks", minimum=8, share=2, priority=2),
)


@dataclass(frozen=True, slots=True)
class DeviceRow(Row):
    """A row that knows its device."""

    device: DeviceLine | None = None


class DevicesPane(Pane, WithPivots):
    """Every lladdr that was ever seen, or of which somebody says something."""

    HELP_TITLE = "Devices"
    HELP_TEXT = (
        "One row for each lladdr that was ever seen, the latest first: the address to speak to it at and how many "
        "more it has or had, whether it is present (seen within the hour, not gone since), and what people say.\n"
        "enter shows all its addresses over time; N gives it a name, a note and marks. Known: its appearing is no "
        "news. Must be up: it is reported when it does not answer. Cluster: addresses may pass between all that "
        "say so.\n\n"
        "i imports a list (CSV, JSON, /etc/ethers, arpwatch's arp.dat) after showing what would change; e exports."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        command("devices.mark", "N", "mark", "Name", "Name, note and marks of this device."),
        *pivot_commands("devices"),
        command("devices.import", "i", "import", "Import", "Take names and marks from a file."),
        command("devices.export", "e", "export", "Export", "Write the devices to a file (CSV or JSON)."),
        command(
            "devices.forget", "delete", "forget", "Forget", "Forget its name, note and marks.", show=False
        ),
    ]
    NEEDS: ClassVar = {
        **PIVOT_NEEDS,
        "mark": Permission.MARK_NEIGHBOURS,
        "forget": Permission.MARK_NEIGHBOURS,
        "import": Permission.MARK_NEIGHBOURS,
        "export": Permission.EXPORT,
    }

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(session, id=id)
        self._source = WindowSource(self._count, self._fetch)

    def compose(self) -> ComposeResult:
        """One table."""
        empty = "No devices: nobody was ever seen. Press i to import a list"
        yield Table(COLUMNS, source=self._source, empty_text=empty, id="devices")

    def focus_content(self) -> None:
        """Focus the table."""
        self.query_one(Table).focus()

    async def refresh_data(self) -> None:
        """Fetch the visible rows again."""
        self._source.invalidate()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what the role does not include."""
        needed = self.NEEDS.get(action)
        return super().check_action(action, parameters) if needed is None else self.session.actor.may(needed)

    @on(Table.Opened)
    def _open(self, event: Table.Opened) -> None:
        self.app.push_screen(DevicePageScreen(self.session, str(event.key)))

    @work(exclusive=True, group="device-mark", exit_on_error=False)
    async def action_mark(self) -> None:
        """Ask what is said about the device under the cursor."""
        device = self._device
        if device is not None and await self._actions.mark(device.lladdr):
            self._source.invalidate()

    @work(exclusive=True, group="device-mark", exit_on_error=False)
    async def action_forget(self) -> None:
        """Forget what is said about the device under the cursor."""
        device = self._device
        if device is not None and await self._actions.forget(device.lladdr, device.marks.name):
            self._source.invalidate()

    @work(exclusive=True, group="device-list", exit_on_error=False)
    async def action_import(self) -> None:
        """Take names and marks from files."""
        if await self._actions.import_list():
            self._source.invalidate()

    @work(exclusive=True, group="device-list", exit_on_error=False)
    async def action_export(self) -> None:
        """Write the devices that are listed to a file."""
        await self._actions.export(self.query_one(Table).filter_text)

    @property
    def _actions(self) -> DeviceActions:
        return DeviceActions(self.session, self.app)

    @property
    def _device(self) -> DeviceLine | None:
        row = self.query_one(Table).cursor_row
        return row.device if isinstance(row, DeviceRow) else None

    @property
    def pivot(self) -> tuple[str, str]:
        """The address to speak to the device under the cursor at."""
        device = self._device
        return (device.address, device.interface) if device is not None else ("", "")

    async def _count(self, text: str) -> int:
        return await self.session.services.segment.devices.count(self.session.actor, text)

    async def _fetch(self, window: Window) -> Sequence[Row]:
        lines = await self.session.services.segment.devices.lines(self.session.actor, window)
        ascii_only, now = self.app.has_class(ASCII_CLASS), datetime.now(UTC)
        return [_row(line, now, ascii_only) for line in lines]


def _row(device: DeviceLine, now: datetime, ascii_only: bool) -> DeviceRow:
    look = state_style("present" if device.present else "away")
    more = f", +{device.addresses - 1}" if device.addresses > 1 else ""
    return DeviceRow(
        device.lladdr,
        (
            device.marks.name,
            device.lladdr,
            Cell("(private)", "muted") if device.private else device.vendor,
            f"{device.address}{more}",
            Cell(look.label(ascii_only), look.tone),
            when(device.first_seen, now) if device.first_seen else "",
            when(device.last_seen, now) if device.last_seen else "",
            ", ".join(device.marks.words),
        ),
        device=device,
    )
