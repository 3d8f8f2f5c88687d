"""From an address on any row to a scan of it, a capture of it, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.binding import Binding

from netmon_tui.domain.user import Permission
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.messages import CaptureAddress, ScanAddress, ShowHost
from netmon_tui.ui.widgets.live import LiveScreen
from netmon_tui.ui.widgets.role_keys import RoleKeys
from netmon_tui.ui.widgets.table import Table

PIVOT_NEEDS = {"scan": Permission.SCAN, "capture": Permission.CAPTURE, "host": Permission.VIEW}


def pivot_commands(place: str, *, show: bool = True) -> list[Binding]:
    """Return the keys that lead on from an address; their ids begin with the name of the place."""
    return [
        command(f"{place}.scan", "s", "scan", "Scan", "Scan this address.", show=show),
        command(f"{place}.capture", "c", "capture", "Capture", "Capture this address's packets.", show=show),
        command(f"{place}.host", "H", "host", "Host", "Show what scans found on this address.", show=show),
    ]


class WithPivots(RoleKeys):
    """A pane or screen with :func:`pivot_commands`.

    It stands last among the bases: Textual takes a widget's style names from the first alone.
    """

    NEEDS: ClassVar[Mapping[str, Permission]] = PIVOT_NEEDS

    @property
    def pivot(self) -> tuple[str, str]:
        """The address that is meant, empty when there is none, and its interface, empty where nobody knows.

        Unless told otherwise it is that of the table that has the focus.
        """
        grids = (table.grid for table in self.query(Table))
        return next((grid.cursor_address for grid in grids if grid.has_focus), ""), ""

    def ask(self, request: ScanAddress | CaptureAddress | ShowHost) -> None:
        """Hand a request to the frame."""
        self.post_message(request)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what the role does not include."""
        needed = PIVOT_NEEDS.get(action)
        return super().check_action(action, parameters) if needed is None else self.session.actor.may(needed)

    def action_scan(self) -> None:
        """Scan the address."""
        if place := self._place():
            self.ask(ScanAddress(*place))

    def action_capture(self) -> None:
        """Capture the address, on its interface."""
        if place := self._place():
            self.ask(CaptureAddress(*place))

    def action_host(self) -> None:
        """Show what is known of the address."""
        if place := self._place():
            self.ask(ShowHost(place[0]))

    def _place(self) -> tuple[str, str] | None:
        if self.pivot[0]:
            return self.pivot
        toasts.tell(self.app, "There is no address on this row")
        return None


class AddressPage(LiveScreen, WithPivots):
    """A screen about one thing, above the frame, whose lines lead on to addresses."""

    def ask(self, request: ScanAddress | CaptureAddress | ShowHost) -> None:
        """Hand a request to the screen beneath, and leave, but for a form that stands above all."""
        beneath = self.beneath
        above_frame = beneath is self.app.screen_stack[0]  # whose tabs would be hidden
        if above_frame or isinstance(request, ShowHost):
            self.dismiss(None)
        beneath.post_message(request)

    @on(ScanAddress)
    @on(CaptureAddress)
    @on(ShowHost)
    def _asked_above(self, request: ScanAddress | CaptureAddress | ShowHost) -> None:
        """Pass on what was asked in a scan that was opened from here."""
        self.ask(request)

    def action_freeze(self) -> None:
        """Stop or continue updating."""
        self.toggle_frozen()
        self.notify("Frozen; p continues" if self.frozen else "Live again", markup=False)
