"""Which time a host is looked at."""

from __future__ import annotations

from datetime import UTC, datetime

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from netmon_tui.domain.moment import parse_moment
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.rendering import content

_LONGEST = 40


class MomentForm(SavingForm[datetime]):
    """Asks for a time; stays open until it is one.

    Args:
        first: What stands in the field to begin with.
    """

    def __init__(self, first: str = "") -> None:
        super().__init__()
        self._first = first

    def compose(self) -> ComposeResult:
        """Field and buttons."""
        with self.box("As it was at"):
            yield Static(content("2026-11-03T14:00, 2026-11-03 (the end of that day), -7d, -12h or -30m"))
            yield Input(self._first, id="moment", max_length=_LONGEST, compact=True)
            yield Static("", id="moment-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Show", id="show", variant="primary")

    def on_mount(self) -> None:
        """Focus the field."""
        self.query_one(Input).focus()

    async def save(self) -> datetime:
        """Return the time that was typed."""
        return parse_moment(self.query_one(Input).value, datetime.now(UTC))
