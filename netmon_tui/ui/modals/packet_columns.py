"""Which columns a list of packets has, and in which order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.packet_columns import OWN, PacketColumns, title_of
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.modals.line_form import LineForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

_COLUMNS = (
    Column("shown", "", width=3, priority=0),
    Column("title", "Column", width=18, priority=0),
    Column("meaning", "What it shows", minimum=20, priority=0),
)


class PacketColumnForm(Dialog[PacketColumns]):
    """The columns that are shown, in their order, over those that are not.

    Args:
        columns: Those that are shown to begin with.
        check: Returns a choice whose fields exist; raises NetmonError for another.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("columns.take", "enter", "take", "Take", "Show these columns.", priority=True),
        command("columns.up", "K,shift+up", "shift(-1)", "Up", "Move this column to the left."),
        command("columns.down", "J,shift+down", "shift(1)", "Down", "Move this column to the right."),
        command("columns.field", "a", "add_field", "Add field", "Show a field of Wireshark's as a column."),
        command("columns.usual", "u", "usual", "Usual", "Choose the usual columns again."),
    ]

    def __init__(
        self, columns: PacketColumns, check: Callable[[PacketColumns], Awaitable[PacketColumns]]
    ) -> None:
        super().__init__()
        self._columns = columns
        self._check = check
        self._shown = list(columns.keys)
        self._known = list(dict.fromkeys((*columns.keys, *OWN)))
        self._table = Table(
            _COLUMNS, source=MemorySource([one.key for one in _COLUMNS]), sorts=False, id="packet-columns"
        )

    def compose(self) -> ComposeResult:
        """The list over the keys."""
        with self.box("Columns of packets", id="packet-columns-box") as box:
            box.border_subtitle = content("space shows or hides, J and K move, enter takes, esc leaves")
            yield self._table

    def on_mount(self) -> None:
        """Show what is shown."""
        self._arrange()
        self._table.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave enter to the line in which words are looked for."""
        return self._table.grid.has_focus if action == "take" else True

    def _arrange(self) -> None:
        order = [*self._shown, *(key for key in self._known if key not in self._shown)]
        source = self._table.source
        assert isinstance(source, MemorySource)
        source.replace(map(self._row, order))
        self._table.grid.select(self._shown)

    def _row(self, key: str) -> Row:
        meaning = OWN[key].meaning if key in OWN else "Field, as the dissector says"
        return Row(key, ("[x]" if key in self._shown else "[ ]", title_of(key), meaning))

    @on(Table.SelectionChanged)
    def _choose(self, event: Table.SelectionChanged) -> None:
        event.stop()
        chosen = {str(key) for key in event.keys}
        if chosen != set(self._shown):
            self._shown = [key for key in self._shown if key in chosen]
            self._shown += [key for key in self._known if key in chosen and key not in self._shown]
            self._arrange()

    def action_shift(self, by: int) -> None:
        """Move the column under the cursor, if it is shown, by one place."""
        key = str(self._table.cursor_key)
        at = self._shown.index(key) if key in self._shown else -1
        if at >= 0 and 0 <= at + by < len(self._shown):
            self._shown.insert(at + by, self._shown.pop(at))
            self._arrange()

    def action_usual(self) -> None:
        """Choose the usual columns."""
        self._shown = list(PacketColumns().keys)
        self._arrange()

    @work(exclusive=True, group="add-field", exit_on_error=False)
    async def action_add_field(self) -> None:
        """Ask for a field and show it before the info, or at the end."""
        form = LineForm("A field as column", "Its name, such as dns.qry.name", "Add", self._with_field)
        if added := await self.app.push_screen_wait(form):
            self._shown = list(added.keys)
            self._known += [key for key in self._shown if key not in self._known]
            self._arrange()
            self._table.move_to_key(next(key for key in reversed(self._known) if key in added.fields))

    async def _with_field(self, name: str) -> PacketColumns:
        shown = PacketColumns(tuple(self._shown), self._columns.by_tshark)
        return await self._check(shown.with_field(name.strip()))

    def action_take(self) -> None:
        """Show these columns, or stay when there is none."""
        if self._shown:
            self.dismiss(PacketColumns(tuple(self._shown), self._columns.by_tshark))
