"""Which files to import: a path that is typed, and a list in step with it."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from netmon_tui.errors import NetmonError
from netmon_tui.services.readable_files import ReadableFile, readable_files
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import age, content, size
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Name", minimum=16, share=1, priority=0),
    Column("size", "Size", width=7, align="right", priority=0),
    Column("age", "Age", width=5, align="right", priority=1),
)
_PARENT = ".."
_AFRESH = re.compile(r".*/(?=[/~])")
"""What stands before a path that is typed behind another one: a second slash and a tilde begin anew."""


class FilePicker(Dialog[tuple[Path, ...]]):
    """Asks for files.

    Args:
        title: What is imported.
        folder: Where to begin.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("files.list", "down", "to_list", "To the list", "Go from the path to the list.", show=False),
        command("files.up", "backspace", "up", "Folder above", "Show the folder above."),
    ]

    def __init__(self, title: str, folder: Path) -> None:
        super().__init__()
        self._title = title
        self._folder = folder
        self._begin = ""
        """What is typed behind the last slash."""
        self._found: list[ReadableFile] = []
        self._source = MemorySource([column.key for column in COLUMNS])

    def compose(self) -> ComposeResult:
        """Path over list over buttons."""
        with self.box(self._title, id="files-box") as box:
            box.border_subtitle = content("space selects, enter imports")
            yield Input(_as_folder(self._folder), id="path", compact=True, select_on_focus=False)
            yield Table(COLUMNS, source=self._source, id="files")
            yield Static("", id="import-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Import", id="import", variant="primary")

    def on_mount(self) -> None:
        """Begin in the path, at its end."""
        self.query_one("#path").focus()
        self._list(self._folder)

    def action_to_list(self) -> None:
        """Go to the list."""
        self.query_one(Table).focus()

    def action_up(self) -> None:
        """Show the folder above."""
        self._enter(self._folder.parent)

    @on(Input.Changed, "#path")
    def _typed(self, event: Input.Changed) -> None:
        """Show the folder of what is typed, and of it what begins so."""
        event.stop()
        self.query_one("#import-error", Static).update("")
        if (text := _AFRESH.sub("", event.value)) != event.value:
            self._set_path(text)
        folder, self._begin = _parts(text)
        if folder != self._folder:
            self._list(folder)
        else:
            self._show()

    @work(exclusive=True, group="files", exit_on_error=False)
    async def _list(self, folder: Path, cursor: str = "") -> None:
        self._folder = folder
        try:
            self._found, problem = await asyncio.to_thread(readable_files, folder), ""
        except NetmonError as error:
            self._found, problem = [], str(error)
        table = self.query_one(Table)
        table.set_texts(empty="No file that begins so", error=problem)
        self._show()
        table.move_to_key(cursor or _PARENT)

    def _show(self) -> None:
        """Show the rows that begin as what is typed."""
        begin, now = self._begin.casefold(), time.time()
        rows = [_row(one, now) for one in self._found if one.path.name.casefold().startswith(begin)]
        above = (
            [] if begin or self._folder == Path("/") else [Row(_PARENT, (Cell(_PARENT, "accent"), "", ""))]
        )
        self._source.replace(above + rows)

    def _enter(self, folder: Path) -> None:
        """Show another folder; from the one above, with the cursor on where one was."""
        came_from = str(self._folder) if folder == self._folder.parent else ""
        self._begin = ""
        self._set_path(_as_folder(folder))
        self._list(folder, came_from)

    def _set_path(self, text: str) -> None:
        path = self.query_one("#path", Input)
        with path.prevent(Input.Changed):
            path.value = text
        path.cursor_position = len(text)

    @on(Table.Highlighted)
    def _in_step(self, event: Table.Highlighted) -> None:
        """Let the path say where the cursor of the list stands."""
        if self.query_one(Table).grid.has_focus and event.key is not None:
            self._set_path(_as_folder(self._folder) if event.key == _PARENT else str(event.key))

    @on(Table.SelectionChanged)
    def _count(self, event: Table.SelectionChanged) -> None:
        count = len(self._selected)
        text = f"{count} selected, enter imports" if count else "space selects, enter imports"
        self.query_one("#files-box").border_subtitle = content(text)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        if event.key == _PARENT:
            self._enter(self._folder.parent)
        else:
            self._take(Path(str(event.key)))

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#import")
    @on(Input.Submitted, "#path")
    def _import(self) -> None:
        self._take(_as_path(self.query_one("#path", Input).value.strip()))

    def _take(self, path: Path) -> None:
        """Go into a folder, or be done with what is selected, else with this file."""
        if path.is_dir() and not (self._selected and path == self._folder):
            self._enter(path)
        elif self._selected:
            self.dismiss(self._selected)
        elif path.is_file():
            self.dismiss((path,))
        else:
            self.query_one("#import-error", Static).update(content(f"No file {path}"))

    @property
    def _selected(self) -> tuple[Path, ...]:
        keys: Sequence[str] = sorted(
            str(key) for key in self.query_one(Table).selected_keys if key != _PARENT
        )
        return tuple(path for path in map(Path, keys) if path.is_file())


def _row(one: ReadableFile, now: float) -> Row:
    if one.is_directory:
        return Row(str(one.path), (Cell(f"{one.path.name}/", "accent"), "", ""))
    sizes = Cell(size(one.size), sort=one.size)
    return Row(str(one.path), (one.path.name, sizes, Cell(age(now - one.changed), sort=now - one.changed)))


def _parts(text: str) -> tuple[Path, str]:
    """Return the folder of a path as typed, and what stands behind the last slash."""
    folder, name = os.path.split(text.strip() or ".")
    return _as_path(folder or ".").absolute(), name


def _as_path(text: str) -> Path:
    """Return the path that is meant; a user that does not exist stays as typed."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def _as_folder(folder: Path) -> str:
    return f"{folder}/".replace("//", "/")
