"""Hosts and ports of all scans that meet a query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from netmon_tui.domain.host import Service
from netmon_tui.domain.search import FIRST_PAGE, LONGEST_QUERY, SEARCH_FORMATS, FoundPort
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.messages import CaptureAddress, ScanAddress, ShowHost
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.rendering import ASCII_CLASS, content, state_style, thin, when
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.screens.searchable import SearchableScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.table_filter import QueryFilter

COLUMNS = (
    Column("scan", "Scan", width=5, align="right", priority=1),
    Column("address", "Address", minimum=15, priority=0),
    Column("hostname", "Name", minimum=10, priority=2),
    Column("port", "Port", width=9, priority=0),
    Column("state", "State", width=10, priority=1),
    Column("service", "Service", minimum=8, priority=0),
    Column("version", "Version", minimum=10, share=2, priority=3),
    Column("seen", "Seen", width=10, priority=1),
)
HINT = "enter searches. open:443 service:http os:linux target:10.0.0.0/8 after:-7 !word; f1 explains"
HELP = (
    "Every line is a port of a host in one of your scans, the newest scan first, and meets all terms.\n"
    'Words and "quoted words" are looked for in any text. open:443, closed:, filtered:, open|filtered:,\n'
    "unfiltered: and closed|filtered: take ports, as 22,8000-8100 or 53/udp. service: product: version: cpe:\n"
    "script: os: vendor: lladdr: profile: option: owner: name: inroute: take text, target: an address, a network\n"
    "or a name, state: a state; after: before: date: take 2026-11-01, today, yesterday, -7 (days), -12h.\n"
    "! or not: in front inverts a term; A or B is one of them.\n\n"
    "ctrl+s keeps the search under a name, ctrl+o lists saved ones, e exports all that is found."
)


class QueryLine(QueryFilter):
    """The line of the search: enter searches, and down goes to what was found."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Search", id="search.run"),
        Binding("down", "screen.results", "Results", id="search.results", show=False),
        Binding("escape", "screen.back", "Back", id="search.leave"),
    ]


