"""Searches on the screen: in the lists, over all scans, and under a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.widgets import Input, Static

from netmon_tui.ui.modals.saved_searches import SavedSearchList, SaveSearch
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.screens.search import SearchScreen
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_filter import Refusal

FULL = Path(__file__).parents[1] / "data" / "nmap" / "full.xml"


def rows_of(app: Any, table: str) -> int:
    count: int = app.screen.query_one(table, Table).row_count
    return count


async def start(app: Any, pilot: Any, until: Any) -> None:
    """Import a scan and wait until it is listed."""
    await app.services.transfers.import_scan(app.screen.session.actor, FULL)
    await until(pilot, lambda: rows_of(app, "#scans") == 1)


async def typed(app: Any, pilot: Any, table: str, text: str) -> None:
    """Type into the filter line of a table."""
    app.screen.query_one(table, Table).focus()
    await pilot.press("slash")
    app.screen.query_one(table, Table).query_one(Input).value = text
    await pilot.pause()


async def test_a_list_takes_a_query_and_keeps_its_rows_while_it_is_refused(
    logged_in: Any, until: Any
) -> None:
    async with logged_in() as (app, pilot):
        await start(app, pilot, until)
        await typed(app, pilot, "#scans", "open:22")
        await until(pilot, lambda: rows_of(app, "#scans") == 1)
        await typed(app, pilot, "#scans", "open:22 opn:1")
        refusal = await until(pilot, lambda: app.screen.query_one("#scans Refusal.-refused", Refusal))
        assert "at character 9" in str(refusal.content)
        assert rows_of(app, "#scans") == 1
        await typed(app, pilot, "#scans", "open:9")
        await until(pilot, lambda: rows_of(app, "#scans") == 0)
        assert not refusal.has_class("-refused")
        await pilot.press("escape")
        await until(pilot, lambda: rows_of(app, "#scans") == 1)


async def test_a_refused_query_that_is_left_is_cleared_by_escape(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        await start(app, pilot, until)
        await typed(app, pilot, "#scans", "opn:1")
        await until(pilot, lambda: app.screen.query("Refusal.-refused"))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one("#scans", Table).grid.has_focus)
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query("#scans.-filtering, Refusal.-refused"))


async def test_all_scans_are_searched_and_a_line_opens_its_host(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await start(app, pilot, until)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen) and app.focused.id == "query")
        note = app.screen.query_one("#search-note", Static)
        await pilot.press(*"open:22", "enter")
        await until(pilot, lambda: rows_of(app, "#found") == 1)
        assert str(note.content) == "1 line"
        await pilot.press("ctrl+f", *"opn:1", "enter")
        await until(pilot, lambda: "at character 1" in str(note.content))
        assert rows_of(app, "#found") == 1
        await pilot.press("down")
        await until(pilot, lambda: app.screen.query_one("#found", Table).grid.has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))
        await until(pilot, lambda: rows_of(app, "#hosts") == 1)
        await pilot.press("escape", "escape", "escape")  # the filter by address, the scan, the search
        await until(pilot, lambda: app.screen.id == "main")


async def test_what_an_open_scan_asks_of_the_frame_reaches_it_through_the_search(
    logged_in: Any, until: Any
) -> None:
    async with logged_in() as (app, pilot):
        await start(app, pilot, until)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen) and app.focused.id == "query")
        await pilot.press(*"open:22", "enter")
        await until(pilot, lambda: rows_of(app, "#found") == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))
        await until(pilot, lambda: app.screen._host_address)
        await pilot.press("H")
        await until(pilot, lambda: app.screen.id == "main" and app.screen._active == "hosts")


async def test_a_search_is_saved_in_one_list_and_used_in_another(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        await start(app, pilot, until)
        await typed(app, pilot, "#scans", "open:22")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, SaveSearch))
        await pilot.press("enter")
        await until(
            pilot, lambda: "needs a name" in str(app.screen.query_one("#search-error", Static).content)
        )
        await pilot.press(*"web", "enter")
        await until(pilot, lambda: app.screen.id == "main")
        await pilot.press("escape", "ctrl+f")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen) and app.focused.id == "query")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, SavedSearchList) and rows_of(app, "#searches") == 1)
        await until(pilot, lambda: app.screen.query_one("#searches", Table).cursor_row)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one("#query", Input).value == "open:22")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, SavedSearchList) and rows_of(app, "#searches") == 1)
        await pilot.press("delete")
        await until(pilot, lambda: app.screen.query("Confirm, #confirm, Button"))
        await pilot.press("escape")
