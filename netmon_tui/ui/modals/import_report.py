"""What became of each file of an import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult

from netmon_tui.domain.capture import Capture
from netmon_tui.domain.counted import counted
from netmon_tui.domain.scan import Scan
from netmon_tui.errors import AlreadyCaptured, AlreadyImported, NetmonError
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.modals.record import Record
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

_MOST_LINES = 14
Imported = Scan | Sequence[Capture]
"""What a file became."""
COLUMNS = (
    Column("file", "File", minimum=16, share=2, priority=0),
    Column("result", "Result", minimum=24, share=3, priority=0),
)


class ImportReport(Dialog[bool]):
    """A line for each file.

    Args:
        results: What each file became, or why it did not.
    """

    def __init__(self, results: Sequence[tuple[Path, Imported | NetmonError]]) -> None:
        super().__init__()
        self._results = results

    def compose(self) -> ComposeResult:
        """The list."""
        rows = [Row(str(path), (path.name, _words(result))) for path, result in self._results]
        stored = sum(not isinstance(result, NetmonError) for _, result in self._results)
        source = MemorySource([column.key for column in COLUMNS], rows)
        with self.box(f"{stored} of {counted(len(rows), 'file')} imported", id="report-box") as box:
            box.border_subtitle = content("enter shows a line in full, esc closes")
            yield Table(COLUMNS, source=source, id="report")

    def on_mount(self) -> None:
        """As high as the list, within reason; focus it."""
        table = self.query_one(Table)
        table.styles.height = min(_MOST_LINES, len(self._results) + 1)
        table.focus()

    @on(Table.Opened)
    def _show_in_full(self) -> None:
        if row := self.query_one(Table).cursor_row:
            self.app.push_screen(Record("Import of a file", COLUMNS, row))


def _words(result: Imported | NetmonError) -> Cell:
    if isinstance(result, AlreadyImported):
        return Cell(f"is scan {result.scan_id} already", "warning")
    if isinstance(result, AlreadyCaptured):
        return Cell(f"is capture {_numbers(result.capture_ids)} already", "warning")
    if isinstance(result, NetmonError):
        return Cell(str(result), "error")
    if isinstance(result, Scan):
        return Cell(f"is scan {result.id}", "success")
    words = (f"is capture {_numbers(one.id for one in result)}", *import_words(result))
    return Cell("; ".join(words), "success" if len(words) == 1 else "warning")


def import_words(captures: Iterable[Capture]) -> list[str]:
    """Return what there is to know of captures that were imported from one file: damage, and what it had more."""
    return list(dict.fromkeys(words for one in captures for words in (one.error, one.note) if words))


def _numbers(ids: Iterable[int]) -> str:
    return " and ".join(map(str, ids))
