"""The map of a scan on the screen: opened and closed by keys, searched, paged, written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.widgets.map_source import KEPT_PAGES, PAGE_HOSTS
from netmon_tui.ui.widgets.scan_map import ScanMap
from netmon_tui.ui.widgets.table import Table
from tests.bench.bulk_scan import store_scan


async def on_map(app: Any, pilot: Any, until: Any, hosts: int, hops: int = 2) -> tuple[ScanMap, Table]:
    """Store a scan and look at its map."""
    scan_id = store_scan(app.services.database, app.actor, hosts, hops=hops)
    app.push_screen(ScanDetailScreen(app.screen.session, scan_id))
    await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))
    await pilot.press("3")
    table = await until(pilot, lambda: app.screen.query_one(ScanMap).query_one(Table))
    widget = app.screen.query_one(ScanMap)
    await until(pilot, lambda: table.row_count and table.grid.has_focus)
    return widget, table


def labels(table: Table) -> list[str]:
    """What stands in the first column, from the first line on; empty where nothing is loaded."""
    found = table.source.window(0, table.row_count) or ()
    return [str(row.cells[0]).strip(" ▾▸") if row else "" for row in found]


async def test_branches_open_and_close_by_keys(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        _, table = await on_map(app, pilot, until, 300)
        closed = ["us", "192.0.2.1", "198.51.100.0", "10.0.0.0/24", "10.0.1.0/24"]
        assert labels(table) == closed
        await pilot.press("down", "down", "left")
        assert labels(table) == closed[:3]
        await pilot.press("left", "left", "l", "l", "l", "l", "right")
        await until(pilot, lambda: table.row_count == len(closed) + 256)
        await pilot.press("down", "down")
        await until(pilot, lambda: table.cursor_key == ("host", "10.0.0.1", "host 1"))
        await pilot.press("left")
        assert table.cursor_row is not None
        assert "10.0.0.0/24" in str(table.cursor_row.cells[0])
        await pilot.press("enter")
        assert labels(table) == closed
        await pilot.press("asterisk")
        assert table.row_count == len(closed) + 300
        await pilot.press("asterisk")
        assert labels(table) == ["us", "192.0.2.1"]


async def test_enter_shows_the_host_and_its_address_can_be_taken_elsewhere(
    logged_in: Any, until: Any
) -> None:
    async with logged_in() as (app, pilot):
        widget, table = await on_map(app, pilot, until, 20)
        await until(pilot, lambda: "10.0.0.19" in labels(table)[-1])
        await pilot.press("down")
        assert widget.address == "192.0.2.1"
        await pilot.press("end")
        assert widget.address == "10.0.0.19"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen._tab == "hosts" and app.screen._host_address == "10.0.0.19")
        await pilot.press("3", "s")
        await until(pilot, lambda: app.screen.query_one("#targets").value == "10.0.0.19")


async def test_a_search_shows_the_way_to_what_it_finds(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        _, table = await on_map(app, pilot, until, 600)
        await pilot.press("slash", *"host-555.", "enter")
        await until(
            pilot,
            lambda: labels(table) == ["us", "192.0.2.1", "198.51.100.0", "10.0.2.0/24", "10.0.2.43"],
        )
        await pilot.press("escape")
        await until(pilot, lambda: table.row_count == 6)


async def test_of_many_hosts_only_pages_that_were_seen_are_kept(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        widget, table = await on_map(app, pilot, until, 20_000, hops=1)
        await pilot.press("asterisk", "end")
        await until(pilot, lambda: table.cursor_key == ("host", "10.0.78.31", "host 19999"))
        for _ in range(200):
            await pilot.press("pageup")
        await until(pilot, lambda: not table.source.missing(table.grid.top, table.grid.top + table.grid.page))
        assert 1 < len(widget._source._pages) <= KEPT_PAGES
        assert KEPT_PAGES * PAGE_HOSTS < 20_000


async def test_e_writes_the_map(logged_in: Any, until: Any, tmp_path: Path) -> None:
    async with logged_in() as (app, pilot):
        await on_map(app, pilot, until, 5)
        await pilot.press("e")
        field = await until(pilot, lambda: app.screen.query_one("#path"))
        assert re.search(r"scan-1-map\.svg$", field.value)
        field.value = str(tmp_path / "map.svg")
        await pilot.press("enter")
        await until(pilot, (tmp_path / "map.svg").is_file)
        assert "10.0.0.4" in (tmp_path / "map.svg").read_text()
