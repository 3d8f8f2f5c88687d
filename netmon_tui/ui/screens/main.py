"""The frame: header, six tabs, footer; and the one place where the tools meet."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.css.query import NoMatches
from textual.widgets import TabbedContent, TabPane, Tabs

from netmon_tui.ui.commands import command
from netmon_tui.ui.messages import CaptureAddress, CaptureBegun, ScanAddress, ShowHost
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.rendering import content
from netmon_tui.ui.screens.activity import ActivityPane
from netmon_tui.ui.screens.admin import AdminPane
from netmon_tui.ui.screens.captures import CapturesPane
from netmon_tui.ui.screens.event_notice import EventNotice
from netmon_tui.ui.screens.hosts import HostsPane
from netmon_tui.ui.screens.neighbour_tabs import NeighboursPane
from netmon_tui.ui.screens.scans import ScansPane
from netmon_tui.ui.screens.search import SearchScreen
from netmon_tui.ui.screens.searchable import SearchableScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.frame_header import FrameHeader, PrivilegeWord
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.pane import Pane
from netmon_tui.ui.widgets.steady_tab import SteadyTab

TABS: tuple[tuple[str, str, Callable[[Session], Pane]], ...] = (
    ("scans", "1 Scans", ScansPane),
    ("neighbours", "2 Neighbours", NeighboursPane),
    ("captures", "3 Captures", CapturesPane),
    ("hosts", "4 Hosts", HostsPane),
    ("activity", "5 Activity", ActivityPane),
    ("admin", "6 Admin", AdminPane),
)

ASK_SECONDS = 0.7
"""At least so much lies between two looks whether others changed the database."""


class Room(SteadyTab):
    """A tab, empty until its pane is built: Textual would show the widget's selector meanwhile."""

    def render(self) -> Content:
        """Return nothing to see."""
        return Content("")


