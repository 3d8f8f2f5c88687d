"""The base of screens that show packets: display filters can be kept under a name, found again and recalled."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TypeVar

from textual import on, work

from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.modals.display_filters import DisplayFilterList, SaveDisplayFilter
from netmon_tui.ui.widgets.display_filter_bar import DisplayFilterBar
from netmon_tui.ui.widgets.live import LiveScreen

T = TypeVar("T")
_log = logging.getLogger(__name__)


class FilterableScreen(LiveScreen):
    """Answers the keys of the line in which display filters are typed."""

    _told_forgetful = False
    """Whether it was told that something cannot be remembered."""

    async def unless_forgetful(self, memory: Awaitable[T]) -> T | None:
        """Return what remembers or recalls something; that it fails is told once, and nothing else stops."""
        try:
            return await memory
        except NetmonError as error:
            _log.warning("remembering: %s", error)
            if not self._told_forgetful:
                self._told_forgetful = True
                toasts.warn(
                    self.app, "Not remembered", f"What you choose here works, and is forgotten later: {error}"
                )
            return None

    @work(exclusive=True, group="recent-filters", exit_on_error=False)
    async def recall_filters(self, bar: DisplayFilterBar) -> None:
        """Let a line recall what the user has applied."""
        filters = self.session.services.filters
        bar.remember(await self.unless_forgetful(filters.recent(self.session.actor)) or bar.recent)

    @on(DisplayFilterBar.Applied)
    @work(group="note-filter", exit_on_error=False)
    async def _note_filter(self, event: DisplayFilterBar.Applied) -> None:
        if event.text:
            await self.unless_forgetful(self.session.services.filters.note(self.session.actor, event.text))

    @on(DisplayFilterBar.Save)
    @work(exclusive=True, group="kept-filter", exit_on_error=False)
    async def _save_filter(self, event: DisplayFilterBar.Save) -> None:
        saved = await self.app.push_screen_wait(SaveDisplayFilter(self.session, event.text))
        if saved is not None:
            toasts.tell(self.app, f"Saved as {saved.name}")

    @on(DisplayFilterBar.Choose)
    @work(exclusive=True, group="kept-filter", exit_on_error=False)
    async def _choose_filter(self, event: DisplayFilterBar.Choose) -> None:
        text = await self.app.push_screen_wait(DisplayFilterList(self.session))
        if text is not None:
            event.bar.put(text)
