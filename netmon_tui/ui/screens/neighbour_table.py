"""The Table tab of the neighbours: the kernel's table, live."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Hashable
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from netmon_tui.domain.counted import counted
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.modals.history import History
from netmon_tui.ui.rendering import content
from netmon_tui.ui.screens.device_actions import DeviceActions
from netmon_tui.ui.screens.neighbour_keys import EDIT_NEEDS, WithNeighbourKeys
from netmon_tui.ui.screens.neighbour_sweep import RememberedRows, WithSweeps
from netmon_tui.ui.screens.pivots import PIVOT_NEEDS, WithPivots, pivot_commands
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.deferred_source import DeferredSource
from netmon_tui.ui.widgets.live import LiveScreen
from netmon_tui.ui.widgets.neighbour_rows import (
    COLUMNS,
    LLADDR,
    STEADY,
    RowLook,
    as_gone,
    differs,
    pairs,
    rows_of,
)
from netmon_tui.ui.widgets.row_source import Row, cell_text
from netmon_tui.ui.widgets.table import Table

AGES_SECONDS = 10.0
"""How often ages of rows in sight move on: a second's tick would repaint every row for nothing."""
FLASH_SECONDS = 1.5
BUSY_ROWS = 8
"""Rows in sight that change in one tick, above which none flashes and the next changes are shown later."""
CALM_SECONDS = 2.0
"""How much later: what changes faster can be read by nobody, and a slow line would be full of it."""
ROOM_SECONDS = 10.0
"""How often it is looked whether the kernel's table has room left."""


