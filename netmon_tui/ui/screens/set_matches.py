"""The packets of all files of a capture that meet a display filter, in one list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.counted import counted
from netmon_tui.domain.display_filter import Offer
from netmon_tui.domain.set_matches import SetMatch
from netmon_tui.errors import NetmonError
from netmon_tui.services.packet_file_lines import PacketFileLines
from netmon_tui.services.set_filter import SetFilter
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.screens.filterable import FilterableScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.display_filter_bar import DisplayFilterBar
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.set_rows import SetRows, set_columns
from netmon_tui.ui.widgets.table import Table

HELP = (
    "The packets of all files of the capture that meet the display filter, the oldest first, as tshark finds\n"
    "them. File is the number in the name of a file, No. that of the packet in it. enter shows the packet in its\n"
    "file, and D there comes back to this list; meanwhile tshark goes on. d takes another filter, r looks again,\n"
    "/ keeps the lines with some words, as they are listed: where these are tshark's that takes longer.\n"
    "tshark reads one file after the other. Where packets far before matter, as for tcp.stream, and where TLS\n"
    "keys are kept, it reads all as one: numbers and streams in the filter count through all files then."
)
_NONE = "No packet meets the display filter so far"
_NO_FILTER = "No display filter yet. Press d"


class Searches(Protocol):
    """Holds the search through the files of a capture, which goes on while its list is left."""

    search: SetFilter | None
    """The last one; None before there is one."""
    opened: SetMatch | None
    """The match of it that was shown last."""

    async def begin_search(self, text: str, since: str = "") -> None:
        """Begin another one by a filter that is right, and counts from a file; raises NetmonError."""

    def stop_search(self) -> None:
        """End it; what it has found stays."""

    async def offer(self, word: str) -> Sequence[Offer]:
        """Return names that begin with a word."""

    def show_match(self, match: SetMatch) -> None:
        """Show one of them in its file."""


class SetMatchesScreen(FilterableScreen):
    """Shows a search through all files, and begins others.

    Args:
        session: Services and actor.
        capture_id: Of the capture.
        searches: Where the search is held.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("matches.back", "escape", "back", "Back", "Stop looking, or back to the packets."),
        command("matches.filter", "d", "filter", "Display filter", "Look for other packets."),
        command("matches.again", "r", "again", "Look again", "Look through the files as they are now."),
        command("matches.help", "question_mark,f1", "help", "Help", "Show what this is and all its keys."),
    ]

    def __init__(self, session: Session, capture_id: int, searches: Searches) -> None:
        super().__init__(session, id="set-matches")
        self._capture_id = capture_id
        self._searches = searches
        self._bar = DisplayFilterBar(
            session.services.packets.check_filter, searches.offer, id="matches-filter"
        )
        self._lines = PacketFileLines(session.services.packets, session.actor, capture_id)
        self._rows: SetRows | None = None
        self._shown: SetFilter | None = None
        """The search that is listed."""
        self._count = -1
        """How many of its matches the table knows of."""

    def compose(self) -> ComposeResult:
        """What it is, the filter, the matches, and how far the search is."""
        self.prepare()
        yield Figure(id="matches-title")
        yield self._bar
        yield Table((), empty_text=_NO_FILTER, sorts=False, id="matches")
        yield Figure(id="matches-state")
        yield KeyLine()

    @property
    def _table(self) -> Table:
        return self.query_one("#matches", Table)

    async def on_mount(self) -> None:
        """Show what there is, or begin to type a filter."""
        self.query_one("#matches-title", Figure).show(f"All files of capture {self._capture_id}")
        self.recall_filters(self._bar)
        if self._searches.search is None:
            await self._bar.open()
        else:
            self._table.focus()

    async def on_unmount(self) -> None:
        """Release the file that was read last."""
        await self._lines.close()

    async def refresh_live(self, *, changed: bool) -> None:
        """Show what was found since."""
        search = self._searches.search
        if search is None:
            return
        if search is not self._shown:
            await self._list(search)
        if self._rows is not None and len(search.matches) != self._count:
            self._count = len(search.matches)
            self._rows.grown()
            self._return()
        searched = None if self._rows is None else self._rows.searched
        looked = "" if searched is None else f" · looked through {thin(searched)}"
        self.query_one("#matches-state", Figure).show(
            _state(search) + looked, "warning" if search.ended else ""
        )

    async def _list(self, search: SetFilter) -> None:
        """Show the matches of another search, in the columns that the user has chosen."""
        packets, actor = self.session.services.packets, self.session.actor
        columns, shown = set_columns(await packets.columns.chosen(actor), search.newest)

        self._rows = SetRows(search.matches, columns, self._lines)
        self._shown, self._count = search, -1
        self._bar.show(search.text)
        self._table.set_columns(shown)
        self._table.set_texts(empty=_NONE)
        self._table.set_source(self._rows)

    def _return(self) -> None:
        """Put the cursor on the match that was shown."""
        opened = self._searches.opened
        if opened is not None and self._table.move_to_key(opened):
            self._searches.opened = None

    @on(DisplayFilterBar.Applied)
    @work(exclusive=True, group="begin-search", exit_on_error=False)
    async def _apply(self, event: DisplayFilterBar.Applied) -> None:
        if event.text:
            await self._look_for(event.text)
        else:
            self._say_filter()

    @on(DisplayFilterBar.Left)
    def _left(self) -> None:
        self._table.focus()
        self._bar.close()

    async def _look_for(self, text: str, since: str = "") -> None:
        try:
            await self._searches.begin_search(text, since)
        except NetmonError as error:
            toasts.report(self.app, error)
            self._say_filter()
        self.refresh_now()

    def _say_filter(self) -> None:
        """Let the line say what is listed, in place of what was typed and is not."""
        search = self._searches.search
        if search is None:
            self._bar.clear()
        else:
            self._bar.show(search.text)

    @on(Table.Opened, "#matches")
    def _open(self, event: Table.Opened) -> None:
        event.stop()
        if isinstance(event.key, SetMatch):
            self._searches.opened = event.key
            self.dismiss(None)
            self._searches.show_match(event.key)

    async def action_filter(self) -> None:
        """Begin to type another filter."""
        await self._bar.open()

    @work(exclusive=True, group="begin-search", exit_on_error=False)
    async def action_again(self) -> None:
        """Look through the files as they are now."""
        search = self._searches.search
        if search is not None:
            await self._look_for(search.text, search.since)

    def action_back(self) -> None:
        """Stop the search, or leave."""
        search = self._searches.search
        if search is not None and not search.is_done:
            self._searches.stop_search()
        else:
            self.dismiss(None)

    def action_help(self) -> None:
        """Show help."""
        self.app.push_screen(
            Help(title_of("Matches in all files"), HELP, list(self.active_bindings.values()))
        )


def _state(search: SetFilter) -> str:
    """Return how far a search is, or how it ended."""
    count = len(search.matches)
    words = "1 match" if count == 1 else f"{thin(count)} matches"
    if not search.is_done:
        place = f"file {search.place} of {search.count}" if search.place else f"{search.count} files as one"
        return f"{words} · {place}, {search.progress:.0%} · esc stops"
    missed = f" · the ring deleted {search.missed} of them" if search.missed else ""
    ended = f" · {search.ended}" if search.ended else ""
    return f"{words} in {search.matches.files} of {counted(search.count, 'file')}{missed}{ended}"