class MainScreen(SearchableScreen):
    """Everything after the login.

    Args:
        session: Services and actor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            command(f"frame.tab{n}", str(n), f"tab('{name}')", title[2:], f"Go to {title[2:]}.", show=False)
            for n, (name, title, _) in enumerate(TABS, 1)
        ),
        command(
            "frame.freeze", "p", "freeze", "Freeze", "Stop and continue updating what is shown.", show=False
        ),
        command(
            "frame.search", "ctrl+f", "search", "Search", "Find hosts and ports in all scans.", show=False
        ),
        command("frame.help", "question_mark,f1", "help", "Help", "Show what this tab is for and all keys."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session, id="main")
        self._jobs = 0
        self._asked_at = self._shown_at = 0.0

    def compose(self) -> ComposeResult:
        """Header, tabs, footer."""
        yield FrameHeader(socket.gethostname(), self.session.services.privilege.word, self.session.actor)
        with TabbedContent(id="tabs"):
            for name, title, _ in TABS:
                yield Room(content(title), id=f"tab-{name}")
        yield KeyLine()
        yield EventNotice(self.session)

    def on_mount(self) -> None:
        """Follow the neighbours from the login on: "first seen" does not wait for their tab."""
        self._follow_neighbours()

    @work(group="neighbours", exit_on_error=False)
    async def _follow_neighbours(self) -> None:
        await self.session.services.neighbours.start()

    def pane(self, name: str | None = None) -> Pane | None:
        """Return a tab's content, the visible one's by default; None while it is not built."""
        wanted = name or self._active
        try:
            return self.query_one(f"#{wanted}-pane", Pane)
        except NoMatches:
            return None

    @property
    def _active(self) -> str:
        return self.query_one("#tabs", TabbedContent).active.removeprefix("tab-")

    @on(TabbedContent.TabActivated, "#tabs")
    async def _tab_shown(self) -> None:
        """Build what the tab is for, and focus it; the line of tabs has no keys, so the tab key passes it by."""
        for tabs in self.query(Tabs):
            tabs.can_focus = False
        pane = await self._build(self._active)
        if not pane.has_focus_within:
            pane.focus_content()
        self.refresh_now()

    async def _build(self, name: str) -> Pane:
        pane = self.pane(name)
        if pane is None:
            pane = next(make for known, _, make in TABS if known == name)(self.session)
            pane.id = f"{name}-pane"
            await self.query_one(f"#tab-{name}", TabPane).mount(pane)
        return pane

    async def has_changed(self) -> bool:
        """Return whether the database changed; asked less often than figures move: every list is a query then."""
        now = time.monotonic()
        if now - self._asked_at < ASK_SECONDS:
            return False
        self._asked_at = now
        return await super().has_changed()

    def _is_due(self, pane: Pane) -> bool:
        wanted = pane.LIVE_SECONDS
        return wanted is not None and time.monotonic() - self._shown_at >= wanted

    async def refresh_live(self, *, changed: bool) -> None:
        """Refresh header and visible pane if the database changed, or if the pane has figures of its own."""
        pane = self.pane()
        try:
            if pane is not None and (changed or self._is_due(pane)):
                self._shown_at = time.monotonic()
                await pane.refresh_data()
            if changed:
                self._jobs = await self.session.services.activity.running(self.session.actor)
        finally:
            self._show_header()

    def _show_header(self) -> None:
        self.query_one(FrameHeader).show(jobs=self._jobs, note="frozen" if self.frozen else "")
        self.show_time()

    def show_time(self) -> None:
        """Bring the clock up to date."""
        self.query_one(FrameHeader).show_time(f"{datetime.now():%H:%M} ")

    def action_tab(self, name: str) -> None:
        """Show a tab."""
        self.query_one("#tabs", TabbedContent).active = f"tab-{name}"

    def action_freeze(self) -> None:
        """Stop or continue updating."""
        self.toggle_frozen()
        self._show_header()

    def action_search(self) -> None:
        """Find hosts and ports in all scans."""
        self.app.push_screen(SearchScreen(self.session))

    def action_help(self) -> None:
        """Show help for the visible tab."""
        pane = self.pane()
        title, text = (pane.HELP_TITLE, pane.HELP_TEXT) if pane else ("", "")
        self.app.push_screen(Help(title_of(title), text, list(self.active_bindings.values())))

    @on(EventNotice.Counted)
    def _events_counted(self, message: EventNotice.Counted) -> None:
        """Say beside the tab how many events are to be seen to."""
        title = next(title for name, title, _ in TABS if name == "neighbours")
        tab = self.query_one("#tabs", TabbedContent).get_tab("tab-neighbours")
        tab.label = content(f"{title} ({message.count})" if message.count else title)

    @on(PrivilegeWord.Clicked)
    async def _open_doctor(self) -> None:
        self.action_tab("admin")
        pane = await self._build("admin")
        if isinstance(pane, AdminPane):
            pane.show_doctor()

    @on(ScanAddress)
    async def _scan_address(self, message: ScanAddress) -> None:
        self.action_tab("scans")
        pane = await self._build("scans")
        pivots, actor = self.session.services.segment.pivots, self.session.actor
        targets = await pivots.scan_target(actor, message.address, message.interface)
        if isinstance(pane, ScansPane):
            pane.open_form(targets=targets)

    @on(CaptureAddress)
    async def _capture_address(self, message: CaptureAddress) -> None:
        self.action_tab("captures")
        pane = await self._build("captures")
        if isinstance(pane, CapturesPane):
            pane.open_form(host=message.address.partition("%")[0], interface=message.interface)

    @on(CaptureBegun)
    def _capture_begun(self, message: CaptureBegun) -> None:
        pane = self.pane("captures")
        if isinstance(pane, CapturesPane):
            pane.point_to(message.capture_id)

    @on(ShowHost)
    async def _show_host(self, message: ShowHost) -> None:
        self.action_tab("hosts")
        pane = await self._build("hosts")
        if isinstance(pane, HostsPane):
            pane.show_address(message.address)