class NeighbourTablePane(WithNeighbourKeys, WithSweeps, WithPivots):
    """ARP and NDP entries, with what is remembered of them."""

    HELP_TITLE = "Neighbours"
    HELP_TEXT = (
        "The kernel's ARP and NDP table as it changes, told by the kernel itself, with vendors from the prefix "
        "files on this machine. (private) is a randomised or virtual lladdr. A row that changed flashes once.\n\n"
        "Flags: gateway, router (an IPv6 one that announces itself), new (first seen today), own (carries an "
        "SSH session to here: its other end, or the gateway on the way there), known (somebody said whose it is). "
        "Name is the one that N gave the device, or what the DNS calls a row that is looked at "
        "(neighbours.resolve_names).\n\n"
        "w sweeps a local network: every address is asked who has it, by nmap, as a scan. The answers reach not "
        "the kernel's table but the memory: v shows the addresses too that are only remembered (GONE). enter "
        "tells every lladdr an address had, and which scans found its lladdr at other addresses.\n\n"
        "a, E, D, F and P change the kernel's table: the ip command that does the same is shown and asked for, the "
        "entries before it are kept for u. What carries the SSH session that SSH_CONNECTION names is never "
        "touched; where another SSH connection needs the entry, that is said before you agree."
    )
    LIVE_SECONDS = 0.0
    BINDINGS: ClassVar[list[BindingType]] = [
        *pivot_commands("neighbours"),
        command("neighbours.mark", "N", "mark", "Name", "Name, note and marks of this device."),
        command(
            "neighbours.remembered",
            "v",
            "remembered",
            "Remembered",
            "Show the addresses too that are not in the kernel's table now, or no longer.",
            show=False,
        ),
        command(
            "neighbours.export",
            "e",
            "export",
            "Export",
            "Write the table to a file (CSV or JSON); what is remembered too, while it is shown.",
        ),
        command(
            "neighbours.refresh", "ctrl+r", "refresh", "Refresh", "Ask the kernel for the whole table again."
        ),
    ]
    NEEDS: ClassVar = {
        **PIVOT_NEEDS,
        **EDIT_NEEDS,
        "sweep": Permission.SCAN,
        "export": Permission.EXPORT,
        "mark": Permission.MARK_NEIGHBOURS,
    }

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(session, id=id)
        self._source = DeferredSource([column.key for column in COLUMNS], self._remake, STEADY)
        self._remembered = RememberedRows(session, self._source, rows_of, as_gone)
        self._revision = -1
        self._names_revision = 0
        self._aged: list[tuple[str, str]] = []
        """The rows in sight when ages last moved on."""
        self._calm_until = self._aged_at = self._changed_at = self._room_at = 0.0
        self._error = ""

    def compose(self) -> ComposeResult:
        """One table, and above it a notice when there is reason for one."""
        notice = Static("", id="neighbour-notice")
        notice.display = False
        yield notice
        yield Table(
            COLUMNS,
            source=self._source,
            empty_text="No neighbours: this machine has spoken to nobody yet",
            id="neighbours",
        )

    def on_mount(self) -> None:
        """Order by address from the beginning: new entries come in anywhere."""
        self.query_one(Table).sort_by("address")
        self._show_first_changes()

    def focus_content(self) -> None:
        """Focus the table."""
        self.query_one(Table).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what the role does not include."""
        needed = self.NEEDS.get(action)
        if needed is not None:
            return self.session.actor.may(needed)
        return super().check_action(action, parameters)

    async def refresh_data(self) -> None:
        """Show what changed in the table; from time to time, let the ages move on."""
        service = self.session.services.neighbours
        await service.start()
        self._show_error(service.error)
        revision, now = service.revision, time.monotonic()
        if revision != self._revision and now >= self._calm_until:
            self._changed_at = now
            await self._show_changes(revision, now)
        await self._show_rows_in_sight(now)
        if now - self._room_at >= ROOM_SECONDS:
            self._room_at = now
            await self._show_room()

    @work(group="neighbour-changes", exit_on_error=False)
    async def _show_first_changes(self) -> None:
        """Do not let the first change after a quiet time wait for the tick; those that follow come with it."""
        period = 1 / self.session.services.settings.interface.repaints_per_second
        changed = self.session.services.neighbours.changed
        while True:
            changed.clear()
            await changed.wait()
            if self.is_on_screen and time.monotonic() - self._changed_at >= period:
                screen = self.screen
                if isinstance(screen, LiveScreen):
                    screen.refresh_early()
            await asyncio.sleep(period)

    async def _show_rows_in_sight(self, now: float) -> None:
        """Ask for the names of the rows in sight, show those that are there, and let the ages move on."""
        service, names, actor = (
            self.session.services.neighbours,
            self.session.services.segment.names,
            self.session.actor,
        )
        grid = self.query_one(Table).grid
        sight = self._source.window(grid.top, grid.top + grid.page)
        keys = pairs(row.key for row in sight)
        live = service.of(actor, keys)
        names.want(actor, [record.address for record in live])
        aged = keys != self._aged or now - self._aged_at >= AGES_SECONDS
        if aged:
            self._aged, self._aged_at = keys, now
        if aged or names.revision != self._names_revision:
            self._names_revision = names.revision
            rows = await rows_of(live)
            self._source.update(rows=rows)
        await self._remembered.refresh()

    async def _show_room(self) -> None:
        """Say when the kernel has no room for more neighbours."""
        said = await self.session.services.room.notice(self.session.actor)
        notice = self.query_one("#neighbour-notice", Static)
        notice.display = bool(said)
        notice.update(content(said))

    def _show_error(self, error: str) -> None:
        """Say why the table cannot be followed, instead of showing what is out of date."""
        if error != self._error:
            self._error = error
            fix = f"{error}. Press ctrl+r to try again" if error else ""
            self.query_one(Table).set_texts(error=fix)

    async def _show_changes(self, revision: int, now: float) -> None:
        service, actor = self.session.services.neighbours, self.session.actor
        first = self._revision < 0
        removed = service.removed_since(actor, self._revision)
        keys = self._source.outdate(service.keys(actor, self._revision), frozenset(self._aged))
        rows = await rows_of(service.of(actor, pairs(keys)))
        changed = {row.key for row in rows if differs(self._source.row(row.key), row)}
        self._revision = revision
        self._source.remove(self._remembered.take_over(removed))
        self._source.update(rows=rows)
        if not first:
            busy = len(changed.intersection(self._aged)) > BUSY_ROWS
            self._calm_until = now + CALM_SECONDS if busy else 0.0
            self.query_one(Table).refresh_changed(changed, flash=0.0 if busy else FLASH_SECONDS)

    def _remake(self, keys: Collection[Hashable]) -> list[Row]:
        """Return rows as they are now, without those of entries that are gone."""
        look, records = RowLook(datetime.now(UTC)), self.session.services.neighbours
        return [look.row(record) for record in records.of(self.session.actor, pairs(keys))]

    @work(exclusive=True, group="neighbour-memory", exit_on_error=False)
    async def action_remembered(self) -> None:
        """Show what is only remembered, or no longer."""
        try:
            shown = await self._remembered.toggle()
        except NetmonError as error:
            self.report(error)
        else:
            self.tell("Remembered addresses are shown too" if shown else "Only the kernel's table is shown")

    @work(exclusive=True, group="device-mark", exit_on_error=False)
    async def action_mark(self) -> None:
        """Ask what is said about the device under the cursor."""
        row = self.query_one(Table).cursor_row
        if row is not None and (lladdr := cell_text(row.cells[LLADDR])):
            await DeviceActions(self.session, self.app).mark(lladdr)

    def action_refresh(self) -> None:
        """Dump the table again."""
        self.session.services.neighbours.refresh()

    @on(Table.Opened)
    def _opened(self) -> None:
        if key := self._key():
            self._show_history(*key)

    @work(exclusive=True, group="neighbour-history", exit_on_error=False)
    async def _show_history(self, interface: str, address: str) -> None:
        services, actor = self.session.services, self.session.actor
        row = self._source.row((interface, address))
        lladdr = cell_text(row.cells[LLADDR]) if row else ""
        try:
            rows = await services.segment.devices.history(actor, interface, address)
            scans = await services.segment.pivots.scans_elsewhere(actor, lladdr, address)
        except NetmonError as error:
            self.report(error)
            return
        record = next(iter(services.neighbours.of(actor, [(interface, address)])), None)
        found = await self.app.push_screen_wait(History(address, rows, lladdr, scans, record))
        if found is not None:
            self.app.push_screen(ScanDetailScreen(self.session, found.scan_id, found.address))

    @work(exclusive=True, group="neighbour-export", exit_on_error=False)
    async def action_export(self) -> None:
        """Ask for format and file, and write the table."""
        services = self.session.services
        actor, remembered = self.session.actor, self._remembered.wanted
        stem = f"neighbours-{datetime.now():%Y%m%d-%H%M%S}"
        title = "Export the table and what is remembered" if remembered else "Export the kernel's table"
        choice = await self.app.push_screen_wait(Export(title, ("csv", "json"), services.paths.exports, stem))
        if choice is None:
            return
        records = services.neighbours.snapshot(actor)
        try:
            if remembered:
                records = [*records, *await services.segment.pivots.remembered(actor)]
            path = await services.transfers.export_neighbours(actor, records, choice.format, choice.path)
        except NetmonError as error:
            self.report(error)
        else:
            self.tell(f"{counted(len(records), 'neighbour')} written: {path}")

    @property
    def pivot(self) -> tuple[str, str]:
        """The address under the cursor."""
        interface, address = self._key() or ("", "")
        return address, interface

    def _key(self) -> tuple[str, str] | None:
        key = self.query_one(Table).cursor_key
        return (str(key[0]), str(key[1])) if isinstance(key, tuple) else None
