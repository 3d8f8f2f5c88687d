"""The base of screens that show packets: display filters can be kept under a name, found again and recalled."""

from __future__ import annotations

from textual import on, work

from netmon_tui.ui import toasts
from netmon_tui.ui.modals.display_filters import DisplayFilterList, SaveDisplayFilter
from netmon_tui.ui.widgets.display_filter_bar import DisplayFilterBar
from netmon_tui.ui.widgets.live import LiveScreen


class FilterableScreen(LiveScreen):
    """Answers the keys of the line in which display filters are typed."""

    @work(exclusive=True, group="recent-filters", exit_on_error=False)
    async def recall_filters(self, bar: DisplayFilterBar) -> None:
        """Let a line recall what the user has applied."""
        bar.remember(await self.session.services.filters.recent(self.session.actor))

    @on(DisplayFilterBar.Applied)
    @work(group="note-filter", exit_on_error=False)
    async def _note_filter(self, event: DisplayFilterBar.Applied) -> None:
        if event.text:
            await self.session.services.filters.note(self.session.actor, event.text)

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
