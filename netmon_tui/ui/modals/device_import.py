"""What a list of devices would change: looked at before it is stored."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Static

from netmon_tui.domain.device_list import DeviceImport
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

MOST_SHOWN = 2_000
"""Changes that are listed; the sums say how many there are."""
_MOST_LINES = 12
COLUMNS = (
    Column("device", "Device", width=17, priority=0),
    Column("change", "Change", minimum=30, priority=0),
)


class DeviceImportPreview(Dialog[bool]):
    """Gives True when the list is to be stored.

    Args:
        name: Of the file.
        planned: What it would change.
    """

    def __init__(self, name: str, planned: DeviceImport) -> None:
        super().__init__()
        self._name_of_file = name
        self._planned = planned
        self._source = MemorySource([column.key for column in COLUMNS])

    def compose(self) -> ComposeResult:
        """Sums over the list over buttons."""
        planned = self._planned
        bad = [
            Row(("bad", entry.number), (f"{planned.unit} {entry.number}", Cell(entry.why, "error")))
            for entry in planned.bad
        ]
        changes = [
            Row(change.after.lladdr, (change.after.lladdr, change.words))
            for change in planned.changes[:MOST_SHOWN]
        ]
        self._source.replace([*bad, *changes])
        with self.box(f"Import devices of {self._name_of_file}", id="device-import"):
            yield Static(content(planned.words), id="device-import-sums")
            yield Table(COLUMNS, source=self._source, empty_text="It says nothing new", id="device-changes")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                verb = "Import without the refused" if planned.bad_count else "Import"
                yield Button(verb, id="import", variant="primary", disabled=not planned.changes)

    def on_mount(self) -> None:
        """As high as the list, within reason; begin in it."""
        table = self.query_one(Table)
        table.styles.height = max(2, min(_MOST_LINES, self._source.total + 1))
        table.focus()

    @on(Button.Pressed)
    def _decided(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "import" or None)

    @on(Table.Opened)
    def _to_buttons(self) -> None:
        self.query_one("#import", Button).focus()