class SearchScreen(SearchableScreen):
    """A query over what it finds.

    Args:
        session: Services and actor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("search.back", "escape", "back", "Back", "Back to the tabs."),
        command("search.query", "ctrl+f", "query", "Search", "Change the search."),
        command("search.scan_host", "s", "scan_host", "Scan", "Scan this host."),
        command("search.capture_host", "c", "capture_host", "Capture", "Capture this host's packets."),
        command(
            "search.show_host", "H", "show_host", "Host", "What all scans know of this host.", show=False
        ),
        command("search.export", "e", "export", "Export", "Write all that is found to a file."),
        command("search.help", "question_mark,f1", "help", "Help", "How searches are written."),
    ]
    NEEDS: ClassVar = {
        "scan_host": Permission.SCAN,
        "capture_host": Permission.CAPTURE,
        "export": Permission.EXPORT,
    }

    def __init__(self, session: Session) -> None:
        super().__init__(session, id="search")
        self._source = MemorySource([column.key for column in COLUMNS])
        self._text = ""
        """The search whose lines are shown."""

    def compose(self) -> ComposeResult:
        """Line, what came of it, lines found."""
        yield QueryLine(
            placeholder="What to find in all scans", compact=True, max_length=LONGEST_QUERY, id="query"
        )
        yield Static(content(HINT), id="search-note")
        yield Table(COLUMNS, source=self._source, empty_text="Nothing searched yet", id="found")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin with the line."""
        self.query_one(QueryLine).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what the role does not include, grey out what there is nothing for."""
        needed = self.NEEDS.get(action)
        if needed is not None and not self.session.actor.may(needed):
            return False
        return action != "export" or bool(self._text) or None

    @on(Input.Submitted, "#query")
    @work(exclusive=True, group="search", exit_on_error=False)
    async def _search(self, event: Input.Submitted) -> None:
        if not event.value.strip():
            return
        self._note("Searching")
        try:
            found = await self.session.services.search.find(self.session.actor, event.value, FIRST_PAGE + 1)
        except NetmonError as error:
            self._note(str(error), failed=True)
            return
        self._text = event.value
        self._show(found)
        self.refresh_bindings()

    def _show(self, found: list[FoundPort]) -> None:
        table, ascii_only = self.query_one("#found", Table), self.app.has_class(ASCII_CLASS)
        table.set_texts(empty="Nothing in your scans meets this search")
        self._source.replace(_row(one, ascii_only) for one in found[:FIRST_PAGE])
        if len(found) > FIRST_PAGE:
            self._note(f"The first {thin(FIRST_PAGE)} lines. Narrow the search, or e exports all")
        else:
            self._note(f"{thin(len(found))} line{'' if len(found) == 1 else 's'}")
        if found:
            table.focus()

    def _note(self, text: str, *, failed: bool = False) -> None:
        note = self.query_one("#search-note", Static)
        note.update(content(text))
        note.set_class(failed, "-failed")

    @on(Table.Opened, "#found")
    def _open(self, event: Table.Opened) -> None:
        scan_id, address, *_ = event.key if isinstance(event.key, tuple) else (0, "")
        self.app.push_screen(ScanDetailScreen(self.session, int(scan_id), address=str(address)))

    @on(ScanAddress)
    @on(CaptureAddress)
    @on(ShowHost)
    def _hand_on(self, request: ScanAddress | CaptureAddress | ShowHost) -> None:
        """Give the frame what an open scan asked of it."""
        frame = self.beneath
        self.dismiss(None)
        frame.post_message(request)

    @property
    def _address(self) -> str:
        """Address of the line under the cursor; empty without one."""
        row = self.query_one("#found", Table).cursor_row
        return str(row.key[1]) if row is not None and isinstance(row.key, tuple) else ""

    def action_scan_host(self) -> None:
        """Scan the host under the cursor."""
        self._pivot(ScanAddress(self._address))

    def action_capture_host(self) -> None:
        """Capture the packets of the host under the cursor."""
        self._pivot(CaptureAddress(self._address))

    def action_show_host(self) -> None:
        """Show what all scans know of the host under the cursor."""
        self._pivot(ShowHost(self._address))

    def _pivot(self, request: ScanAddress | CaptureAddress | ShowHost) -> None:
        if request.address:
            self._hand_on(request)

    @work(exclusive=True, group="search-export", exit_on_error=False)
    async def action_export(self) -> None:
        """Write all that is found to a file."""
        folder = self.session.services.paths.exports
        dialog = Export("Export what is found", SEARCH_FORMATS, folder, "search")
        choice = await self.app.push_screen_wait(dialog)
        if choice is None:
            return
        try:
            path = await self.session.services.search.export(
                self.session.actor, self._text, choice.format, choice.path
            )
            toasts.tell(self.app, f"Written to {path}")
        except NetmonError as error:
            toasts.report(self.app, error)

    def action_query(self) -> None:
        """Go to the line."""
        self.query_one(QueryLine).focus()

    def action_results(self) -> None:
        """Go to the lines."""
        self.query_one("#found", Table).focus()

    def action_back(self) -> None:
        """Back to the tabs."""
        self.dismiss(None)

    def action_help(self) -> None:
        """Show how searches are written."""
        self.app.push_screen(Help(title_of("Search"), HELP, list(self.active_bindings.values())))


def _row(one: FoundPort, ascii_only: bool) -> Row:
    service = one.service or Service()
    look = state_style(one.state)
    state = Cell(look.label(ascii_only), look.tone) if one.state else ""
    seen = when(datetime.fromtimestamp(one.seen, UTC), datetime.now(UTC)) if one.seen else ""
    return Row(
        (one.scan, one.address, one.ordinal, one.protocol, one.number),
        (
            str(one.scan),
            one.address,
            one.hostname,
            "" if one.number is None else f"{one.number}/{one.protocol}",
            state,
            service.name,
            " ".join(filter(None, (service.product, service.version, service.extrainfo))),
            Cell(seen, sort=one.seen or 0),
        ),
    )
