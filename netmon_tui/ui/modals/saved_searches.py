"""Searches kept under a name: keep one, choose one, delete one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType

from netmon_tui.domain.owned import LONGEST_NAME
from netmon_tui.domain.search import LONGEST_QUERY, SavedSearch
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.modals.named_form import Field, NamedForm
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Name", minimum=16, share=2, priority=0),
    Column("query", "Search", minimum=24, share=4, priority=0),
    Column("owner", "Owner", width=8, priority=1),
    Column("shared", "Shared", width=6, priority=1),
)


class SaveSearch(NamedForm[SavedSearch]):
    """Asks for a name; stays open until it is accepted. Gives what was saved.

    Args:
        session: Services and actor.
        text: The search.
    """

    def __init__(self, session: Session, text: str) -> None:
        async def save(texts: list[str], shared: bool) -> SavedSearch:
            return await session.services.search.save(session.actor, *texts, shared=shared)

        fields = (Field("Name", "", LONGEST_NAME), Field("Search", text, LONGEST_QUERY))
        super().__init__("Save a search", "search", fields, save)


class SavedSearchList(ListDialog[SavedSearch, SavedSearch]):
    """One's own saved searches, and those that others share. Gives the one that is chosen.

    Args:
        session: Services and actor.
    """

    NOUN = "a saved search"
    BINDINGS: ClassVar[list[BindingType]] = [
        command("searches.delete", "delete", "delete", "Delete", "Delete this saved search."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(
            session,
            "Saved searches",
            COLUMNS,
            id="searches",
            hint="enter uses it, esc closes",
            empty="No saved searches yet. ctrl+s in a filter line saves one",
        )
        self._service = session.services.search

    async def fetch(self) -> Iterable[SavedSearch]:
        """Return them, one's own first."""
        return await self._service.usable(self._actor)

    def row(self, kept: SavedSearch) -> Row:
        """Return the line of a search, under the name that it has for the actor."""
        reference = kept.reference_for(self._actor)
        return Row(reference, (reference, kept.text, kept.owner, "yes" if kept.shared else ""))

    def allows(self, action: str, kept: SavedSearch) -> bool:
        """Whether it may be deleted."""
        return kept.is_changed_by(self._actor)

    def take(self, kept: SavedSearch) -> None:
        """Choose it."""
        self.dismiss(kept)

    def loss(self, kept: SavedSearch) -> str:
        """Return what goes."""
        return f"{kept.name} is deleted for good."

    async def delete(self, kept: SavedSearch) -> None:
        """Delete it."""
        await self._service.delete(self._actor, kept)
