"""The display filter over all files of the capture whose packets are listed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import work
from textual.widgets import Static
from textual.worker import Worker

from netmon_tui.domain.display_filter import Offer
from netmon_tui.domain.set_matches import SetMatch
from netmon_tui.errors import NetmonError
from netmon_tui.services.set_filter import SetFilter
from netmon_tui.ui import toasts
from netmon_tui.ui.rendering import content
from netmon_tui.ui.screens.following import FollowingScreen
from netmon_tui.ui.screens.set_matches import SetMatchesScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser


class MatchingScreen(FollowingScreen):
    """Holds the search through all files, so that it goes on while one of its matches is looked at.

    Args:
        session: Services and actor.
        capture_id: Whose packets are listed.
    """

    def __init__(self, session: Session, capture_id: int) -> None:
        super().__init__(session, capture_id)
        self.search: SetFilter | None = None
        """The last one; None before there is one."""
        self.opened: SetMatch | None = None
        """The match of it that was shown last."""
        self._searching: Worker[None] | None = None

    @property
    def files(self) -> FileSetBrowser:
        """The packets."""
        return self.query_one(FileSetBrowser)

    async def end_files(self, words: str) -> None:
        """Take the packets away, which are there no more, and all that looks through them; words stand there."""
        self.stop_search()
        await self.mount(Static(content(words), id="files-ended"), before=self.files)
        await self.files.remove()

    async def begin_search(self, text: str, since: str = "") -> None:
        """Look through the files as they are now by a filter that is right; as the service takes and raises it."""
        packets, actor = self.session.services.packets, self.session.actor
        self.search = await packets.filter_set(actor, self.capture_id, text, since)
        self.opened = None
        self._searching = self.run_worker(
            self.search.run, group="set-filter", exclusive=True, exit_on_error=False
        )

    def stop_search(self) -> None:
        """End it; what it has found stays."""
        if self._searching is not None:
            self._searching.cancel()

    async def offer(self, word: str) -> Sequence[Offer]:
        """Return names that begin with a word."""
        return await self.files.browser.offer(word)

    def action_matches(self) -> None:
        """List what the display filter lets through in all files, or the last search where there is none."""
        self.list_matches(self.files.browser.filter_bar.text)

    @work(exclusive=True, group="list-matches", exit_on_error=False)
    async def list_matches(self, text: str, since: str = "") -> None:
        """List what a filter lets through in all files; when it is empty, what the last one did."""
        known = self.search
        try:
            if text and (known is None or known.text != text or known.since != (since or known.since)):
                await self.begin_search(text, since)
        except NetmonError as error:
            toasts.report(self.app, error)
            return
        if self.app.screen is self:  # else the user has gone on: D lists them later, without looking anew
            self.app.push_screen(SetMatchesScreen(self.session, self.capture_id, self))

    def show_match(self, match: SetMatch) -> None:
        """Show a packet in its file."""
        self.files.show_packet(match)
