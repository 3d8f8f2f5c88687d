"""The stream of the packet under the cursor."""

from __future__ import annotations

from netmon_tui.domain.stream import PacketPlace
from netmon_tui.ui.screens.markable import MarkableScreen
from netmon_tui.ui.screens.stream import StreamScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser


class FollowingScreen(MarkableScreen):
    """Answers the key that follows a stream.

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
