"""The base of dialogs that list what somebody keeps: fetched, gone through, changed and deleted in one way."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.events import Key

from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.dialog import Dialog, Result
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

Kept = TypeVar("Kept")


class ListDialog(Dialog[Result], Generic[Result, Kept]):
    """A table over the keys. Enter takes the row under the cursor; what that means is the list's to say.

    Args:
        session: Services and actor.
        title: What is listed.
        columns: Of the table.
        id: Of the table; the frame's is that and ``-box``.
        hint: What enter and escape do.
        empty: What stands in the place of no rows.
    """

    ON_ROW: ClassVar[frozenset[str]] = frozenset({"delete"})
    """Actions that are done with the row under the cursor."""
    NOUN: ClassVar[str]
    """One of what is listed, with its article."""
    enter_word: str = "Use"
    """What enter does with the row under the cursor; empty where it does nothing."""

    def __init__(
        self, session: Session, title: str, columns: Sequence[Column], *, id: str, hint: str, empty: str = ""
    ) -> None:
        super().__init__()
        self._session = session
        self._actor = session.actor
        self._title, self._hint = title, hint
        self._kept: dict[object, Kept] = {}
        self._source = MemorySource([column.key for column in columns])
        self._table = Table(columns, source=self._source, empty_text=empty, id=id)

    def compose(self) -> ComposeResult:
        """The list over the keys."""
        with self.box(self._title, id=f"{self._table.id}-box") as box:
            box.border_subtitle = content(self._hint)
            yield self._table
            yield from self.compose_below()

    def compose_below(self) -> ComposeResult:
        """Nothing; a list that has more to say of a row says it under the table."""
        yield from ()

    def on_mount(self) -> None:
        """Fetch the rows and go to them."""
        self._refresh()
        self._table.focus()

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """What can be pressed; on a row enter is called what it does here, not what it does in other tables."""
        found, tooltip = dict(super().active_bindings), f"{self.enter_word} {self.NOUN}."
        for key, one in [(key, one) for key, one in found.items() if one.binding.id == "table.open"]:
            told = replace(one.binding, description=self.enter_word, tooltip=tooltip)
            found[key] = one._replace(binding=told, tooltip=tooltip)
            if not self.enter_word:
                del found[key]
        return found

    # what a list says of itself

    async def fetch(self) -> Iterable[Kept]:
        """Return all that is listed, in its order; raises NetmonError."""
        raise NotImplementedError

    def row(self, kept: Kept) -> Row:
        """Return the line of one."""
        raise NotImplementedError

    async def delete(self, kept: Kept) -> None:
        """Delete one; raises NetmonError."""
        raise NotImplementedError

    def loss(self, kept: Kept) -> str:
        """Return what it means that one is deleted."""
        raise NotImplementedError

    def allows(self, action: str, kept: Kept) -> bool:
        """Whether the actor may do with one what :attr:`ON_ROW` names."""
        raise NotImplementedError

    def why_not(self, action: str, kept: Kept) -> str:
        """Return why the actor may not, for one who tries."""
        return "Only its owner or an administrator may do that; what is built in stays as it is"

    def take(self, kept: Kept) -> None:
        """Do what enter does: nothing."""

    # rows

    @work(exclusive=True, group="list", exit_on_error=False)
    async def _refresh(self) -> None:
        await self.refresh_rows()

    async def refresh_rows(self) -> None:
        """Fetch the rows; what goes wrong stands in their place."""
        try:
            found = list(await self.fetch())
        except NetmonError as error:
            self._table.set_texts(error=str(error))
            return
        rows = [self.row(kept) for kept in found]
        self._kept = {row.key: kept for row, kept in zip(rows, found, strict=True)}
        self._source.replace(rows)
        self.look_at_row()

    async def show(self, kept: Kept | None) -> None:
        """Fetch the rows and go to the one that was made or changed; None changes nothing."""
        if kept is not None:
            await self.refresh_rows()
            self._table.move_to_key(self.row(kept).key)

    @property
    def chosen(self) -> Kept | None:
        """What the cursor is on."""
        return self._kept.get(self._table.cursor_key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what is not to be done with the row under the cursor."""
        if action not in self.ON_ROW:
            return True
        chosen = self.chosen
        return (chosen is not None and self.allows(action, chosen)) or None

    def on_key(self, event: Key) -> None:
        """Say why a key that is grey does nothing."""
        chosen = self.chosen
        if chosen is None or not self._table.grid.has_focus:
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if binding.action in self.ON_ROW and not self.allows(binding.action, chosen):
                event.stop()
                toasts.tell(self.app, self.why_not(binding.action, chosen))

    @on(Table.Highlighted)
    def _highlighted(self) -> None:
        self.look_at_row()

    def look_at_row(self) -> None:
        """Offer what can be done with the row under the cursor."""
        self.refresh_bindings()

    @on(Table.Opened)
    def _opened(self) -> None:
        if (chosen := self.chosen) is not None:
            self.take(chosen)

    # changes

    async def carry_out(self, change: Awaitable[object]) -> None:
        """Do something with a row, tell why it failed if it did, and fetch the rows again."""
        try:
            await change
        except NetmonError as error:
            toasts.report(self.app, error)
        await self.refresh_rows()

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete what is under the cursor, after asking."""
        if (chosen := self.chosen) is None:
            return
        question = Confirm(f"Delete {self.NOUN}", self.loss(chosen), verb="Delete")
        if await self.app.push_screen_wait(question):
            await self.carry_out(self.delete(chosen))
