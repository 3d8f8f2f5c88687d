"""An event that nobody wants to be told of again: how widely, and for how long."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Label, OptionList, Select, Static
from textual.widgets.option_list import Option

from netmon_tui.domain.neighbour_event import Mute, NeighbourEvent
from netmon_tui.domain.neighbour_event_words import sentence
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session

_TIMES = (("always", ""), ("1 hour", "1h"), ("8 hours", "8h"), ("1 day", "1d"), ("7 days", "7d"))


class MuteForm(SavingForm[Mute]):
    """Offers what an event can be muted by, the narrowest first. Gives the rule that was stored.

    Args:
        session: Services and actor.
        event: The event.
    """

    def __init__(self, session: Session, event: NeighbourEvent) -> None:
        super().__init__()
        self._session = session
        self._event = event
        self._mutes = Mute.offered_for(event)

    def compose(self) -> ComposeResult:
        """The choice over the time."""
        with self.box("Mute", id="mute-form"):
            yield Static(content(sentence(self._event)), classes="form--told")
            yield Static(content("Keep, but do not tell of this any more:"))
            options = [Option(content(str(mute))) for mute in self._mutes]
            yield OptionList(*options, id="mute-rules", compact=True, markup=False)
            with Horizontal(classes="form--row"):
                yield Label(content("For how long"))
                times = [(content(words), value) for words, value in _TIMES]
                yield Select(times, value="", allow_blank=False, id="mute-time", compact=True)
            yield Static("", id="mute-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Mute", id="mute", variant="primary")

    def on_mount(self) -> None:
        """Begin at the narrowest."""
        choice = self.query_one("#mute-rules", OptionList)
        choice.highlighted = 0
        choice.focus()

    @on(OptionList.OptionSelected, "#mute-rules")
    def _chosen(self) -> None:
        self.submit()

    async def save(self) -> Mute:
        """Store the rule."""
        mute = self._mutes[self.query_one("#mute-rules", OptionList).highlighted or 0]
        lasting = self.query_one("#mute-time", Select).value
        service, actor = self._session.services.segment.events, self._session.actor
        return await service.mute(actor, mute, lasting if isinstance(lasting, str) else "")
