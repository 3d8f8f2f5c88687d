"""What narrows the questions about a capture (filters, the step of the graph, TLS keys), and the line for it."""

from __future__ import annotations

from dataclasses import replace

from textual import on, work
from textual.widgets import Input

from netmon_tui.domain.analysis import QUESTIONS, Asked, find_question
from netmon_tui.errors import InvalidInput, NetmonError
from netmon_tui.ui.rendering import Tone, thin
from netmon_tui.ui.screens.above_capture import AboveCapture
from netmon_tui.ui.screens.tls_keys import WAYS, TlsKeys
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.table import Table

_LINES = {
    "filter": "Display filter: only these packets count",
    "series": "Filters of the I/O graph, with ; between them",
    "step": "Seconds of a step of the I/O graph; empty for some sixty steps",
    "keys": WAYS,
}
"""What the line is asked for, and the words in it."""


class LimitedAnalysis(AboveCapture):
    """Knows what is asked and its limits, says them, and asks for others.

    Args:
        session: Services and actor.
        capture_id: Of the capture.
    """

    def __init__(self, session: Session, capture_id: int) -> None:
        super().__init__(session, id="analysis")
        self._capture_id = capture_id
        self._asked = Asked(QUESTIONS[0])
        """What was asked last; a new question keeps its limits."""
        self._line = "filter"
        """What the line is asked for."""

    def _ask(self) -> None:
        """Ask with the present limits."""
        raise NotImplementedError

    @property
    def _subject(self) -> Asked | None:
        """What is asked, or else what the answer that is shown answers; None without either."""
        raise NotImplementedError

    def _say(self) -> None:
        """Say what is asked or answered, and its limits."""
        subject = self._subject
        asked = subject or self._asked
        words = [f"{asked.question.group}: {asked.question.label}"] if subject else ["Analysis"]
        words += [f"only {asked.filter}"] if asked.filter else []
        words += [f"steps of {asked.interval:g} s"] if asked.interval else []
        words += [f"{number} = {text}" for number, text in enumerate(asked.series, 1)]
        self.query_one("#analysis-title", Figure).show(f"Capture {self._capture_id} · " + " · ".join(words))

    def _state(self, text: str, tone: Tone = "") -> None:
        figure = self.query_one("#analysis-state", Figure)
        figure.set_class(len(text) > self.size.width - 2, "-long")
        figure.show(text, tone)

    def action_line(self, name: str) -> None:
        """Ask for the filter, the graph's filters or step, or the keys."""
        line, asked = self.query_one("#analysis-line", Input), self._asked
        self._line = name
        step = f"{asked.interval:g}" if asked.interval else ""
        present = {"filter": asked.filter, "series": " ; ".join(asked.series), "step": step, "keys": ""}
        line.placeholder, line.value = _LINES[name], present[name]
        line.remove_class("-invalid")
        self.add_class("-line")
        line.focus()
        if name == "keys":
            self._tell_kept(line)

    @work(exclusive=True, group="analysis-kept", exit_on_error=False)
    async def _tell_kept(self, line: Input) -> None:
        """Say in the empty line how many keys there are."""
        try:
            count = await self.session.services.packets.keys.count(self.session.actor, self._capture_id)
        except NetmonError as error:
            self._state(str(error), "error")
            return
        if self._line == "keys":
            line.placeholder = f"{thin(count)} kept. {_LINES['keys']}"

    @on(Input.Submitted, "#analysis-line")
    def _limited(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if self._line == "keys":
            self._keep_keys(text)
            return
        try:
            asked = self._asked_with(text)
        except InvalidInput as error:
            self._refuse(error)
        else:
            self._take(asked)

    def _asked_with(self, text: str) -> Asked:
        """Return what is to be asked with what stands in the line."""
        if self._line == "filter":
            return replace(self._asked, filter=text)
        if self._line == "step":
            return replace(self._asked, question=find_question("io"), interval=_seconds(text))
        series = tuple(part.strip() for part in text.split(";") if part.strip())
        return replace(self._asked, question=find_question("io"), series=series)

    @work(exclusive=True, group="analysis-line", exit_on_error=False)
    async def _take(self, asked: Asked) -> None:
        """Ask something else; where that is wrong the line stays, and what is asked stays as it was."""
        try:
            await self.session.services.analysis.check(asked)
        except NetmonError as error:
            self._refuse(error)
            return
        if self.has_class("-line"):  # nobody has left it meanwhile
            self._asked = asked
            self._leave_line()
            self._ask()

    def _refuse(self, error: NetmonError) -> None:
        self._state(str(error), "error")
        self.query_one("#analysis-line", Input).set_class(isinstance(error, InvalidInput), "-invalid")

    @on(Input.Changed, "#analysis-line")
    def _retyped(self, event: Input.Changed) -> None:
        event.input.remove_class("-invalid")

    @work(exclusive=True, group="analysis-keys", exit_on_error=False)
    async def _keep_keys(self, text: str) -> None:
        """Keep the keys of a file with the capture, or remove those that are kept, and ask again."""
        try:
            is_done = await TlsKeys(self.session, self.app).take(self._capture_id, text)
        except NetmonError as error:
            self._state(str(error), "error")
            return
        if is_done:
            self._leave_line()
            self._ask()

    def _leave_line(self) -> None:
        self.remove_class("-line")
        answer = self.query_one_optional("#answer", Table) if self.has_class("-answered") else None
        (self.query_one("#questions", Table) if answer is None else answer).focus()


def _seconds(text: str) -> float:
    try:
        return float(text or 0)
    except ValueError as error:
        raise InvalidInput("A step is a number of seconds: 0.5") from error
