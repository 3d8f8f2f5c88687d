"""The library of capture filters: built-in ones, one's own, shared and recent ones; keep one under a name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from netmon_tui.domain.capture_filter_library import LONGEST_FILTER, CaptureFilter, SaveCaptureFilter
from netmon_tui.domain.owned import LONGEST_DESCRIPTION, LONGEST_NAME
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.modals.named_form import Field, NamedForm
from netmon_tui.ui.rendering import content_block
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Name", minimum=16, share=2, priority=0),
    Column("filter", "Filter", minimum=20, share=3, priority=0),
    Column("meaning", "Meaning", minimum=30, share=3, priority=1),
    Column("owner", "Owner", width=8, priority=2),
    Column("shared", "Shared", width=6, priority=2),
)


class CaptureFilterForm(NamedForm[CaptureFilter]):
    """Asks for name and meaning; stays open until they are accepted. Gives what was saved.

    Args:
        session: Services and actor.
        first: What stands there to begin with.
        kept: The one that is changed; None makes a new one, or replaces one's own of that name.
        interface: What the filter is to be used on; Ethernet when empty.
    """

    def __init__(
        self,
        session: Session,
        first: SaveCaptureFilter,
        *,
        kept: CaptureFilter | None = None,
        interface: str = "",
    ) -> None:
        actor, service = session.actor, session.services.capture_filters

        async def save(texts: list[str], shared: bool) -> CaptureFilter:
            await service.check(texts[1], interface)
            new = SaveCaptureFilter(*texts)
            if kept is None:
                return await service.save(actor, new, shared=shared)
            return await service.change(actor, kept, new, shared=shared)

        fields = (
            Field("Name", first.name, LONGEST_NAME),
            Field("Filter", first.text, LONGEST_FILTER),
            Field("Meaning", first.meaning, LONGEST_DESCRIPTION),
        )
        title = "Save a capture filter" if kept is None else "Change a capture filter"
        super().__init__(title, "capture-filter", fields, save, shared=kept is not None and kept.shared)


class CaptureFilterList(ListDialog[str, CaptureFilter | str]):
    """One's own, those that others share, the recent ones, which have no name, and the built-in ones.

    Gives the text of one.

    Args:
        session: Services and actor.
        interface: What the filter is to be used on; Ethernet when empty.
    """

    NOUN = "a capture filter"
    ON_ROW = frozenset({"edit", "delete"})
    BINDINGS: ClassVar[list[BindingType]] = [
        command(
            "capture_filters.edit",
            "e",
            "edit",
            "Edit",
            "Change it, or a copy of it.",
        ),
        command("capture_filters.delete", "delete", "delete", "Delete", "Delete this saved filter."),
    ]

    def __init__(self, session: Session, interface: str = "") -> None:
        hint = "/ filters, enter takes it, esc closes"
        super().__init__(session, "Capture filters", COLUMNS, id="capture-filters", hint=hint)
        self._service = session.services.capture_filters
        self._interface = interface

    def compose_below(self) -> ComposeResult:
        """The whole of the row under the cursor."""
        yield Static("", id="capture-filter-about")

    async def fetch(self) -> Iterable[CaptureFilter | str]:
        """Return what has a name by whose it is, with the recent ones before the built-in ones."""
        usable = await self._service.usable(self._actor)
        kept = [one for one in usable if not one.is_built_in]
        built_in = [one for one in usable if one.is_built_in]
        return [*kept, *await self._service.recent(self._actor), *built_in]

    def row(self, kept: CaptureFilter | str) -> Row:
        """Return the line of a filter."""
        if isinstance(kept, str):
            return Row(("recent", kept), ("recent", kept, "", "", ""))
        reference = kept.reference_for(self._actor)
        shared = "yes" if kept.shared and not kept.is_built_in else ""
        return Row(reference, (reference, kept.text, kept.meaning, kept.owner, shared))

    def look_at_row(self) -> None:
        """Show the filter, its meaning and its words in full, and what can be done with it."""
        super().look_at_row()
        chosen = self.chosen
        text = chosen if isinstance(chosen, str) else chosen.text if chosen else ""
        meaning = "" if isinstance(chosen, str) or chosen is None else chosen.meaning
        lines = filter(None, (text, meaning, self._service.in_words(text)))
        self.query_one("#capture-filter-about", Static).update(content_block("\n".join(lines)))

    def allows(self, action: str, kept: CaptureFilter | str) -> bool:
        """Whether it may be changed; what may not be is copied instead."""
        return action == "edit" or self._is_mine(kept)

    def why_not(self, action: str, kept: CaptureFilter | str) -> str:
        """Return what it is."""
        if isinstance(kept, str):
            return "Recent filters go by themselves; e keeps this one under a name"
        if kept.is_built_in:
            return "Built-in filters stay; e makes a copy of this one that is your own"
        return super().why_not(action, kept)

    def _is_mine(self, kept: CaptureFilter | str) -> bool:
        return not isinstance(kept, str) and kept.is_changed_by(self._actor)

    def take(self, kept: CaptureFilter | str) -> None:
        """Choose it."""
        self.dismiss(kept if isinstance(kept, str) else kept.text)

    def loss(self, kept: CaptureFilter | str) -> str:
        """Return what goes."""
        return f"{self._named(kept).name} is deleted for good. Captures that were made with it stay."

    async def delete(self, kept: CaptureFilter | str) -> None:
        """Delete it."""
        await self._service.delete(self._actor, self._named(kept))

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_edit(self) -> None:
        """Change the filter under the cursor; of a recent one, or one that others have, make a copy."""
        if (chosen := self.chosen) is None:
            return
        if isinstance(chosen, str):
            first, kept = SaveCaptureFilter("", chosen, ""), None
        else:
            first = SaveCaptureFilter(chosen.name, chosen.text, chosen.meaning)
            kept = chosen if self._is_mine(chosen) else None
        form = CaptureFilterForm(self._session, first, kept=kept, interface=self._interface)
        changed: CaptureFilter | None = await self.app.push_screen_wait(form)
        await self.show(changed)

    @staticmethod
    def _named(kept: CaptureFilter | str) -> CaptureFilter:
        assert not isinstance(kept, str), "recent ones have no name"
        return kept
