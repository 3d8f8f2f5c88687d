"""nmap's scripts and their categories to choose from, with what each does and takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label

from netmon_tui.domain.nse import CATEGORIES, NseScript, ScriptDetail
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.text_view import TextLine, TextView

COLUMNS = (
    Column("chosen", "", width=3, priority=0),
    Column("name", "Script or category", minimum=24, share=2, priority=0),
    Column("categories", "Categories", minimum=20, share=3, priority=0),
)
LONGEST_ARGUMENTS = 1_024


class ScriptChoice(NamedTuple):
    """What goes to ``--script`` and ``--script-args``; either may be empty."""

    scripts: str
    arguments: str


class ScriptPicker(Dialog[ScriptChoice]):
    """The scripts that are installed. Rules that are no name or category stay as they are.

    Args:
        session: Services and actor.
        first: What is chosen to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("scripts.take", "ctrl+t", "take", "Take", "Use the scripts that are chosen."),
        command("scripts.arguments", "a", "arguments", "Arguments", "Write arguments for the scripts."),
    ]

    def __init__(self, session: Session, first: ScriptChoice) -> None:
        super().__init__()
        self._options = session.services.options
        self._value = first.scripts
        self._arguments = first.arguments
        self._chosen = self._options.chosen(self._value)
        self._scripts: list[NseScript] = []
        self._source = MemorySource([column.key for column in COLUMNS])

    def compose(self) -> ComposeResult:
        """The list, what the row under the cursor says, and the arguments."""
        with self.box("nmap's scripts", id="scripts-box") as box:
            box.border_subtitle = content("space chooses, / filters, a arguments, ctrl+t takes, esc leaves")
            yield Table(COLUMNS, source=self._source, empty_text="No scripts", id="scripts")
            yield TextView(id="script-about")
            with Horizontal(classes="form--row"):
                yield Label("Arguments")
                yield Input(
                    self._arguments,
                    placeholder="name=value,name=value",
                    id="script-arguments",
                    max_length=LONGEST_ARGUMENTS,
                    compact=True,
                )

    def on_mount(self) -> None:
        """Fetch the list and go to it."""
        self._fetch()
        self.query_one(Table).focus()

    @work(exclusive=True, group="scripts", exit_on_error=False)
    async def _fetch(self) -> None:
        table = self.query_one(Table)
        try:
            self._scripts = await self._options.scripts()
        except NetmonError as error:
            table.set_texts(error=str(error))
            return
        self._show_rows()
        table.grid.select(self._chosen)

    def _show_rows(self) -> None:
        """Show categories, then scripts, each with a mark when it is chosen."""
        categories = {name: sum(name in one.categories for one in self._scripts) for name in CATEGORIES}
        self._source.replace(
            [
                *(self._row(name, f"category of {count} scripts") for name, count in categories.items()),
                *(self._row(one.name, " ".join(one.categories), risky=one.is_risky) for one in self._scripts),
            ]
        )

    def _row(self, name: str, words: str, *, risky: bool = False) -> Row:
        mark = "[x]" if name in self._chosen else "[ ]"
        return Row(name, (mark, name, Cell(f"! {words}", "warning") if risky else words))

    @on(Table.SelectionChanged)
    def _choose(self, event: Table.SelectionChanged) -> None:
        selected = frozenset(map(str, event.keys))
        for name in sorted(selected ^ self._chosen):
            self._value = self._options.with_script(self._value, name, wanted=name in selected)
        self._chosen = selected
        self._show_rows()

    @on(Table.Highlighted)
    @work(exclusive=True, group="script-about", exit_on_error=False)
    async def _describe(self, event: Table.Highlighted) -> None:
        """Show what the script under the cursor does and takes."""
        name, view = str(event.key or ""), self.query_one(TextView)
        if not name:
            view.show([])
            return
        if name in CATEGORIES:
            named = " ".join(one.name for one in self._scripts if name in one.categories)
            view.show([TextLine(named, "muted")])
            return
        try:
            view.show(_about(await self._options.script(name)))
        except NetmonError as error:
            view.show([TextLine(str(error), "error")])

    def action_arguments(self) -> None:
        """Go to the arguments."""
        self.query_one("#script-arguments", Input).focus()

    @on(Input.Submitted, "#script-arguments")
    def action_take(self) -> None:
        """Give back what is chosen."""
        self.dismiss(ScriptChoice(self._value, self.query_one("#script-arguments", Input).value.strip()))


def _about(detail: ScriptDetail) -> list[TextLine]:
    """Return the description, then each argument."""
    lines = [TextLine(line) for line in _paragraphs(detail.description)]
    for argument in detail.arguments:
        lines += [TextLine(argument.name, "accent"), TextLine(argument.description, "muted", indent=2)]
    return lines


def _paragraphs(text: str) -> Iterator[str]:
    """Yield paragraphs as lines of their own, to be broken at the width of the screen; lists stay as they are."""
    for paragraph in text.split("\n\n"):
        lines = paragraph.strip("\n").splitlines()
        is_list = any(not line[:1].isalpha() for line in lines[1:])
        yield from lines if is_list else [" ".join(lines)]
        yield ""
