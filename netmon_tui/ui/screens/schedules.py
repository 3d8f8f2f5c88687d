"""The keys to the schedules, and to the sets of targets and ports."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import BindingType

from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.schedule_list import ScheduleList
from netmon_tui.ui.modals.set_list import SetList
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.widgets.pane import Pane


class WithScheduleList(Pane):
    """A tab from which the list of schedules is opened."""

    @work(exclusive=True, group="schedules", exit_on_error=False)
    async def action_schedules(self) -> None:
        """Show the schedules; the scan or capture of the one that is chosen there is opened."""
        chosen = await self.app.push_screen_wait(ScheduleList(self.session))
        if chosen is None:
            return
        if chosen.last_scan is not None and chosen.capture is None:
            self.app.push_screen(ScanDetailScreen(self.session, chosen.last_scan))
        elif chosen.last_capture is not None:
            self.app.push_screen(CaptureDetailScreen(self.session, chosen.last_capture))


class WithSchedules(WithScheduleList):
    """A tab in which keys open the list of schedules and that of sets."""

    BINDINGS: ClassVar[list[BindingType]] = [
        command(
            "scans.schedules",
            "S",
            "schedules",
            "Schedules",
            "Scans and captures that repeat by interval or cron expression.",
            show=False,
        ),
        command("scans.sets", "at", "sets", "Sets", "Targets and ports under names.", show=False),
    ]

    def action_sets(self) -> None:
        """Show the sets of targets and ports."""
        self.app.push_screen(SetList(self.session))
