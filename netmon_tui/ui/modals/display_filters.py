"""Display filters: keep one under a name, choose one of those or of the recent ones, delete one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType

from netmon_tui.domain.display_filter import LONGEST_FILTER
from netmon_tui.domain.owned import LONGEST_NAME
from netmon_tui.domain.search import SavedSearch
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.modals.named_form import Field, NamedForm
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Name", minimum=12, share=1, priority=0),
    Column("filter", "Filter", minimum=24, share=4, priority=0),
    Column("owner", "Owner", width=8, priority=1),
    Column("shared", "Shared", width=6, priority=1),
)


class SaveDisplayFilter(NamedForm[SavedSearch]):
    """Asks for a name; stays open until it is accepted. Gives what was saved.

    Args:
        session: Services and actor.
        text: The filter.
    """

    def __init__(self, session: Session, text: str) -> None:
        async def save(texts: list[str], shared: bool) -> SavedSearch:
            await session.services.packets.check_filter(texts[1])
            return await session.services.filters.save(session.actor, *texts, shared=shared)

        fields = (Field("Name", "", LONGEST_NAME), Field("Filter", text, LONGEST_FILTER))
        super().__init__("Save a display filter", "display", fields, save)


class DisplayFilterList(ListDialog[str, SavedSearch | str]):
    """One's own, those that others share, and the recent ones, which have no name. Gives the text of one.

    Args:
        session: Services and actor.
    """

    NOUN = "a display filter"
    BINDINGS: ClassVar[list[BindingType]] = [
        command("filters.delete", "delete", "delete", "Delete", "Delete this saved filter."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(
            session,
            "Display filters",
            COLUMNS,
            id="filters",
            hint="enter uses it, esc closes",
            empty="No display filters yet. ctrl+s in the filter line saves one",
        )
        self._service = session.services.filters

    async def fetch(self) -> Iterable[SavedSearch | str]:
        """Return the saved ones, one's own first, then the recent ones, the last first."""
        return [*await self._service.usable(self._actor), *await self._service.recent(self._actor)]

    def row(self, kept: SavedSearch | str) -> Row:
        """Return the line of a filter."""
        if isinstance(kept, str):
            return Row(("recent", kept), ("recent", kept, "", ""))
        reference = kept.reference_for(self._actor)
        return Row(reference, (reference, kept.text, kept.owner, "yes" if kept.shared else ""))

    def allows(self, action: str, kept: SavedSearch | str) -> bool:
        """Whether it may be deleted."""
        return not isinstance(kept, str) and kept.is_changed_by(self._actor)

    def take(self, kept: SavedSearch | str) -> None:
        """Choose it."""
        self.dismiss(kept if isinstance(kept, str) else kept.text)

    def loss(self, kept: SavedSearch | str) -> str:
        """Return what goes."""
        return f"{self._named(kept).name} is deleted for good."

    async def delete(self, kept: SavedSearch | str) -> None:
        """Delete it."""
        await self._service.delete(self._actor, self._named(kept))

    @staticmethod
    def _named(kept: SavedSearch | str) -> SavedSearch:
        assert not isinstance(kept, str), "recent ones are not deleted"
        return kept
