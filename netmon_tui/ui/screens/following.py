"""The stream of the packet under the cursor, and the TLS keys that open what it carries."""

from __future__ import annotations

from textual import work

from netmon_tui.domain.stream import PacketPlace
from netmon_tui.ui.screens.markable import MarkableScreen
from netmon_tui.ui.screens.stream import StreamScreen
from netmon_tui.ui.screens.tls_keys import TlsKeys
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser


class FollowingScreen(MarkableScreen):
    """Answers the keys that follow a stream, and that give the capture TLS keys.

    Args:
        session: Services and actor.
        capture_id: Whose packets are listed.
    """

    def __init__(self, session: Session, capture_id: int) -> None:
        super().__init__(session)
        self.capture_id = capture_id

    def action_stream(self) -> None:
        """Put the stream of the packet under the cursor together."""
        files = self.query_one(FileSetBrowser)
        number = files.browser.table.cursor_key
        if isinstance(number, int):
            place = PacketPlace(number, files.shown_file)
            self.app.push_screen(StreamScreen(self.session, self.capture_id, place))

    @work(exclusive=True, group="tls-keys", exit_on_error=False)
    async def action_keys(self) -> None:
        """Keep TLS keys with the capture, or remove them; the next look reads the packets anew."""
        if await TlsKeys(self.session, self.app).ask(self.capture_id):
            self.refresh_now()
