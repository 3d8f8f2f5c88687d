"""The rules that keep events of the neighbour table from being told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import ClassVar

from textual.binding import BindingType

from netmon_tui.domain.neighbour_event import Mute
from netmon_tui.domain.user import Permission
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("mutes", "Mutes", minimum=30, share=3, priority=0),
    Column("until", "Until", width=16, priority=0),
    Column("by", "By", width=10, priority=1),
)


class MuteList(ListDialog[bool, Mute]):
    """Shows the rules and deletes them.

    Args:
        session: Services and actor.
    """

    NOUN = "a mute rule"
    enter_word = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        command("mute.delete", "delete", "delete", "Delete", "Delete it; what it muted is told again."),
    ]

    def __init__(self, session: Session) -> None:
        empty = "Nothing is muted. m on an event does so"
        super().__init__(session, "Muted events", COLUMNS, id="mutes", hint="esc closes", empty=empty)
        self._service = session.services.segment.events

    async def fetch(self) -> Iterable[Mute]:
        """Return all of them."""
        return await self._service.mutes(self._actor)

    def row(self, kept: Mute) -> Row:
        """Return the line of a rule; one whose time is over says so."""
        until = kept.until
        if until is None:
            return Row(kept.id, (str(kept), "always", kept.created_by))
        if until <= datetime.now(UTC):
            return Row(kept.id, (str(kept), Cell("over", "muted"), kept.created_by), tone="muted")
        return Row(kept.id, (str(kept), f"{until.astimezone():%Y-%m-%d %H:%M}", kept.created_by))

    def allows(self, action: str, kept: Mute) -> bool:
        """Whether the role includes it."""
        return self._actor.may(Permission.MARK_NEIGHBOURS)

    def loss(self, kept: Mute) -> str:
        """Return what comes back."""
        return f"What happens from now on is told again: {kept}."

    async def delete(self, kept: Mute) -> None:
        """Delete it."""
        await self._service.unmute(self._actor, kept.id)
