"""Tab 3: the catalogue of captures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.capture import Capture
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Permission
from netmon_tui.domain.window import Window
from netmon_tui.ui.commands import command
from netmon_tui.ui.rendering import ASCII_CLASS, rate, size, state_style, thin, when
from netmon_tui.ui.screens.capture_actions import CaptureActions
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.schedules import WithScheduleList
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.rate_line import RateMeter
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.window_source import WindowSource

COLUMNS = (
    Column("id", "#", width=5, align="right", priority=0),
    Column("interface", "Interface", width=10, priority=0),
    Column("filter", "Filter", minimum=12, priority=0),
    Column("name", "Name", width=16, priority=3),
    Column("tags", "Tags", width=10, priority=6),
    Column("state", "State", width=16, priority=0),
    Column("packets", "Packets", width=11, align="right", priority=0),
    Column("bytes", "Size", width=7, align="right", priority=1),
    Column("rate", "Rate", width=10, align="right", priority=4),
    Column("dropped", "Dropped", width=7, align="right", priority=5),
    Column("files", "Files", width=5, align="right", priority=5),
    Column("owner", "Owner", width=10, priority=8),
    Column("started", "Started", width=10, priority=1),
)
_LAST_PRIORITY = 9
"""Of a column that tells nothing: any other has its room first."""
_STATE = 5
"""Index of the state among the cells."""

_ON_ROW = frozenset({"again", "export", "label", "about"})
"""What is done with the capture under the cursor, whatever its state."""
RATE_SECONDS = 0.9
"""How often rates are shown anew: the figures behind them come once a second."""


class CapturesPane(WithScheduleList):
    """All captures the actor may see, newest first, running ones live."""

    HELP_TITLE = "Captures"
    HELP_TEXT = (
        "A capture writes the packets of an interface to a file. It goes on when you log out, within its limits.\n"
        "Open one to see its packets, also while it runs; export copies the pcap file.\n"
        "As pcapng (ctrl+t in the form) one file has several interfaces, and each packet says of which it is.\n"
        "r starts one again, B with twice the buffer; ctrl+r in the form repeats it, S lists what repeats.\n"
        "Size is what is written. tcpdump writes when it has 4 kB, or nothing more comes for a second: until then\n"
        "packets are counted and not yet in it, nor in the list of packets.\n"
        "Where there is no room for rates, what runs has its rate in the place of its start.\n\n"
        "/ takes words and terms: tag:web, owner:ada, interface:eth0, filter:53, name:office, !state:failed."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        command("captures.new", "n", "new", "New", "Start a capture."),
        command("captures.stop", "x", "stop", "Stop", "Stop this capture; its packets are kept."),
        command("captures.again", "r", "again('')", "Again", "Start this capture again as it was asked for."),
        command(
            "captures.buffer",
            "B",
            "again('2x')",
            "Buffer",
            "Start this capture again with twice the buffer; one that runs is stopped.",
            show=False,
        ),
        command("captures.export", "e", "export", "Export", "Write the packets to a file (pcap, pcapng)."),
        command("captures.import", "i", "import", "Import", "Import pcap or pcapng files, packed or not."),
        command("captures.label", "t", "label", "Label", "Change name, tags and note of this capture."),
        command(
            "captures.schedules",
            "S",
            "schedules",
            "Schedules",
            "Scans and captures that repeat by interval or cron expression.",
            show=False,
        ),
        command("captures.merge", "m", "merge", "Merge", "Make one capture of those selected.", show=False),
        command(
            "captures.about",
            "a",
            "about",
            "About",
            "Show where it comes from and how to fetch it.",
            show=False,
        ),
        command(
            "captures.delete", "delete", "delete", "Delete", "Delete this capture, or the selected ones."
        ),
    ]

    NEEDS: ClassVar = {
        **dict.fromkeys(("new", "stop", "again", "label", "merge"), Permission.CAPTURE),
        "export": Permission.EXPORT,
        "import": Permission.IMPORT,
        "delete": Permission.DELETE,
    }

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(session, id=id)
        capturing = session.services.capturing
        self._source = WindowSource(lambda text: capturing.count(session.actor, text), self._fetch)
        self._meters: dict[int, RateMeter] = {}
        """Of the running captures."""
        self._owners: set[str] = set()
        """Whose captures were listed."""

    @property
    def _actions(self) -> CaptureActions:
        return CaptureActions(self.session, self.app)

    def compose(self) -> ComposeResult:
        """One table, and what its captures take when that is limited."""
        empty = self.empty_words("No captures yet", "n", Permission.CAPTURE)
        yield Table(COLUMNS, source=self._source, empty_text=empty, id="captures")
        if self.session.services.settings.captures.quota_bytes:
            yield Figure(id="captures-usage")

    def on_resize(self) -> None:
        """Make the rows anew: where there is no room for names or rates, they stand in other columns."""
        self._source.invalidate()

    def focus_content(self) -> None:
        """Focus the table."""
        self.query_one(Table).focus()

    async def refresh_data(self) -> None:
        """Fetch the visible rows again."""
        self._source.invalidate()
        for line in self.query("#captures-usage").results(Figure):
            usage = await self.session.services.capturing.quota.usage(self.session.actor)
            words = f"Your captures take {size(usage.used)} of {size(usage.quota)}"
            line.show(words, "warning" if usage.is_used_up else "muted")

    def open_form(self, host: str = "", interface: str = "") -> None:
        """Open the form for a new capture, prefilled."""
        if self.session.actor.may(Permission.CAPTURE):
            self._start(host, interface)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what the row or the role does not allow."""
        needed, table = self.NEEDS.get(action), self.query_one(Table)
        if needed is not None and not self.session.actor.may(needed):
            return None
        row = table.cursor_row
        runs = row is not None and not _state_of(row).is_final
        if action == "stop":
            return runs or None
        if action == "delete":
            return (row is not None and not runs) or None
        if action == "merge":
            return len(table.selected_keys) > 1 or None
        return row is not None or action not in _ON_ROW or None

    def action_new(self) -> None:
        """Open the form."""
        self.open_form()

    @work(exclusive=True, group="capture-form", exit_on_error=False)
    async def _start(self, host: str, interface: str) -> None:
        capture = await self._actions.start(host=host, interface=interface)
        if capture is not None:
            self._open(capture.id)

    @work(group="capture-stop", exit_on_error=False)
    async def action_stop(self) -> None:
        """Stop the capture under the cursor."""
        if (capture_id := self._capture_id()) is not None:
            await self._actions.stop(capture_id)

    @work(exclusive=True, group="capture-again", exit_on_error=False)
    async def action_again(self, buffer: str) -> None:
        """Start the capture under the cursor again, and look at the new one."""
        if (capture_id := self._capture_id()) is None:
            return
        begun = await self._actions.again(capture_id, buffer)
        if begun is not None:
            self._open(begun.id)

    @work(exclusive=True, group="capture-export", exit_on_error=False)
    async def action_export(self) -> None:
        """Copy the file of the capture under the cursor."""
        if (capture_id := self._capture_id()) is not None:
            await self._actions.export(capture_id)

    @work(exclusive=True, group="capture-import", exit_on_error=False)
    async def action_import(self) -> None:
        """Import files."""
        stored = await self._actions.import_files()
        if stored is not None:
            self.point_to(stored.id)

    @work(exclusive=True, group="capture-label", exit_on_error=False)
    async def action_label(self) -> None:
        """Change what is said of the capture under the cursor."""
        if (capture_id := self._capture_id()) is not None and await self._actions.label(capture_id):
            self._source.invalidate()

    @work(exclusive=True, group="capture-about", exit_on_error=False)
    async def action_about(self) -> None:
        """Show what is known of the capture under the cursor."""
        if (capture_id := self._capture_id()) is not None:
            await self._actions.about(capture_id)

    @work(exclusive=True, group="capture-merge", exit_on_error=False)
    async def action_merge(self) -> None:
        """Make one capture of those selected."""
        chosen = [key for key in self.query_one(Table).selected_keys if isinstance(key, int)]
        made = await self._actions.merge(sorted(chosen))
        if made is not None:
            self.point_to(made.id)

    @work(exclusive=True, group="capture-delete", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the selected captures, or the one under the cursor."""
        table = self.query_one(Table)
        chosen = [key for key in table.selected_keys or {self._capture_id()} if isinstance(key, int)]
        if chosen:
            gone = await self._actions.delete(sorted(chosen))
            table.grid.select(table.selected_keys - gone)
            self._source.invalidate()

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        if isinstance(event.key, int):
            self._open(event.key)

    @on(Table.SelectionChanged)
    @on(Table.Highlighted)
    def _highlighted(self) -> None:
        self.refresh_bindings()

    def point_to(self, capture_id: int) -> None:
        """Put the cursor on a capture, once the list has it."""
        self._source.invalidate()
        self.query_one(Table).move_to_key(capture_id, later=True)

    def _open(self, capture_id: int) -> None:
        self.point_to(capture_id)
        self.app.push_screen(CaptureDetailScreen(self.session, capture_id))

    def _capture_id(self) -> int | None:
        key = self.query_one(Table).cursor_key
        return key if isinstance(key, int) else None

    async def _fetch(self, window: Window) -> Sequence[Row]:
        captures = await self.session.services.capturing.find(self.session.actor, window)
        running = {capture.id for capture in captures if not capture.state.is_final}
        self._owners |= {capture.owner for capture in captures}
        table = self.query_one(Table)
        if _arrange(table, several=len(self._owners) > 1, is_live=bool(running)):
            self.call_later(self._source.invalidate)  # rows of other pages were made for other columns
        shown = table.visible_columns
        rows = [self._row(capture, shown) for capture in captures]
        if running != self._meters.keys():
            self._meters = {key: meter for key, meter in self._meters.items() if key in running}
            self.call_later(self.refresh_bindings)
        # Without packets the database does not change, and yet the rate falls.
        self.LIVE_SECONDS = RATE_SECONDS if running else None
        return rows

    def _row(self, capture: Capture, shown: Sequence[str]) -> Row:
        look, counters = state_style(capture.state), capture.counters
        lost, speed = ", drops" if counters.dropped else "", ""
        started = when(capture.started, datetime.now(UTC)) if capture.started else ""
        if not capture.state.is_final:
            speed = rate(self._meters.setdefault(capture.id, RateMeter()).read(counters.packets))
        return Row(
            capture.id,
            (
                str(capture.id),
                capture.interface,
                capture.filter or Cell(_what(capture, named="name" in shown), "muted"),
                capture.name,
                " ".join(capture.tags),
                Cell(look.label(self.app.has_class(ASCII_CLASS)) + lost, look.tone, sort=capture.state.value),
                Cell(packets_of(capture), sort=capture.packets),
                Cell(size(counters.bytes), sort=counters.bytes),
                speed,
                Cell(
                    thin(counters.dropped) if capture.knows_drops else "", "error" if counters.dropped else ""
                ),
                capture.file_count,
                capture.owner,
                Cell(speed, "accent") if speed and "rate" not in shown else started,
            ),
        )


def _arrange(table: Table, *, several: bool, is_live: bool) -> bool:
    """Keep a column for owners where there are several, and one for rates while there are any.

    Return whether other columns are visible now.
    """
    priorities = {"owner": 2 if several else _LAST_PRIORITY - 1, "rate": 4 if is_live else _LAST_PRIORITY}
    columns = tuple(replace(one, priority=priorities.get(one.key, one.priority)) for one in COLUMNS)
    before = table.visible_columns
    if columns != table.columns:
        table.set_columns(columns)
    return table.visible_columns != before


def packets_of(capture: Capture) -> str:
    """Return how many packets there are, of a ring ``9.1 k/200 k``: on disk, and captured."""
    if not capture.counters.overwritten:
        return thin(capture.packets)
    return "/".join(
        size(one).removesuffix("B").rstrip() for one in (capture.packets_on_disk, capture.packets_captured)
    )


def _what(capture: Capture, *, named: bool) -> str:
    """Return what stands in the place of a filter: what it is of, after the name where that has no column.

    The name is quoted: no filter has quotes, and one called "port 53" is not to be taken for one.
    """
    if named or not capture.name:
        return capture.lineage
    return " · ".join(filter(None, (f'"{capture.name}"', capture.made_of)))


def _state_of(row: Row) -> JobState:
    cell = row.cells[_STATE]
    return JobState(str(cell.sort)) if isinstance(cell, Cell) else JobState.QUEUED
