"""Searches kept under a name: keep one, choose one, delete one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Static

from netmon_tui.domain.owned import LONGEST_NAME
from netmon_tui.domain.search import LONGEST_QUERY, SavedSearch
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.tick import Tick

COLUMNS = (
    Column("name", "Name", minimum=16, share=2, priority=0),
    Column("query", "Search", minimum=24, share=4, priority=0),
    Column("owner", "Owner", width=8, priority=1),
    Column("shared", "Shared", width=6, priority=1),
)


class SaveSearch(Dialog[SavedSearch]):
    """Asks for a name; stays open until it is accepted. Gives what was saved.

    Args:
        session: Services and actor.
        text: The search.
    """

    def __init__(self, session: Session, text: str) -> None:
        super().__init__()
        self._session = session
        self._text = text

    def compose(self) -> ComposeResult:
        """Fields and buttons."""
        with self.box("Save a search", id="search-form"):
            for label, name, value, most in (
                ("Name", "search-name", "", LONGEST_NAME),
                ("Search", "search-text", self._text, LONGEST_QUERY),
            ):
                with Horizontal(classes="form--row"):
                    yield Label(content(label))
                    yield Input(value, id=name, max_length=most, compact=True)
            yield Tick("Everybody may see and use it", False, id="search-shared", compact=True)
            yield Static("", id="search-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Save", id="save", variant="primary")

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    @work(exclusive=True, group="save-search", exit_on_error=False)
    async def _submit(self) -> None:
        name, text = (field.value for field in self.query(Input))
        shared = self.query_one("#search-shared", Tick).value
        try:
            saved = await self._session.services.search.save(self._session.actor, name, text, shared=shared)
        except NetmonError as error:
            self.query_one("#search-error", Static).update(content(error))
        else:
            self.dismiss(saved)


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
