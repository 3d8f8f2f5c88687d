"""Tab 1: the scans, running and done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan
from netmon_tui.domain.user import Permission
from netmon_tui.domain.window import Window
from netmon_tui.ui.commands import command
from netmon_tui.ui.rendering import ASCII_CLASS, state_style, thin, when
from netmon_tui.ui.screens.pivots import PIVOT_NEEDS, WithPivots, pivot_commands
from netmon_tui.ui.screens.running_scan import RunningScan
from netmon_tui.ui.screens.scan_actions import ScanActions
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.screens.schedules import WithSchedules
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.scan_words import can_go_on, progress, what
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.window_source import WindowSource

COLUMNS = (
    Column("id", "#", width=4, align="right", priority=0),
    Column("targets", "Target", minimum=15, share=2, priority=0),
    Column("profile", "Profile", minimum=10, priority=3),
    Column("state", "State", width=13, priority=0),
    Column("progress", "Progress", minimum=20, share=2, priority=1),
    Column("up", "Up", width=5, align="right", priority=2),
    Column("open", "Open", width=5, align="right", priority=1),
    Column("changes", "Changes", width=9, priority=1),
    Column("owner", "Owner", width=8, priority=5),
    Column("started", "Started", width=7, priority=4),
)


@dataclass(frozen=True, slots=True)
class ScanRow(Row):
    """A line that knows its scan; how it looks is in the cells alone."""

    scan: Scan | None = field(default=None, compare=False)


class ScansPane(WithSchedules, RunningScan, WithPivots):
    """The list of scans: start, open, stop, repeat, export, import, delete."""

    HELP_TITLE = "Scans"
    HELP_TEXT = (
        "nmap scans: n starts one, enter opens one. A running scan goes on when you leave the program;\n"
        "stopping it keeps what it found, P halts it, R goes on with one that was stopped, with what is missing.\n"
        "r runs a scan again as a new one, i imports nmap's XML, S lists the schedules, @ the sets of targets and\n"
        "ports. In the form, ctrl+t shows switches, ctrl+s saves the options as a profile, ctrl+o lists profiles,\n"
        "ctrl+n sets, ctrl+r makes a schedule of it.\n\n"
        "Changes: what came (+), is not what it was (~) and went (-) since the run of these targets before,\n"
        "or since the baseline that b pins. d shows them; it compares two scans that are selected with space.\n\n"
        "/ takes words and terms: open:443, service:http, profile:quick, after:-7, !state:failed;\n"
        "there ctrl+s keeps the search under a name, ctrl+o lists saved ones. ctrl+f searches all hosts and ports."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        command("scans.new", "n", "new", "New", "Start a scan."),
        command("scans.stop", "x", "stop", "Stop", "Stop this scan; what it found is kept."),
        command("scans.pause", "P", "pause", "Pause", "Halt this scan, or let it go on.", show=False),
        command(
            "scans.resume",
            "R",
            "resume",
            "Resume",
            "Go on with this scan where it was stopped: what is finished is not scanned again.",
            show=False,
        ),
        command("scans.repeat", "r", "repeat", "Again", "Run this scan again."),
        command(
            "scans.compare",
            "d",
            "compare",
            "Diff",
            "What changed since the run before, or between two selected scans.",
        ),
        command(
            "scans.pin",
            "b",
            "pin",
            "Baseline",
            "Compare later runs of these targets with this scan, or those selected; or no longer.",
            show=False,
        ),
        command("scans.export", "e", "export", "Export", "Write this scan, or those selected, to files."),
        command(
            "scans.import", "i", "import", "Import", "Import files of nmap (-oX) or masscan, packed or not."
        ),
        command("scans.delete", "delete", "delete", "Delete", "Delete this scan, or those selected."),
        *pivot_commands("scans", show=False),
    ]
    NEEDS: ClassVar = {
        **PIVOT_NEEDS,
        **dict.fromkeys(("new", "stop", "pause", "resume", "repeat", "pin"), Permission.SCAN),
        "compare": Permission.VIEW,
        "export": Permission.EXPORT,
        "import": Permission.IMPORT,
        "delete": Permission.DELETE,
    }

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(session, id=id)
        self._source = WindowSource(self._count, self._fetch)
        self._offered: tuple[bool | None, ...] = ()
        """What :meth:`check_action` last said of the row under the cursor."""

    def compose(self) -> ComposeResult:
        """One table."""
        empty = self.empty_words("No scans yet", "n", Permission.SCAN)
        check = self.session.services.search.check
        yield Table(COLUMNS, source=self._source, empty_text=empty, check=check, id="scans")

    def focus_content(self) -> None:
        """Focus the table, unless the screen is being taken down."""
        for table in self.query("#scans"):
            table.focus()

    async def refresh_data(self) -> None:
        """Fetch the visible rows again."""
        self._source.invalidate()

    def open_form(self, targets: str = "") -> None:
        """Open the form of a new scan.

        Args:
            targets: What stands in the field of targets; foreign text, which the form judges.
        """
        if self.session.actor.may(Permission.SCAN):
            self._run_form(targets)

    @work(exclusive=True, group="scan-form", exit_on_error=False)
    async def _run_form(self, targets: str) -> None:
        self.go_to(await self._actions.start(targets))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what makes no sense for the row under the cursor, hide what the role does not include."""
        needed = None if action in PIVOT_NEEDS else self.NEEDS.get(action)
        if needed is None or action in {"new", "import"}:
            return (
                super().check_action(action, parameters) if needed is None else self.session.actor.may(needed)
            )
        return self._offers(action) if self.session.actor.may(needed) else False

    def _offers(self, action: str) -> bool | None:
        """Whether the row under the cursor has this action now; None greys it out."""
        scan = self.current_scan()
        several = action in {"delete", "export", "pin"} and _selected(self)
        if several or (action == "compare" and len(_selected(self)) == 2):
            return True
        if scan is None:
            return None
        answers = {
            "stop": not scan.state.is_final,
            "pause": scan.state in (JobState.RUNNING, JobState.PAUSED),
            "resume": can_go_on(scan),
            "repeat": not scan.imported,
            "compare": scan.state.is_final,
            "pin": scan.state is JobState.COMPLETED and not scan.imported,
            "delete": scan.state.is_final,
        }
        return answers.get(action, True) or None

    def action_new(self) -> None:
        """Start a scan."""
        self.open_form()

    @work(exclusive=True, group="scan-repeat", exit_on_error=False)
    async def action_repeat(self) -> None:
        """Run the scan under the cursor again."""
        if (scan := self.current_scan()) is not None:
            self.go_to(await self._actions.repeat(scan.id))

    @work(exclusive=True, group="scan-compare", exit_on_error=False)
    async def action_compare(self) -> None:
        """Show what changed between the two selected scans, or since the one before the cursor's."""
        chosen = _selected(self)
        pair = await self._actions.pair_to_compare(chosen, self.current_scan())
        if pair is not None:
            earlier, later = pair
            if chosen:  # they were selected for this; what is done next would be done to both
                self.query_one("#scans", Table).grid.select(())
            self.app.push_screen(ScanDetailScreen(self.session, later, compared_with=earlier))

    @work(exclusive=True, group="scan-pin", exit_on_error=False)
    async def action_pin(self) -> None:
        """Make the selected scans, or the one under the cursor, the baselines of their targets, or no longer."""
        await self._actions.pin_all(self._chosen)
        self._source.invalidate()

    @work(exclusive=True, group="scan-export", exit_on_error=False)
    async def action_export(self) -> None:
        """Write the selected scans, or the one under the cursor, each to a file of its own."""
        chosen = self._chosen
        if len(chosen) > 1:
            await self._actions.export_all(chosen)
        elif chosen:
            await self._actions.export(chosen[0])

    @work(exclusive=True, group="scan-import", exit_on_error=False)
    async def action_import(self) -> None:
        """Import files."""
        self.go_to(await self._actions.import_files())

    @work(exclusive=True, group="scan-delete", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete what is selected, or the scan under the cursor."""
        chosen = self._chosen
        if chosen and (gone := await self._actions.delete(chosen)):
            table = self.query_one("#scans", Table)
            table.grid.select(table.selected_keys - gone)
            self._source.invalidate()

    @on(Table.Opened, "#scans")
    def _open(self, event: Table.Opened) -> None:
        self.app.push_screen(ScanDetailScreen(self.session, int(str(event.key))))

    @on(Table.Highlighted, "#scans")
    @on(Table.SelectionChanged, "#scans")
    def _look_at_keys(self) -> None:
        """Tell the footer when other keys make sense, and only then."""
        offered = tuple(
            self._offers(action)
            for action in ("stop", "pause", "resume", "repeat", "compare", "pin", "export", "delete")
        )
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    @property
    def _actions(self) -> ScanActions:
        return ScanActions(self.session, self.app)

    def current_scan(self) -> Scan | None:
        """Return the scan under the cursor."""
        row = self.query_one("#scans", Table).cursor_row
        return row.scan if isinstance(row, ScanRow) else None

    @property
    def _chosen(self) -> list[int]:
        """What is selected, or the scan under the cursor."""
        scan = self.current_scan()
        return _selected(self) or ([scan.id] if scan else [])

    def go_to(self, scan: Scan | None) -> None:
        """Move the cursor to a scan, once it is listed."""
        if scan is not None:
            self._source.invalidate()
            self.query_one("#scans", Table).move_to_key(scan.id, later=True)

    async def _count(self, text: str) -> int:
        return await self.session.services.scans.count(self.session.actor, text)

    async def _fetch(self, window: Window) -> Sequence[Row]:
        scans = await self.session.services.scans.find(self.session.actor, window)
        self.call_later(self._look_at_keys)  # when the source has taken the rows
        ascii_only, now = self.app.has_class(ASCII_CLASS), datetime.now(UTC)
        return [_row(scan, ascii_only, now) for scan in scans]


def _selected(pane: ScansPane) -> list[int]:
    return sorted(int(str(key)) for key in pane.query_one("#scans", Table).selected_keys)


def _row(scan: Scan, ascii_only: bool, now: datetime) -> ScanRow:
    look = state_style(scan.state)
    return ScanRow(
        scan.id,
        (
            str(scan.id),
            what(scan),
            scan.profile or ("imported" if scan.imported else scan.arguments),
            Cell(look.label(ascii_only), look.tone),
            progress(scan),
            thin(scan.hosts_up) if scan.hosts_up else "",
            thin(scan.ports_open) if scan.ports_open else "",
            Cell("baseline", "accent") if scan.pinned else str(scan.changes or ""),
            scan.owner,
            when(scan.started or scan.created, now),
        ),
        scan=scan,
    )
