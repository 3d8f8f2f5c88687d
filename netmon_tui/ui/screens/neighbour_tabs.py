"""Tab 2: the neighbour table, what happened in it, and the devices behind its addresses."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import TabbedContent, Tabs

from netmon_tui.ui.commands import command
from netmon_tui.ui.screens.devices import DevicesPane
from netmon_tui.ui.screens.neighbour_events import NeighbourEventsPane
from netmon_tui.ui.screens.neighbour_table import NeighbourTablePane
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.lazy_pane import LazyPane
from netmon_tui.ui.widgets.pane import Pane

PANES: tuple[tuple[str, str, type[Pane]], ...] = (
    ("table", "Table", NeighbourTablePane),
    ("events", "Events", NeighbourEventsPane),
    ("devices", "Devices", DevicesPane),
)


class NeighboursPane(Pane):
    """Three tabs; help, and whether there are figures that move by themselves, are those of the one in sight."""

    HELP_TITLE = NeighbourTablePane.HELP_TITLE
    HELP_TEXT = NeighbourTablePane.HELP_TEXT
    LIVE_SECONDS: float | None = NeighbourTablePane.LIVE_SECONDS
    BINDINGS: ClassVar[list[BindingType]] = [
        command(
            "neighbours.next", "right_square_bracket", "turn(1)", "Next tab", "To the next tab.", show=False
        ),
        command(
            "neighbours.previous",
            "left_square_bracket",
            "turn(-1)",
            "Tab before",
            "To the tab before.",
            show=False,
        ),
    ]

    def compose(self) -> ComposeResult:
        """The tabs, each with a pane of its own."""
        with TabbedContent(id="neighbour-tabs"):
            for name, title, make in PANES:
                build = partial(_built, make, self.session, f"neighbours-{name}")
                yield LazyPane(title, build, id=f"neighbour-{name}")

    def focus_content(self) -> None:
        """Focus the list in sight; one that is not there yet takes the focus when it is."""
        for pane in self._active.children if self._active else ():
            if isinstance(pane, Pane):
                pane.focus_content()

    async def refresh_data(self) -> None:
        """Bring the tab in sight up to date."""
        if pane := await self._shown():
            await pane.refresh_data()

    def action_turn(self, step: int) -> None:
        """Show the next tab, or the one before."""
        tabs = self.query_one("#neighbour-tabs", TabbedContent).query_one(Tabs)
        tabs.action_next_tab() if step > 0 else tabs.action_previous_tab()

    @on(TabbedContent.TabActivated, "#neighbour-tabs")
    async def _tab_shown(self, event: TabbedContent.TabActivated) -> None:
        event.stop()
        for tabs in self.query(Tabs):
            tabs.can_focus = False  # it has no keys: the tab key passes it by
        pane = await self._shown()
        if pane is None:
            return
        self.HELP_TITLE, self.HELP_TEXT = pane.HELP_TITLE, pane.HELP_TEXT
        self.LIVE_SECONDS = pane.LIVE_SECONDS
        pane.focus_content()
        await pane.refresh_data()
        self.refresh_bindings()

    @property
    def _active(self) -> LazyPane | None:
        """The tab in sight; None before the tabs are there, and when they are taken down."""
        for tabs in self.query("#neighbour-tabs").results(TabbedContent):
            wanted = tabs.active or f"neighbour-{PANES[0][0]}"
            return next(iter(self.query(f"#{wanted}").results(LazyPane)), None)
        return None

    async def _shown(self) -> Pane | None:
        pane = await self._active.fill() if self._active else None
        assert pane is None or isinstance(pane, Pane)
        return pane


def _built(make: type[Pane], session: Session, id: str) -> Pane:
    return make(session, id=id)
