"""The base of screens above an open capture, whose lines lead back to it or away to an address."""

from __future__ import annotations

from textual.message import Message

from netmon_tui.domain.user import Permission
from netmon_tui.ui.messages import CaptureAddress, ScanAddress, ShowHost
from netmon_tui.ui.widgets.live import LiveScreen

_NEEDED = {"scan": Permission.SCAN, "capture": Permission.CAPTURE, "host": Permission.VIEW}


class AboveCapture(LiveScreen):
    """Hands what is asked of an address to the capture beneath, which passes it on."""

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
        if action in _NEEDED:
            return (self.session.actor.may(_NEEDED[action]) and bool(self.address)) or None
        return True

    def action_scan(self) -> None:
        """Scan the address."""
        self.hand_on(ScanAddress(self.address))

    def action_capture(self) -> None:
        """Capture the address, on the same interface."""
        self.hand_on(CaptureAddress(self.address, self.interface))

    def action_host(self) -> None:
        """Show what is known of the address."""
        self.hand_on(ShowHost(self.address))

    def hand_on(self, message: Message) -> None:
        """Leave, and hand a request to the capture beneath."""
        beneath = self.app.screen_stack[-2]
        self.dismiss(None)
        beneath.post_message(message)
