"""A line of a comparison that is noise: how widely it is ignored from now on."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from netmon_tui.domain.comparison import ChangeLine
from netmon_tui.domain.ignoring import LONGEST_NOTE, IgnorePattern, IgnoreRule, patterns_for
from netmon_tui.domain.user import Permission
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.tick import Tick


class IgnoreForm(SavingForm[IgnoreRule]):
    """Offers what a line can be ignored by, the narrowest first. Gives the rule that was stored.

    Args:
        session: Services and actor.
        line: The line.
    """

    def __init__(self, session: Session, line: ChangeLine) -> None:
        super().__init__()
        self._session = session
        self._line = line
        self._patterns: Sequence[IgnorePattern] = tuple(patterns_for(line))

    def compose(self) -> ComposeResult:
        """The choice over a note."""
        line = self._line
        with self.box("Ignore a change", id="ignore-form"):
            told = f"{line.what} on {line.address}: {line.before or 'nothing'} -> {line.after or 'nothing'}"
            yield Static(content(told), classes="form--told")
            yield Static(content("Do not tell of this any more:"))
            options = [Option(content(str(pattern))) for pattern in self._patterns]
            yield OptionList(*options, id="ignore-patterns", compact=True, markup=False)
            with Horizontal(classes="form--row"):
                yield Label(content("Note"))
                yield Input(id="ignore-note", max_length=LONGEST_NOTE, compact=True)
            if self._session.actor.may(Permission.SEE_ALL):
                yield Tick("For everybody", False, id="ignore-everybody", compact=True)
            yield Static("", id="ignore-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Ignore", id="ignore", variant="primary")

    def on_mount(self) -> None:
        """Begin at the narrowest."""
        choice = self.query_one(OptionList)
        choice.highlighted = 0
        choice.focus()

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self.submit()

    async def save(self) -> IgnoreRule:
        """Store the rule."""
        pattern = self._patterns[self.query_one(OptionList).highlighted or 0]
        everybody = any(tick.value for tick in self.query(Tick))
        service, actor = self._session.services.ignoring, self._session.actor
        return await service.create(actor, pattern, self.query_one(Input).value, everybody=everybody)
