"""Who talks in a capture, live while it runs; each line can become a filter of its packets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import TabbedContent

from netmon_tui.domain.capture import Capture
from netmon_tui.domain.traffic import Traffic, TrafficKind
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.services.traffic import OpenTraffic
from netmon_tui.ui.commands import command
from netmon_tui.ui.messages import ApplyDisplayFilter
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.rendering import ASCII_CLASS, Tone, content, size, thin
from netmon_tui.ui.screens.above_capture import AboveCapture
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.steady_tab import SteadyTab
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.traffic_rows import COLUMNS, KINDS, Entry, TrafficRows, columns_of, key_of

HELP = (
    "Addresses, conversations, services and packet lengths of the capture, the largest first. Bytes are those on\n"
    "the wire. A conversation is over all ports of the client, which is the side with the less known port.\n"
    "The headers of the packets are read from the file by the side. When they come faster than a small part of a\n"
    "processor core can read, they are sampled: that is said above, and the figures are estimates.\n"
    "Rates are of what comes: until what came before is read there are none.\n"
    "Of several files the newest is counted while the capture runs, and all of them once it has ended;\n"
    "T above the packets of an older file counts that one.\n"
    "enter shows only the packets of a line; s, c and H take the address under the cursor."
)
LOOK_SECONDS = 1.0
"""How often a growing file is looked at."""
_LINES_PER_SECOND = 5
"""Lines of the table that may change, on average, at some 140 bytes each: where more do, the next look waits."""


class TrafficScreen(AboveCapture):
    """Four tables of what was counted, one at a time.

    Args:
        session: Services and actor.
        capture_id: Of the capture.
        file: Of several files the name of this one.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        command("traffic.back", "escape", "back", "Back", "Back to the packets."),
        *(
            command(f"traffic.tab{n}", str(n), f"tab('{name}')", title, f"Go to {title}.", show=False)
            for n, (name, title) in enumerate(KINDS, 1)
        ),
        command("traffic.scan", "s", "scan", "Scan", "Scan the address under the cursor."),
        command("traffic.capture", "c", "capture", "Capture", "Capture this address."),
        command("traffic.host", "H", "host", "Host", "Show what is known of this address."),
        command("traffic.freeze", "p", "freeze", "Freeze", "Stop and continue updating."),
        command("traffic.help", "question_mark,f1", "help", "Help", "Show what this is and all its keys."),
    ]

    def __init__(self, session: Session, capture_id: int, file: str = "") -> None:
        super().__init__(session, id="traffic")
        self._capture_id = capture_id
        self._file = file
        self._capture: Capture | None = None
        self._opened: OpenTraffic | None = None
        self._traffic = Traffic()
        self._stale = True
        """Whether the database has changed since the capture was read."""
        self._read = 0.0
        """Monotonic time of that."""
        self._next = 0.0
        """Monotonic time before which a growing file is not looked at again."""
        self._rows = {kind: TrafficRows() for kind, _ in KINDS}
        self._counted: tuple[Path, ...] = ()
        """The files whose figures they know: those of others are counted from zero."""
        self._sources = {
            kind: MemorySource([column.key for column in columns]) for kind, columns in COLUMNS.items()
        }

    def compose(self) -> ComposeResult:
        """What it is of, how it was counted, tables, keys."""
        self.prepare()
        yield Figure(id="traffic-title")
        yield Figure(id="traffic-state")
        with TabbedContent(initial="tab-talkers", id="traffic-tabs"):
            for number, (kind, title) in enumerate(KINDS, 1):
                with SteadyTab(content(f"{number} {title}"), id=f"tab-{kind}"):
                    yield Table(COLUMNS[kind], source=self._sources[kind], id=f"table-{kind}")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin to look."""
        self._table.focus()

    async def on_unmount(self) -> None:
        """Release the file."""
        if self._opened is not None:
            await self._opened.close()

    async def has_changed(self) -> bool:
        """Return whether the database changed: asked no more often than the capture is read."""
        return time.monotonic() - self._read >= LOOK_SECONDS and await super().has_changed()

    async def refresh_live(self, *, changed: bool) -> None:
        """Look at the file once a second while it grows; one that does not is read to its end."""
        services, actor = self.session.services, self.session.actor
        now = time.monotonic()
        self._stale |= changed
        if self._stale and now - self._read >= LOOK_SECONDS:
            try:
                self._capture = await services.capturing.get(actor, self._capture_id)
            except NotFound:  # deleted by others: the screen beneath says so
                self.dismiss(None)
                return
            self._stale, self._read = False, now
        if self._capture is None:
            return
        growing = not self._capture.state.is_final
        done = self._opened is not None and self._opened.complete
        if done or (growing and now < self._next):
            return
        self._next = now + LOOK_SECONDS
        try:
            if self._opened is None:
                self._opened = await services.traffic.open(actor, self._capture_id, self._file)
            self._traffic = await self._opened.look(growing=growing)
        except (InvalidInput, NotFound) as error:
            self._show_title()
            self._state(str(error), "" if growing else "error")
            return
        self._show(now)
        if self._settled:
            self.refresh_bindings()

    def _show(self, now: float) -> None:
        """Bring the figures and the table that is seen up to date."""
        assert self._capture is not None and self._opened is not None
        traffic = self._traffic
        self._show_title()
        words = [f"{thin(traffic.packets)} packets", f"{size(traffic.bytes)} on the wire", *traffic.notes]
        if self._capture.state.is_final and not self._opened.complete:
            words.append(f"reading {traffic.read:.0%}")
        elif traffic.lag:
            words.append(traffic.lag)
        if self.frozen:
            words.append("frozen")
        tone: Tone = "error" if traffic.damage else "warning" if traffic.notes else ""
        self._state(" · ".join(words), tone)
        if self._counted != self._opened.paths:
            self._counted = self._opened.paths
            self._rows = {kind: TrafficRows() for kind, _ in KINDS}
        kind, ascii_only = self._kind, self.app.has_class(ASCII_CLASS)
        if traffic.unread:
            told = f"Addresses of {traffic.unread} are not read here: A, Conversations"
            self._table.set_texts(empty=told)
        before = self._seen()
        live = not self._capture.state.is_final
        rows = self._rows[kind].rows(traffic, kind, now, ascii_only=ascii_only, live=live)
        if (columns := columns_of(kind, live=live)) != self._table.columns:
            self._table.set_columns(columns)
        self._sources[kind].replace(rows)
        self._next = now + max(LOOK_SECONDS, _lines_changed(before, self._seen()) / _LINES_PER_SECOND)

    def _seen(self) -> Sequence[Row]:
        """The rows that are on the screen."""
        grid = self._table.grid
        return self._sources[self._kind].window(grid.top, grid.top + grid.page)

    def _show_title(self) -> None:
        assert self._capture is not None
        capture = self._capture
        which = self._opened.which if self._opened is not None else ""
        what = " · ".join(part for part in (capture.name, capture.interface, which) if part)
        self.query_one("#traffic-title", Figure).show(f"Capture {capture.id} · {what} · who talks")

    def _state(self, text: str, tone: Tone) -> None:
        self.query_one("#traffic-state", Figure).show(text, tone)

    @property
    def _settled(self) -> bool:
        """Whether all has been counted and no more comes."""
        ended = self._capture is not None and self._capture.state.is_final
        return ended and self._opened is not None and self._opened.complete

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out the freezing of what stands still, too; what is frozen can always go on."""
        if action == "freeze" and self._settled and not self.frozen:
            return None
        return super().check_action(action, parameters)

    @property
    def _kind(self) -> TrafficKind:
        """What is seen."""
        return cast(TrafficKind, self.query_one(TabbedContent).active.removeprefix("tab-"))

    @property
    def _table(self) -> Table:
        return self.query_one(f"#table-{self._kind}", Table)

    @property
    def interface(self) -> str:
        """Where the capture is made; empty where that is on several."""
        return self._capture.one_interface if self._capture is not None else ""

    @property
    def address(self) -> str:
        """The IP address that is meant: the cell's under the cursor, or else the first of the line."""
        return self._table.grid.cursor_address

    @on(TabbedContent.TabActivated, "#traffic-tabs")
    def _tab_changed(self) -> None:
        if self._opened is not None:
            self._show(time.monotonic())

    def action_tab(self, kind: str) -> None:
        """Go to a table."""
        self.query_one(TabbedContent).active = f"tab-{kind}"
        self._table.focus()

    @on(Table.Highlighted)
    def _moved(self) -> None:
        self.refresh_bindings()

    @on(Table.Opened)
    def _apply(self, event: Table.Opened) -> None:
        entries: tuple[Entry, ...] = getattr(self._traffic, self._kind)
        text = next((one.filter for one in entries if key_of(one) == event.key), "")
        if text:
            self.hand_on(ApplyDisplayFilter(text))
        else:
            self.notify("No filter says which packets this line is about", markup=False)

    def action_back(self) -> None:
        """Leave."""
        self.dismiss(None)

    def action_freeze(self) -> None:
        """Stop or continue updating."""
        self.toggle_frozen()
        self.notify("Frozen; p continues" if self.frozen else "Live again", markup=False)

    def action_help(self) -> None:
        """Show help."""
        self.app.push_screen(Help(title_of("Who talks"), HELP, list(self.active_bindings.values())))


def _lines_changed(before: Sequence[Row], after: Sequence[Row]) -> int:
    """Return how many lines are not what they were; one that shows another row counts twice, as it costs."""
    pairs = [(old, new) for old, new in zip_longest(before, after) if old != new]
    return sum(1 if old and new and old.key == new.key else 2 for old, new in pairs)
