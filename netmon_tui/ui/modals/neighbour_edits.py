"""What was done to the kernel's neighbour table, to be undone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from textual.app import ComposeResult
from textual.widgets import Static

from netmon_tui.domain.neighbour_edit import NeighbourEdit
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.rendering import ASCII_CLASS, content_block, state_style, thin, when
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("id", "Edit", width=5, align="right", priority=0),
    Column("when", "When", width=10, priority=1),
    Column("kind", "What", width=8, priority=0),
    Column("subject", "Of", minimum=18, share=3, priority=0),
    Column("entries", "Entries", width=7, align="right", priority=1),
    Column("result", "Result", minimum=12, share=1, priority=0),
    Column("owner", "Who", width=8, priority=2),
)
_SHOWN_COMMANDS = 3


class NeighbourEdits(ListDialog[int, NeighbourEdit]):
    """One's own edits on this machine; an administrator's list has everybody's. Gives the one to undo.

    Args:
        session: Services and actor.
    """

    NOUN = "an edit"
    enter_word = "Undo"
    ON_ROW = frozenset()

    def __init__(self, session: Session) -> None:
        super().__init__(
            session,
            "Edits of the neighbour table",
            COLUMNS,
            id="neighbour-edits",
            hint="enter undoes it, esc closes",
            empty="Nothing was edited here yet",
        )

    def compose_below(self) -> ComposeResult:
        """The commands of the edit under the cursor."""
        yield Static("", id="neighbour-edit-about")

    async def fetch(self) -> Iterable[NeighbourEdit]:
        """Return the latest ones."""
        return await self._session.services.segment.editing.edits(self._actor)

    def row(self, kept: NeighbourEdit) -> Row:
        """Return the line of an edit."""
        look = state_style(_word(kept))
        cells = (
            str(kept.id),
            when(kept.time, datetime.now(UTC)),
            kept.kind.value,
            kept.subject,
            thin(kept.entries),
            Cell(look.label(self.app.has_class(ASCII_CLASS)), look.tone),
            kept.owner,
        )
        return Row(kept.id, cells)

    def look_at_row(self) -> None:
        """Say what was done, and what the kernel refused."""
        self.query_one("#neighbour-edit-about", Static).update(content_block(_about(self.chosen)))
        super().look_at_row()

    def take(self, kept: NeighbourEdit) -> None:
        """Undo it, if that can be."""
        if kept.undone_by is None and kept.entries:
            self.dismiss(kept.id)


def _word(edit: NeighbourEdit) -> str:
    if edit.result:
        return "partial" if edit.entries else "failed"
    return "unknown" if edit.result is None else "undone" if edit.undone_by else "done"


def _about(edit: NeighbourEdit | None) -> str:
    if edit is None:
        return ""
    lines = edit.command.splitlines()
    more = [f"and {len(lines) - _SHOWN_COMMANDS} lines more"] if len(lines) > _SHOWN_COMMANDS else []
    undone = [f"undone by edit {edit.undone_by}"] if edit.undone_by else []
    return "\n".join([*([edit.result] if edit.result else []), *undone, *lines[:_SHOWN_COMMANDS], *more])
