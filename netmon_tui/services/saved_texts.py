"""What saved searches and saved display filters have in common: who sees one, and who may delete it."""

from __future__ import annotations

import asyncio

from netmon_tui.domain.search import SavedSearch
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NotAllowed
from netmon_tui.storage.saved_search_repository import SavedSearchRepository


class SavedTexts:
    """Texts that users keep under names and may share.

    Args:
        saved: Where they are.
        noun: What one is called.
    """

    def __init__(self, saved: SavedSearchRepository, noun: str) -> None:
        self._saved = saved
        self._noun = noun

    async def usable(self, actor: Actor) -> list[SavedSearch]:
        """Return what the actor has saved, then what others share."""
        return await asyncio.to_thread(self._saved.usable, actor)

    async def delete(self, actor: Actor, saved: SavedSearch) -> None:
        """Delete one.

        Raises:
            NotAllowed: It is another's.
            NotFound: It is gone.
        """
        if not saved.is_changed_by(actor):
            raise NotAllowed(f"{saved.name} is a {self._noun} of {saved.owner}")
        await asyncio.to_thread(self._saved.delete, actor, saved)
