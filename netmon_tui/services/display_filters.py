"""Display filters that users keep under names and may share, and those that each has applied last."""

from __future__ import annotations

import asyncio

from netmon_tui.domain.display_filter import check_text
from netmon_tui.domain.owned import find_named
from netmon_tui.domain.search import SavedSearch
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.services.keeping import checked_name
from netmon_tui.services.saved_texts import SavedTexts
from netmon_tui.storage.database import Database
from netmon_tui.storage.recent_filter_repository import RecentFilterRepository
from netmon_tui.storage.records import display_filters, recent_display_filters
from netmon_tui.storage.saved_search_repository import SavedSearchRepository

NOUN = "display filter"


class DisplayFilterService(SavedTexts):
    """Whoever may look at captures may keep filters; whether one is right, an open capture says.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(SavedSearchRepository(database, display_filters, NOUN), NOUN)
        self._recent = RecentFilterRepository(database, recent_display_filters)

    async def recent(self, actor: Actor) -> list[str]:
        """Return the filters that the actor applied last, the last one first."""
        return await asyncio.to_thread(self._recent.newest, actor)

    async def note(self, actor: Actor, text: str) -> None:
        """Remember that the actor has applied a filter."""
        await asyncio.to_thread(self._recent.note, actor, text)

    async def find(self, actor: Actor, reference: str) -> SavedSearch:
        """Return the filter that is meant by a name, or by ``OWNER/NAME``; raises InvalidInput without one."""
        return find_named(reference, await self.usable(actor), actor, NOUN)

    async def save(self, actor: Actor, name: str, text: str, *, shared: bool = False) -> SavedSearch:
        """Keep a filter under a name; one that the actor has under it is replaced.

        Raises:
            InvalidInput: The name is none, or the text can be no filter.
        """
        plain, filter = checked_name(name, NOUN), check_text(text)
        if not filter:
            raise InvalidInput("there is nothing to save", why="an empty filter shows every packet")
        await asyncio.to_thread(self._saved.save, actor, plain, filter, shared=shared)
        return await self.find(actor, plain)
