"""Stopping, halting and resuming the scan that a screen is about."""

from __future__ import annotations

from textual import work
from textual.dom import DOMNode

from netmon_tui.domain.scan import Scan
from netmon_tui.ui.screens.scan_actions import ScanActions
from netmon_tui.ui.session import Session


class RunningScan(DOMNode):
    """The part of a screen that acts on one scan while it runs, or goes on with it.

    It stands last among the bases: Textual takes a widget's style names from the first alone.
    """

    session: Session

    def current_scan(self) -> Scan | None:
        """Return the scan that is meant now."""
        raise NotImplementedError

    def go_to(self, scan: Scan | None) -> None:
        """Show the scan that goes on, where it is not shown already."""

    @work(exclusive=True, group="scan-stop", exit_on_error=False)
    async def action_stop(self) -> None:
        """Stop it; what it found is kept."""
        if (scan := self.current_scan()) is not None:
            await ScanActions(self.session, self.app).stop(scan.id)

    @work(exclusive=True, group="scan-pause", exit_on_error=False)
    async def action_pause(self) -> None:
        """Halt it, or let it go on."""
        if (scan := self.current_scan()) is not None:
            await ScanActions(self.session, self.app).pause(scan)

    @work(exclusive=True, group="scan-resume", exit_on_error=False)
    async def action_resume(self) -> None:
        """Go on with it where it ended."""
        if (scan := self.current_scan()) is not None:
            self.go_to(await ScanActions(self.session, self.app).resume(scan.id))
