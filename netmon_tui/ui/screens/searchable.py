"""The base of screens in which searches are typed: they can be kept under a name and found again."""

from __future__ import annotations

from textual import on, work

from netmon_tui.ui import toasts
from netmon_tui.ui.modals.saved_searches import SavedSearchList, SaveSearch
from netmon_tui.ui.widgets.live import LiveScreen
from netmon_tui.ui.widgets.table_messages import ChooseQuery, SaveQuery


class SearchableScreen(LiveScreen):
    """Answers the two keys of a line that takes queries."""

    @on(SaveQuery)
    @work(exclusive=True, group="saved-search", exit_on_error=False)
    async def _save_query(self, event: SaveQuery) -> None:
        saved = await self.app.push_screen_wait(SaveSearch(self.session, event.text))
        if saved is not None:
            toasts.tell(self.app, f"Saved as {saved.name}")

    @on(ChooseQuery)
    @work(exclusive=True, group="saved-search", exit_on_error=False)
    async def _choose_query(self, event: ChooseQuery) -> None:
        saved = await self.app.push_screen_wait(SavedSearchList(self.session))
        if saved is not None:
            event.line.value = saved.text
            event.line.cursor_position = len(saved.text)
