"""Questions about a whole capture and their answers, each line of which can become a filter of the packets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.worker import Worker, WorkerState

from netmon_tui.domain.analysis import QUESTIONS, Analysis, AnalysisRow, Asked, Question, has_times
from netmon_tui.domain.display_filter import LONGEST_FILTER
from netmon_tui.domain.stream import Follow
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.messages import ApplyDisplayFilter
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.rendering import ASCII_CLASS, thin
from netmon_tui.ui.screens.analysis_limits import LimitedAnalysis
from netmon_tui.ui.screens.stream import StreamScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.analysis_rows import columns_of, rows_of
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.line_input import LineInput
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

HELP = (
    "The questions are what can be asked of the whole capture. enter asks; tshark reads the file, and esc stops\n"
    "it. The answer stands beside them, or in their place where the screen is narrow; esc leads back. enter on\n"
    "a line goes back to the packets and shows only those it is about, F puts the stream of a TCP or UDP\n"
    "conversation together, s, c and H take the address under the cursor.\n\n"
    "d limits all questions to packets that meet a display filter (tcp.port == 443). w counts packets for\n"
    "themselves in the I/O graph: filters with ; between them. i sets the seconds of its steps. ctrl+t shows\n"
    "times by the clock, or since the first packet. K keeps TLS keys with the capture.\n\n"
    "Addresses of Ethernet and IP are counted without tshark, and at once, where no filter limits them and no\n"
    "packet may be a tunnel; the line above the answer says so."
)
_MENU = (Column("group", "Kind", width=14, priority=0), Column("label", "Question", minimum=12, priority=0))
_STREAMS = {"conversations:tcp": "tcp", "conversations:udp": "udp"}


@dataclass(slots=True)
class AnalysisPlace:
    """What lasts when the analysis of a capture is left."""

    question: str = QUESTIONS[0].name
    """The one that was asked last."""
    clock: bool = False
    """Whether times are those of the clock."""


class AnalysisScreen(LimitedAnalysis):
    """A list of questions beside the answer to one.

    Args:
        session: Services and actor.
        capture_id: Of the capture.
        interface: Where it was captured, for captures of addresses in it.
        place: Where one was when it was left; kept up to date.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        command("analysis.back", "escape", "back", "Back", "Stop tshark, or back.", show=False),
        command("analysis.follow", "F", "follow", "Stream", "Put the stream of this conversation together."),
        command("analysis.filter", "d", "line('filter')", "Limit", "Count only what meets a display filter."),
        command("analysis.series", "w", "line('series')", "Graph", "Filters of their own in the I/O graph."),
        command("analysis.step", "i", "line('step')", "Step", "Seconds of a step of the I/O graph."),
        command(
            "analysis.time_form",
            "ctrl+t",
            "time_form",
            "Clock",
            "Times by the clock, or since the first packet.",
        ),
        command(
            "analysis.keys",
            "K",
            "line('keys')",
            "TLS keys",
            "Keep TLS keys with the capture, or remove them.",
            show=False,
        ),
        command("analysis.scan", "s", "scan", "Scan", "Scan the address under the cursor.", show=False),
        command("analysis.capture", "c", "capture", "Capture", "Capture this address.", show=False),
        command("analysis.host", "H", "host", "Host", "Show what is known of this address.", show=False),
        command("analysis.help", "question_mark,f1", "help", "Help", "Show what this is and all its keys."),
    ]

    def __init__(
        self, session: Session, capture_id: int, interface: str = "", place: AnalysisPlace | None = None
    ) -> None:
        super().__init__(session, capture_id)
        self._interface = interface
        self._place = place or AnalysisPlace()
        self._answer: Analysis | None = None
        """What the table of the answer shows; None while there is none, or another takes its place."""
        self._answered = self._asked
        """What it answers: not what was asked last where that failed or was stopped."""
        self._asking: Worker[None] | None = None
        self._questions = QUESTIONS
        """What can be asked."""
        self._menu = MemorySource([column.key for column in _MENU], map(_menu_row, QUESTIONS))

    def compose(self) -> ComposeResult:
        """Limit, state, questions, answer, keys."""
        self.prepare()
        yield Figure(id="analysis-title")
        yield Figure(id="analysis-state")
        yield LineInput(compact=True, max_length=LONGEST_FILTER, id="analysis-line")
        with Horizontal(id="analysis-parts"):
            yield Table(_MENU, source=self._menu, sorts=False, id="questions")
            yield Vertical(id="analysis-answer")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin with the questions."""
        self._show_questions()
        self.query_one("#questions", Table).move_to_key(self._place.question, later=True)
        self._list_questions()

    def _show_questions(self) -> None:
        """Go to the questions; what is said above is the answer's only as long as that is seen."""
        self.remove_class("-answered")
        self._say()
        if self._subject is None:
            self._state("enter asks; ? explains")
        self.query_one("#questions", Table).focus()

    @property
    def _subject(self) -> Asked | None:
        if self._asking is not None and not self._asking.is_finished:
            return self._asked
        seen = self._answer is not None and (self.has_class("-answered") or self.has_class("-wide"))
        return self._answered if seen else None

    @work(exclusive=True, group="analysis-questions", exit_on_error=False)
    async def _list_questions(self) -> None:
        """Leave out what the installed tshark cannot answer, and add what else it can."""
        try:
            questions = await self.session.services.analysis.questions()
        except NetmonError as error:
            self._state(str(error), "error")
            return
        if questions != self._questions:
            self._questions = questions
            self._menu.replace(map(_menu_row, questions))
            self.query_one("#questions", Table).refresh_changed()

    # asking

    @on(Table.Opened, "#questions")
    def _open_question(self, event: Table.Opened) -> None:
        question = next(one for one in self._questions if one.name == event.key)
        self._place.question = question.name
        limits = self._asked if question.name == "io" else Asked(question)
        self._asked = replace(self._asked, question=question, series=limits.series, interval=limits.interval)
        self._ask()

    def _ask(self) -> None:
        self._asking = self._read(self._asked)
        self._say()

    @work(exclusive=True, group="analysis", exit_on_error=False)
    async def _read(self, asked: Asked) -> None:
        self._state("tshark reads the capture; esc stops it", "accent")
        try:
            answer = await self.session.services.analysis.ask(
                self.session.actor,
                self._capture_id,
                asked,
                lambda part: self._state(f"tshark reads the capture: {part:.0%}; esc stops it", "accent"),
            )
        except NetmonError as error:
            self._state(str(error), "error")
            return
        await self._show(asked, answer)

    async def _show(self, asked: Asked, answer: Analysis) -> None:
        """Put the answer's table in place of the one before."""
        self._answer = None
        columns, rows = self._made_of(asked, answer)
        source = MemorySource([column.key for column in columns], rows)
        table = Table(columns, source=source, empty_text="Nothing of that in the capture", id="answer")
        place = self.query_one("#analysis-answer", Vertical)
        await place.remove_children()
        self._answer, self._answered = answer, asked
        await place.mount(table)
        self.add_class("-answered")
        if not self.has_class("-line"):
            table.focus()
        count = len(answer.rows)
        words = [f"{thin(count)} line{'' if count == 1 else 's'}", *answer.notes]
        self._state(" · ".join(words))
        self.refresh_bindings()

    def _made_of(self, asked: Asked, answer: Analysis) -> tuple[tuple[Column, ...], Iterator[Row]]:
        graph, clock = asked.question.name == "io", self._place.clock
        ascii_only = self.app.has_class(ASCII_CLASS)
        columns = columns_of(answer, graph=graph, clock=clock)
        return columns, rows_of(answer, graph=graph, ascii_only=ascii_only, clock=clock)

    def action_time_form(self) -> None:
        """Show times by the clock, or since the first packet."""
        table = self.query_one_optional("#answer", Table)
        if table is not None and self._answer is not None and isinstance(table.source, MemorySource):
            self._place.clock = not self._place.clock
            columns, rows = self._made_of(self._answered, self._answer)
            table.source.replace(rows)
            table.set_columns(columns)

    @on(Worker.StateChanged)
    def _ended(self, event: Worker.StateChanged) -> None:
        """Say what is seen now: where the question failed or was stopped, the answer before, or none."""
        if event.worker is not self._asking or not event.worker.is_finished:
            return
        if event.state is WorkerState.CANCELLED:
            self._state("Stopped")
        if self._answer is None and self.has_class("-answered"):
            self.remove_class("-answered")
            self._leave_line()
        self._say()

    # lines of the answer

    @property
    def _row(self) -> AnalysisRow | None:
        """The line under the cursor."""
        table = self.query_one_optional("#answer", Table)
        key = table.cursor_key if table is not None else None
        return self._answer.rows[key] if self._answer is not None and isinstance(key, int) else None

    @property
    def interface(self) -> str:
        """Where the capture was made."""
        return self._interface

    @property
    def address(self) -> str:
        """The address that is meant: the cell's under the cursor, or else the first of the line."""
        table = self.query_one_optional("#answer", Table)
        return table.grid.cursor_address if table is not None else ""

    @on(Table.Opened, "#answer")
    def _apply(self, event: Table.Opened) -> None:
        row, answer = self._row, self._answer
        if row is None or answer is None or not row.filter:
            self._state("No filter says which packets this line is about", "warning")
            return
        self.hand_on(ApplyDisplayFilter(row.filter, answer.since))

    @on(Table.Highlighted, "#answer")
    def _moved(self) -> None:
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what the line or the role does not allow."""
        if action == "follow":
            row = self._row
            return (row is not None and row.stream is not None) or None
        if action == "time_form":
            return (self._answer is not None and has_times(self._answer)) or None
        if action == "line" and parameters == ("keys",):
            return self.session.actor.may(Permission.CAPTURE)
        return super().check_action(action, parameters)

    def action_follow(self) -> None:
        """Put the stream together."""
        row, protocol = self._row, _STREAMS.get(self._answered.question.name)
        if self._answer is not None and row is not None and row.stream is not None and protocol is not None:
            wanted = Follow("tcp" if protocol == "tcp" else "udp", row.stream, since=self._answer.since)
            self.app.push_screen(StreamScreen(self.session, self._capture_id, wanted))

    def action_back(self) -> None:
        """Leave the line, stop tshark, go back to the questions where only the answer is seen, or leave."""
        if self.has_class("-line"):
            self._leave_line()
        elif self._asking is not None and self._asking.is_running:
            self._asking.cancel()
        elif self.has_class("-answered") and self.query_one("#analysis-answer").has_focus_within:
            self._show_questions()
        else:
            self.dismiss(None)

    def action_help(self) -> None:
        """Show help."""
        self.app.push_screen(Help(title_of("Analysis"), HELP, list(self.active_bindings.values())))


def _menu_row(question: Question) -> Row:
    return Row(question.name, (question.group, question.label))
