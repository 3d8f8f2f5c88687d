"""Questions about a whole capture and their answers, each line of which can become a filter of the packets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input
from textual.worker import Worker, WorkerState

from netmon_tui.domain.analysis import QUESTIONS, Analysis, AnalysisRow, Asked, Question, find_question
from netmon_tui.domain.counted import counted
from netmon_tui.domain.display_filter import LONGEST_FILTER
from netmon_tui.domain.stream import Follow
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.messages import ApplyDisplayFilter
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.rendering import ASCII_CLASS, Tone, thin
from netmon_tui.ui.screens.above_capture import AboveCapture
from netmon_tui.ui.screens.stream import StreamScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.analysis_rows import columns_of, rows_of
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

HELP = (
    "Left: what can be asked of the whole capture. enter asks; tshark reads the file, and esc stops it.\n"
    "Right: the answer. enter on a line goes back to the packets and shows only those it is about, F puts the\n"
    "stream of a TCP or UDP conversation together, s, c and H take the address under the cursor.\n\n"
    "d limits all questions to packets that meet a display filter (tcp.port == 443). w counts packets for\n"
    "themselves in the I/O graph: filters with ; between them. K keeps TLS keys with the capture.\n\n"
    "Addresses of Ethernet and IP are counted without tshark, and at once, where no filter limits them and no\n"
    "packet may be a tunnel; the line above the answer says so."
)
_MENU = (Column("group", "Kind", width=14, priority=0), Column("label", "Question", minimum=12, priority=0))
_LINES = {
    "filter": "Display filter: only these packets count",
    "series": "Filters of the I/O graph, with ; between them",
    "keys": "File with TLS keys (SSLKEYLOGFILE) to keep; empty to remove them",
}
"""What the line is asked for, and the words in it."""
_STREAMS = {"conversations:tcp": "tcp", "conversations:udp": "udp"}


class AnalysisScreen(AboveCapture):
    """A list of questions beside the answer to one.

    Args:
        session: Services and actor.
        capture_id: Of the capture.
        interface: Where it was captured, for captures of addresses in it.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        command("analysis.back", "escape", "back", "Back", "Stop tshark, or back.", show=False),
        command("analysis.follow", "F", "follow", "Stream", "Put the stream of this conversation together."),
        command("analysis.filter", "d", "line('filter')", "Limit", "Count only what meets a display filter."),
        command("analysis.series", "w", "line('series')", "Graph", "Filters of their own in the I/O graph."),
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

    def __init__(self, session: Session, capture_id: int, interface: str = "") -> None:
        super().__init__(session, id="analysis")
        self._capture_id = capture_id
        self._interface = interface
        self._asked = Asked(QUESTIONS[0])
        """What was asked last; a new question keeps its limits."""
        self._answer: Analysis | None = None
        """What the table of the answer shows; None while there is none, or another takes its place."""
        self._line = "filter"
        """What the line is asked for."""
        self._asking: Worker[None] | None = None
        self._questions = QUESTIONS
        """What can be asked."""
        self._menu = MemorySource([column.key for column in _MENU], map(_menu_row, QUESTIONS))

    def compose(self) -> ComposeResult:
        """Limit, state, questions, answer, keys."""
        self.prepare()
        yield Figure(id="analysis-title")
        yield Figure(id="analysis-state")
        yield Input(compact=True, max_length=LONGEST_FILTER, id="analysis-line")
        with Horizontal(id="analysis-parts"):
            yield Table(_MENU, source=self._menu, sorts=False, id="questions")
            yield Vertical(id="analysis-answer")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin with the questions."""
        self._say()
        self._state("enter asks; ? explains")
        self.query_one("#questions", Table).focus()
        self._list_questions()

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
        series = self._asked.series if question.name == "io" else ()
        self._asked = replace(self._asked, question=question, series=series)
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
        await self._show(answer)

    async def _show(self, answer: Analysis) -> None:
        """Put the answer's table in place of the one before."""
        self._answer = None
        graph = self._asked.question.name == "io"
        columns = columns_of(answer, graph=graph)
        rows = rows_of(answer, graph=graph, ascii_only=self.app.has_class(ASCII_CLASS))
        source = MemorySource([column.key for column in columns], rows)
        table = Table(columns, source=source, empty_text="Nothing of that in the capture", id="answer")
        place = self.query_one("#analysis-answer", Vertical)
        await place.remove_children()
        self._answer = answer
        await place.mount(table)
        self.add_class("-answered")
        if not self.has_class("-line"):
            table.focus()
        count = len(answer.rows)
        words = [f"{thin(count)} line{'' if count == 1 else 's'}", *answer.notes]
        self._state(" · ".join(words))
        self.refresh_bindings()

    @on(Worker.StateChanged)
    def _stopped(self, event: Worker.StateChanged) -> None:
        if event.worker is self._asking and event.state is WorkerState.CANCELLED:
            self._state("Stopped")
            if self._answer is None and self.has_class("-answered"):
                self.remove_class("-answered")
                self._leave_line()

    def _say(self) -> None:
        """Say what is asked, and its limits."""
        asked = self._asked
        words = [f"{asked.question.group}: {asked.question.label}"] if self._asking else ["Analysis"]
        words += [f"only {asked.filter}"] if asked.filter else []
        words += [f"{number} = {text}" for number, text in enumerate(asked.series, 1)]
        self.query_one("#analysis-title", Figure).show(f"Capture {self._capture_id} · " + " · ".join(words))

    def _state(self, text: str, tone: Tone = "") -> None:
        figure = self.query_one("#analysis-state", Figure)
        figure.set_class(len(text) > self.size.width - 2, "-long")
        figure.show(text, tone)

    # limits

    def action_line(self, name: str) -> None:
        """Ask for the filter, the graph's filters or the keys."""
        line, asked = self.query_one("#analysis-line", Input), self._asked
        self._line = name
        present = {"filter": asked.filter, "series": " ; ".join(asked.series), "keys": ""}
        line.placeholder, line.value = _LINES[name], present[name]
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
        if self._line == "filter":
            self._asked = replace(self._asked, filter=text)
        elif self._line == "keys":
            self._keep_keys(text)
            return
        else:
            series = tuple(part.strip() for part in text.split(";") if part.strip())
            self._asked = replace(self._asked, question=find_question("io"), series=series)
        self._leave_line()
        self._ask()

    @work(exclusive=True, group="analysis-keys", exit_on_error=False)
    async def _keep_keys(self, text: str) -> None:
        """Keep the keys of a file with the capture, or remove those that are kept, and ask again."""
        keys, actor = self.session.services.packets.keys, self.session.actor
        try:
            if text:
                await keys.give(actor, self._capture_id, Path(text))
            elif count := await keys.count(actor, self._capture_id):
                lost = f"{counted(count, 'TLS key')} of capture {self._capture_id}, and what they decrypt."
                if not await self.app.push_screen_wait(Confirm("Remove the TLS keys", lost, verb="Remove")):
                    return
                await keys.remove(actor, self._capture_id)
        except NetmonError as error:
            self._state(str(error), "error")
            return
        toasts.tell(self.app, "TLS keys are kept" if text else "No TLS keys are kept")
        self._leave_line()
        self._ask()

    def _leave_line(self) -> None:
        self.remove_class("-line")
        answer = self.query_one_optional("#answer", Table) if self.has_class("-answered") else None
        (self.query_one("#questions", Table) if answer is None else answer).focus()

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
        row = self._row
        if row is None or not row.filter:
            self._state("No filter says which packets this line is about", "warning")
            return
        self.hand_on(ApplyDisplayFilter(row.filter))

    @on(Table.Highlighted, "#answer")
    def _moved(self) -> None:
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what the line or the role does not allow."""
        if action == "follow":
            row = self._row
            return (row is not None and row.stream is not None) or None
        if action == "line" and parameters == ("keys",):
            return self.session.actor.may(Permission.CAPTURE)
        return super().check_action(action, parameters)

    def action_follow(self) -> None:
        """Put the stream together."""
        row, protocol = self._row, _STREAMS.get(self._asked.question.name)
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
            self.remove_class("-answered")
            self.query_one("#questions", Table).focus()
        else:
            self.dismiss(None)

    def action_help(self) -> None:
        """Show help."""
        self.app.push_screen(Help(title_of("Analysis"), HELP, list(self.active_bindings.values())))


def _menu_row(question: Question) -> Row:
    return Row(question.name, (question.group, question.label))
