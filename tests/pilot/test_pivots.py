"""An address leads on from any list, by the same keys."""

from __future__ import annotations

import asyncio
from typing import Any

from netmon_tui.ui.screens.host_history import HostHistoryScreen
from netmon_tui.ui.widgets.table import Table
from tests.unit.services.made_scans import Store, host

HERE = "10.0.0.5"


async def test_the_keys_of_an_address_are_the_same_everywhere(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        store = Store(app.services, app.actor)
        for targets in ("10.0.0.0/24", HERE):
            await asyncio.to_thread(store.scan, [host(HERE, 22), host("10.0.0.6")], targets=[targets])

        async def to(tab: str, table: str) -> Table:
            await pilot.press(tab)
            found: Table = await until(pilot, lambda: app.screen.query_one(table, Table))
            await until(pilot, lambda: found.grid.has_focus and found.row_count and found.cursor_row)
            return found

        scans = await to("1", "#scans")
        await until(pilot, lambda: scans.row_count == 2)
        await pilot.press("home")
        await until(pilot, lambda: scans.grid.cursor_address == HERE)
        await pilot.press("H")
        hosts = await until(pilot, lambda: app.screen.query_one("#hosts", Table))
        await until(pilot, lambda: hosts.filter_text == HERE and hosts.grid.cursor_address == HERE)
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, HostHistoryScreen))
        await pilot.press("H")
        await until(pilot, lambda: app.screen.id == "main")

        await to("1", "#scans")
        await pilot.press("down")
        await until(pilot, lambda: not scans.grid.cursor_address)
        await pilot.press("s")
        said = "There is no address on this row"
        await until(pilot, lambda: said in [one.message for one in app._notifications])
