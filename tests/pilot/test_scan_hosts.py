"""The hosts of a scan that has not finished them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from netmon_tui.domain.host import Port
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.table import Table
from tests.unit.services.made_scans import Store, host

HOSTS = [f"10.0.0.{number}" for number in (5, 6, 7)]


async def test_the_cursor_goes_where_it_is_sent_and_stays_with_a_host_that_is_finished(
    logged_in: Any, until: Any, screen_text: Callable[[Any], str]
) -> None:
    async with logged_in() as (app, pilot):
        store = Store(app.services, app.actor)
        scan_id = await asyncio.to_thread(store.scan, [])
        results = ScanResults(app.services.database)
        live = {address: [Port(22, "tcp", "open", "live")] for address in HOSTS}
        await asyncio.to_thread(results.store_live, scan_id, live)
        await app.push_screen(ScanDetailScreen(Session(app.services, app.actor), scan_id))
        table = await until(pilot, lambda: app.screen.query_one("#hosts", Table))
        await until(pilot, lambda: table.row_count == 3 and table.grid.has_focus)

        def at(address: str) -> bool:
            key = table.cursor_key
            return isinstance(key, tuple) and key[0] == address

        shown = lambda: app.screen.query_one("#host").host  # noqa: E731 - a fact to wait for
        for key, address in (("home", HOSTS[0]), ("down", HOSTS[1]), ("down", HOSTS[2]), ("up", HOSTS[1])):
            await pilot.press(key)
            await until(pilot, lambda address=address: at(address) and shown().address == address)
        await asyncio.to_thread(results.store, scan_id, enumerate([host(HOSTS[1], 22, 80)]))
        await until(pilot, lambda: at(HOSTS[1]) and not shown().partial)

        app.screen.action_skip()
        await until(pilot, lambda: f"The scan is done with {HOSTS[1]}" in screen_text(app))
        await asyncio.to_thread(ScanRepository(app.services.database).give_up_host, scan_id, HOSTS[0])
        await until(pilot, lambda: screen_text(app).count("given up") == 1)
        await pilot.press("home")
        await until(pilot, lambda: at(HOSTS[0]) and "somebody gave it up" in screen_text(app))
        app.screen.action_skip()
        await until(pilot, lambda: f"{HOSTS[0]} is given up already" in screen_text(app))
