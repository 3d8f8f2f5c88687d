"""Tab 2: the kernel's neighbour table, live."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.neighbour import NeighbourRecord
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.messages import CaptureAddress, ScanAddress, ShowHost
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.modals.history import History
from netmon_tui.ui.rendering import age, state_style, when
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.pane import Pane
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("address", "Address", minimum=15, priority=0, share=2),
    Column("lladdr", "lladdr", width=17, priority=0),
    Column("vendor", "Vendor", minimum=10, priority=2, share=2),
    Column("interface", "Iface", width=8, priority=1),
    Column("state", "State", width=12, priority=0),
    Column("age", "Age", width=4, align="right", priority=3),
    Column("first_seen", "First seen", width=10, priority=4),
    Column("last_seen", "Last seen", width=9, priority=5),
    Column("flags", "Flags", width=11, priority=2),
)
AGES_SECONDS = 10.0
"""How often ages move on when nothing else changes: a second's tick would repaint every row for nothing."""
FLASH_SECONDS = 1.5


class NeighboursPane(Pane):
    """ARP and NDP entries, with what is remembered of them."""

    HELP_TITLE = "Neighbours"
    HELP_TEXT = (
        "The kernel's ARP and NDP table as it changes, from rtnetlink events, with vendors from the prefix files\n"
        "on this machine. (private) is a randomised or virtual MAC. enter shows every lladdr an address had.\n"
        "Flags: gateway, router, new (first seen today), own (carries your SSH session)."
    )
    LIVE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        command("neighbours.scan", "s", "scan", "Scan", "Scan this address."),
        command("neighbours.capture", "c", "capture", "Capture", "Capture this address's packets."),
        command("neighbours.host", "H", "host", "Host", "Show what scans found on this address."),
        command("neighbours.export", "e", "export", "Export", "Write the table to a file (CSV or JSON)."),
        command(
            "neighbours.refresh", "ctrl+r", "refresh", "Refresh", "Ask the kernel for the whole table again."
        ),
    ]

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(session, id=id)
        self._source = MemorySource([column.key for column in COLUMNS])
        self._revision = -1
        self._painted_at = 0.0

    def compose(self) -> ComposeResult:
        """One table."""
        yield Table(
            COLUMNS,
            source=self._source,
            empty_text="No neighbours: nothing was resolved yet",
            id="neighbours",
        )

    def focus_content(self) -> None:
        """Focus the table."""
        self.query_one(Table).focus()

    async def refresh_data(self) -> None:
        """Show a new snapshot when the table changed, or when ages have moved on."""
        service = self.session.services.neighbours
        await service.start()
        if service.error:
            self.query_one(Table).set_texts(error=service.error)
            return
        now = time.monotonic()
        changed = service.revision != self._revision
        if not changed and now - self._painted_at < AGES_SECONDS:
            return
        first = self._revision < 0
        self._revision, self._painted_at = service.revision, now
        keys = self._source.replace(_row(record) for record in service.snapshot(self.session.actor))
        if changed and not first:
            self.query_one(Table).refresh_changed(keys, flash=FLASH_SECONDS)

    def action_scan(self) -> None:
        """Scan the address under the cursor."""
        if key := self._key():
            self.post_message(ScanAddress(key[1]))

    def action_capture(self) -> None:
        """Capture the address under the cursor on its interface."""
        if key := self._key():
            self.post_message(CaptureAddress(key[1], key[0]))

    def action_host(self) -> None:
        """Show the address among the hosts."""
        if key := self._key():
            self.post_message(ShowHost(key[1]))

    def action_refresh(self) -> None:
        """Dump the table again."""
        self.session.services.neighbours.refresh()

    @on(Table.Opened)
    def _opened(self) -> None:
        if key := self._key():
            self._show_history(*key)

    @work(exclusive=True, group="neighbour-history", exit_on_error=False)
    async def _show_history(self, interface: str, address: str) -> None:
        try:
            rows = await self.session.services.neighbours.history(self.session.actor, interface, address)
        except NetmonError as error:
            self.report(error)
        else:
            await self.app.push_screen_wait(History(address, rows))

    @work(exclusive=True, group="neighbour-export", exit_on_error=False)
    async def action_export(self) -> None:
        """Ask for format and file, and write the table."""
        services = self.session.services
        stem = f"neighbours-{datetime.now():%Y%m%d-%H%M%S}"
        choice = await self.app.push_screen_wait(
            Export("Export the neighbour table", ("csv", "json"), services.paths.exports, stem)
        )
        if choice is None:
            return
        records = services.neighbours.snapshot(self.session.actor)
        try:
            path = await services.transfers.export_neighbours(
                self.session.actor, records, choice.format, choice.path
            )
        except NetmonError as error:
            self.report(error)
        else:
            self.tell(f"Written: {path}")

    def _key(self) -> tuple[str, str] | None:
        key = self.query_one(Table).cursor_key
        return (str(key[0]), str(key[1])) if isinstance(key, tuple) else None


def _row(record: NeighbourRecord) -> Row:
    look = state_style(record.state)
    now = datetime.now(UTC)
    vendor = "(private)" if record.private else record.vendor
    return Row(
        (record.interface, record.address),
        (
            Cell(record.address, sort=packed_sort_key(record.address)),
            record.lladdr,
            Cell(vendor, "muted" if record.private else ""),
            record.interface,
            Cell(look.label(), look.tone),
            Cell(age(record.age), sort=record.age),
            when(record.first_seen, now) if record.first_seen else "",
            when(record.last_seen, now) if record.last_seen else "",
            _flags(record, now),
        ),
    )


def _flags(record: NeighbourRecord, now: datetime) -> str:
    new = record.first_seen is not None and record.first_seen.astimezone().date() == now.astimezone().date()
    marks = (
        ("gateway", record.gateway),
        ("router", record.router and not record.gateway),
        ("new", new),
        ("own", record.own),
    )
    return " ".join(word for word, is_set in marks if is_set)
