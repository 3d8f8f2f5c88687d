"""Choosing files to import: typed, from the list, several at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from netmon_tui.ui.modals.file_picker import FilePicker
from netmon_tui.ui.modals.import_report import ImportReport
from netmon_tui.ui.widgets.table import Table
from tests.pilot.conftest import screen_text

DATA = Path(__file__).parents[1] / "data/nmap"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program is started: two documents, one of them in a folder, a text, a hidden one, a pipe."""
    folder = tmp_path / "files"
    (folder / "older").mkdir(parents=True)
    (folder / "one.xml").write_bytes((DATA / "full.xml").read_bytes())
    (folder / "older" / "two.xml").write_bytes((DATA / "real_ping.xml").read_bytes())
    (folder / "notes.txt").write_text("nothing\n")
    (folder / ".hidden.xml").write_text("")
    monkeypatch.chdir(folder)
    return folder


def names(app: Any) -> list[str]:
    table = app.screen.query_one("#files", Table)
    cells = [row.cells[0] for row in table.source.window(0, table.row_count)]
    return [cell if isinstance(cell, str) else cell.text for cell in cells]


async def open_picker(app: Any, pilot: Any, until: Any) -> FilePicker:
    await pilot.press("i")
    await until(pilot, lambda: isinstance(app.screen, FilePicker) and len(names(app)) > 1)
    picker: FilePicker = app.screen
    return picker


async def test_list_and_path_go_in_step(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        picker = await open_picker(app, pilot, until)
        path = picker.query_one("#path", Input)
        assert path.value == f"{folder}/"
        assert set(names(app)) == {"..", "older/", "one.xml", "notes.txt"}
        await pilot.press("o")
        await until(pilot, lambda: names(app) == ["older/", "one.xml"])
        await pilot.press("l", "down", "enter")
        await until(pilot, lambda: names(app) == ["..", "two.xml"])
        assert path.value == f"{folder}/older/"
        await pilot.press("down")
        await until(pilot, lambda: path.value == f"{folder}/older/two.xml")
        await pilot.press("backspace")
        await until(pilot, lambda: "one.xml" in names(app))
        assert picker.query_one(Table).cursor_key == str(folder / "older")
        path.focus()
        await pilot.press("end", *"//etc")
        await until(pilot, lambda: path.value == "/etc")  # a second slash begins anew


async def test_several_files_are_imported_and_every_refusal_is_said(
    logged_in: Any, until: Any, folder: Path
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        picker = await open_picker(app, pilot, until)
        table = picker.query_one(Table)
        await pilot.press("down")
        for name in ("one.xml", "notes.txt"):
            table.move_to_key(str(folder / name))
            await pilot.press("space")
        table.move_to_key(str(folder / "older"))
        await pilot.press("enter")
        await until(pilot, lambda: "two.xml" in names(app))
        table.move_to_key(str(folder / "older" / "two.xml"))
        await pilot.press("space", "enter")
        await until(pilot, lambda: isinstance(app.screen, ImportReport) and "2 of 3" in screen_text(app))
        assert "notes.txt is not nmap XML" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main" and app.screen.query_one("#scans").row_count == 2)


async def test_a_folder_that_cannot_be_listed_says_so(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        picker = await open_picker(app, pilot, until)
        picker.query_one("#path", Input).value = "/nowhere/at/all/x.xml"
        await until(pilot, lambda: "cannot be listed" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "No file /nowhere/at/all/x.xml" in screen_text(app))
        assert app.screen is picker
