"""The ignore rules that hold for one: built-in ones, one's own, and those for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import BindingType

from netmon_tui.domain.ignoring import IgnoreRule
from netmon_tui.domain.user import Permission
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("pattern", "Ignores", minimum=30, share=3, priority=0),
    Column("on", "On", width=4, priority=0),
    Column("owner", "Owner", width=9, priority=1),
    Column("everybody", "For all", width=7, priority=1),
    Column("note", "Note", minimum=20, share=2, priority=2),
)


class IgnoreList(ListDialog[bool, IgnoreRule]):
    """Shows the rules, deletes and switches them.

    Args:
        session: Services and actor.
    """

    NOUN = "an ignore rule"
    enter_word = ""
    ON_ROW = frozenset({"switch", "delete"})
    BINDINGS: ClassVar[list[BindingType]] = [
        command("ignore.switch", "s", "switch", "On/off", "Switch a built-in rule on or off, for you alone."),
        command("ignore.delete", "delete", "delete", "Delete", "Delete it; what it hid is told of again."),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Ignore rules", COLUMNS, id="ignore-rules", hint="esc closes")
        self._service = session.services.ignoring

    async def fetch(self) -> Iterable[IgnoreRule]:
        """Return those that hold for the actor."""
        return await self._service.rules(self._actor)

    def row(self, kept: IgnoreRule) -> Row:
        """Return the line of a rule."""
        on, everybody = "yes" if kept.on else "no", "yes" if kept.everybody else ""
        return Row(kept.reference, (str(kept.pattern), on, kept.owner, everybody, kept.note))

    def allows(self, action: str, kept: IgnoreRule) -> bool:
        """Whether it may be deleted; what is built in is switched."""
        if action == "switch":
            return kept.is_built_in and self._actor.may(Permission.SCAN)
        return kept.is_deleted_by(self._actor)

    def why_not(self, action: str, kept: IgnoreRule) -> str:
        """Return what can be done instead."""
        if action == "switch" and not kept.is_built_in:
            return "Only built-in rules are switched; this one can be deleted"
        return "A built-in rule can only be switched" if kept.is_built_in else super().why_not(action, kept)

    def loss(self, kept: IgnoreRule) -> str:
        """Return what comes back."""
        return f"What it hides is told of again: {kept.pattern}."

    async def delete(self, kept: IgnoreRule) -> None:
        """Delete it."""
        await self._service.delete(self._actor, kept.reference)

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_switch(self) -> None:
        """Switch the built-in rule under the cursor on or off."""
        if (rule := self.chosen) is not None:
            await self.carry_out(self._service.switch(self._actor, rule.reference, on=not rule.on))
