"""The keys to the schedules, and to the sets of targets and ports."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import BindingType

from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.schedule_list import ScheduleList
from netmon_tui.ui.modals.set_list import SetList
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.widgets.pane import Pane


class WithSchedules(Pane):
    """A tab in which keys open the list of schedules and that of sets."""

    BINDINGS: ClassVar[list[BindingType]] = [
        command(
            "scans.schedules",
            "t",
            "schedules",
            "Schedules",
            "Scans that repeat by interval or cron expression.",
            show=False,
        ),
        command("scans.sets", "at", "sets", "Sets", "Targets and ports under names.", show=False),
    ]

    @work(exclusive=True, group="schedules", exit_on_error=False)
    async def action_schedules(self) -> None:
        """Show the schedules; the scan that is chosen there is opened."""
        scan_id = await self.app.push_screen_wait(ScheduleList(self.session))
        if scan_id is not None:
            self.app.push_screen(ScanDetailScreen(self.session, scan_id))

    def action_sets(self) -> None:
        """Show the sets of targets and ports."""
        self.app.push_screen(SetList(self.session))
