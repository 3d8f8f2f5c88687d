"""Searches kept under a name: keep one, choose one, delete one."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Static

from netmon_tui.domain.profile import LONGEST_NAME
from netmon_tui.domain.search import LONGEST_QUERY, SavedSearch
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
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


class SavedSearchList(Dialog[SavedSearch]):
    """One's own saved searches, and those that others share. Gives the one that is chosen.

    Args:
        session: Services and actor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("searches.delete", "delete", "delete", "Delete", "Delete this saved search."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._actor = session.actor
        self._service = session.services.search
        self._saved: dict[str, SavedSearch] = {}
        self._source = MemorySource([column.key for column in COLUMNS])

    def compose(self) -> ComposeResult:
        """The list over the keys."""
        with self.box("Saved searches", id="searches-box") as box:
            box.border_subtitle = content("enter uses it, esc closes")
            empty = "No saved searches yet. ctrl+s in a filter line saves one"
            yield Table(COLUMNS, source=self._source, empty_text=empty, id="searches")
        yield KeyLine()

    def on_mount(self) -> None:
        """Fetch the rows and go to them."""
        self._refresh()
        self.query_one(Table).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what is not to be done with the row under the cursor."""
        chosen = self._chosen
        return action != "delete" or (chosen is not None and chosen.is_changed_by(self._actor)) or None

    @work(exclusive=True, group="searches", exit_on_error=False)
    async def _refresh(self) -> None:
        await self._fetch()

    async def _fetch(self) -> None:
        try:
            usable = await self._service.usable(self._actor)
        except NetmonError as error:
            self.query_one(Table).set_texts(error=str(error))
            return
        self._saved = {one.reference_for(self._actor): one for one in usable}
        self._source.replace(
            Row(reference, (reference, one.text, one.owner, "yes" if one.shared else ""))
            for reference, one in self._saved.items()
        )
        self.refresh_bindings()

    @property
    def _chosen(self) -> SavedSearch | None:
        tables = self.query(Table)
        return self._saved.get(str(tables.first().cursor_key)) if tables else None

    @on(Table.Highlighted)
    def _look_at_keys(self) -> None:
        self.refresh_bindings()

    @on(Table.Opened)
    def _choose(self) -> None:
        self.dismiss(self._chosen)

    @work(exclusive=True, group="search-change", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the saved search under the cursor, after asking."""
        chosen = self._chosen
        if chosen is None:
            return
        text = f"{chosen.name} is deleted for good."
        if not await self.app.push_screen_wait(Confirm("Delete a saved search", text, verb="Delete")):
            return
        try:
            await self._service.delete(self._actor, chosen)
        except NetmonError as error:
            toasts.report(self.app, error)
        await self._fetch()
