"""The base of screens above an open capture, whose lines lead back to it or away to an address."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.message import Message

from netmon_tui.domain.user import Permission
from netmon_tui.ui.messages import CaptureAddress, ScanAddress, ShowHost
from netmon_tui.ui.screens.host_history import HostHistoryScreen
from netmon_tui.ui.widgets.live import LiveScreen


class AboveCapture(LiveScreen):
    """Shows what is known of an address, and hands what else is asked of it to the capture beneath."""

    NEEDS: ClassVar = {"scan": Permission.SCAN, "capture": Permission.CAPTURE, "host": Permission.VIEW}

    @property
    def address(self) -> str:
        """The IP address that is meant; empty when there is none."""
        raise NotImplementedError

    @property
    def interface(self) -> str:
        """Where the capture was made; empty where that is not known."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what the line or the role does not allow."""
        if action in AboveCapture.NEEDS:
            return (self.session.actor.may(self.NEEDS[action]) and bool(self.address)) or None
        return True

    def action_scan(self) -> None:
        """Scan the address."""
        self._ask_beneath(ScanAddress(self.address))

    def action_capture(self) -> None:
        """Capture the address, on the same interface."""
        self._ask_beneath(CaptureAddress(self.address, self.interface))

    def action_host(self) -> None:
        """Show what is known of the address."""
        self._show_host(ShowHost(self.address))

    @on(ShowHost)
    def _show_host(self, request: ShowHost) -> None:
        """Show it above, so that escape leads back here."""
        self.app.push_screen(HostHistoryScreen(self.session, request.address))

    @on(ScanAddress)
    @on(CaptureAddress)
    def _ask_beneath(self, request: ScanAddress | CaptureAddress) -> None:
        """Let the capture beneath open a form, also for the page of a host; whoever leaves that is back above."""
        self.beneath.post_message(request)

    def hand_on(self, message: Message) -> None:
        """Leave, and hand a request to the capture beneath."""
        beneath = self.beneath
        self.dismiss(None)
        beneath.post_message(message)
