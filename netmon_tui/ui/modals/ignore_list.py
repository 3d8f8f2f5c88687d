"""The ignore rules that hold for one: built-in ones, one's own, and those for everybody."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.ignoring import IgnoreRule
from netmon_tui.domain.user import Permission
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

COLUMNS = (
    Column("pattern", "Ignores", minimum=30, share=3, priority=0),
    Column("on", "On", width=4, priority=0),
    Column("owner", "Owner", width=9, priority=1),
    Column("everybody", "For all", width=7, priority=1),
    Column("note", "Note", minimum=20, share=2, priority=2),
)


class IgnoreList(Dialog[bool]):
    """Shows the rules, deletes and switches them.

    Args:
        session: Services and actor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("ignore.switch", "s", "switch", "On/off", "Switch a built-in rule on or off, for you alone."),
        command("ignore.delete", "delete", "delete", "Delete", "Delete it; what it hid is told of again."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._actor = session.actor
        self._service = session.services.ignoring
        self._rules: dict[str, IgnoreRule] = {}
        self._source = MemorySource([column.key for column in COLUMNS])

    def compose(self) -> ComposeResult:
        """The list over the keys."""
        with self.box("Ignore rules", id="ignore-box") as box:
            box.border_subtitle = content("esc closes")
            yield Table(COLUMNS, source=self._source, id="ignore-rules")
        yield KeyLine()

    def on_mount(self) -> None:
        """Fetch the rows and go to them."""
        self._refresh()
        self.query_one(Table).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what is not to be done with the row under the cursor."""
        rule = self._rule
        if action == "switch":
            return (rule is not None and rule.is_built_in and self._actor.may(Permission.SCAN)) or None
        if action == "delete":
            return (rule is not None and rule.is_deleted_by(self._actor)) or None
        return True

    @work(exclusive=True, group="ignore-rules", exit_on_error=False)
    async def _refresh(self) -> None:
        await self._fetch()

    async def _fetch(self) -> None:
        try:
            found = await self._service.rules(self._actor)
        except NetmonError as error:
            self.query_one(Table).set_texts(error=str(error))
            return
        self._rules = {rule.reference: rule for rule in found}
        self._source.replace(_row(rule) for rule in found)
        self.refresh_bindings()

    @property
    def _rule(self) -> IgnoreRule | None:
        tables = self.query(Table)
        return self._rules.get(str(tables.first().cursor_key)) if tables else None

    @on(Table.Highlighted)
    def _look_at_keys(self) -> None:
        self.refresh_bindings()

    @work(exclusive=True, group="ignore-change", exit_on_error=False)
    async def action_switch(self) -> None:
        """Switch the built-in rule under the cursor on or off."""
        if (rule := self._rule) is not None:
            try:
                await self._service.switch(self._actor, rule.reference, on=not rule.on)
            except NetmonError as error:
                toasts.report(self.app, error)
            await self._fetch()

    @work(exclusive=True, group="ignore-change", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the rule under the cursor, after asking."""
        rule = self._rule
        if rule is None:
            return
        text = f"What it hides is told of again: {rule.pattern}."
        if not await self.app.push_screen_wait(Confirm("Delete an ignore rule", text, verb="Delete")):
            return
        try:
            await self._service.delete(self._actor, rule.reference)
        except NetmonError as error:
            toasts.report(self.app, error)
        await self._fetch()


def _row(rule: IgnoreRule) -> Row:
    everybody = "yes" if rule.everybody else ""
    return Row(
        rule.reference, (str(rule.pattern), "yes" if rule.on else "no", rule.owner, everybody, rule.note)
    )
