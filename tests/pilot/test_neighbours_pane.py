"""The neighbours tab, on the lab's network: what the kernel learns appears, changes and goes on the screen."""

from __future__ import annotations

import contextlib
import csv
import json
import socket
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Select

from netmon_tui.config.settings import load_settings
from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import NeighbourLimits
from netmon_tui.errors import NetmonError
from netmon_tui.services import neighbours as service_module
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.modals.history import History
from netmon_tui.ui.screens import neighbour_table as pane_module
from netmon_tui.ui.screens.neighbour_table import NeighbourTablePane
from netmon_tui.ui.widgets.live import LiveScreen
from netmon_tui.ui.widgets.table import Table
from tests.lab.network import Lab

inside = pytest.mark.inside_lab


def rows(pane: NeighbourTablePane) -> dict[str, dict[str, str]]:
    """Address -> column key -> text, as the table has them."""
    table = pane.query_one("#neighbours", Table)
    keys = [column.key for column in table.columns]
    found = table.source.window(0, table.row_count) or ()
    texts = [[getattr(cell, "text", cell) for cell in row.cells] for row in found if row]
    return {row[0]: dict(zip(keys, row, strict=True)) for row in texts}


async def shown(pilot: Any, until: Any) -> NeighbourTablePane:
    """Go to the tab."""
    await pilot.press("2")
    pane = await until(pilot, lambda: pilot.app.screen.query_one(NeighbourTablePane))
    await until(pilot, lambda: pane.query_one("#neighbours", Table).grid.has_focus)
    return pane


def meet(*addresses: str) -> None:
    """Speak to hosts as if for the first time: the kernel learns their lladdrs, and they are REACHABLE.

    What it knew of them from another test is forgotten first: an entry that is STALE stays so for seconds.
    """
    for address in addresses:
        forget = ["ip", "neigh", "del", address, "dev", "eth0"]
        subprocess.run(forget, check=False, capture_output=True)
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((address, 9), timeout=10).close()


async def point_at(pilot: Any, until: Any, pane: NeighbourTablePane, address: str) -> None:
    """Put the cursor on a row."""
    await until(pilot, lambda: address in rows(pane))
    assert pane.query_one(Table).move_to_key(("eth0", address))
    await pilot.pause()


@pytest.mark.lab
@inside
async def test_neighbours_appear_change_and_go(logged_in, until, lab: Lab) -> None:
    made = lab.add_host("10.77.0.40", "b8:27:eb:00:00:40", {(80, "tcp"): "http"})
    async with logged_in() as (_app, pilot):
        pane = await shown(pilot, until)
        meet("10.77.0.40")
        await until(pilot, lambda: "REACHABLE" in rows(pane)["10.77.0.40"]["state"])
        row = rows(pane)["10.77.0.40"]
        assert row["lladdr"] == "b8:27:eb:00:00:40"
        assert "Raspberry" in row["vendor"]
        assert row["interface"] == "eth0"
        assert row["flags"] == "new"
        assert row["state"] != "REACHABLE", "a glyph goes with the word"
        lab.set_lladdr(made.name, "02:11:22:33:44:55")
        await until(pilot, lambda: rows(pane)["10.77.0.40"]["lladdr"] == "02:11:22:33:44:55")
        assert rows(pane)["10.77.0.40"]["vendor"] == "(private)"
        lab.run(["ip", "neigh", "flush", "to", "10.77.0.40"])
        lab.run(["ip", "neigh", "del", "10.77.0.40", "dev", "eth0"], check=False)
        await until(
            pilot,
            lambda: "10.77.0.40" not in rows(pane) or "FAILED" in rows(pane)["10.77.0.40"]["state"],
        )
    lab.remove_host(made.name)


@pytest.mark.lab
@inside
async def test_a_neighbour_is_first_seen_before_anybody_looks(logged_in, until, lab: Lab) -> None:
    async with logged_in() as (app, pilot):
        service = app.services.neighbours
        await until(pilot, lambda: service.revision)
        meet("10.77.0.12")

        def first_seen() -> datetime | None:
            return {record.address: record.first_seen for record in service.snapshot(app.actor)}["10.77.0.12"]

        seen = await until(pilot, first_seen)
        pane = await shown(pilot, until)
        await until(pilot, lambda: "10.77.0.12" in rows(pane))
        assert first_seen() == seen


@pytest.mark.lab
@inside
async def test_enter_shows_every_lladdr_of_the_address(logged_in, until, lab: Lab, screen_text) -> None:
    made = lab.add_host("10.77.0.41", "b8:27:eb:00:00:41", {(80, "tcp"): "http"})
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        meet("10.77.0.41")
        await until(pilot, lambda: rows(pane)["10.77.0.41"]["lladdr"] == "b8:27:eb:00:00:41")
        lab.set_lladdr(made.name, "b8:27:eb:00:99:41")
        await until(pilot, lambda: rows(pane)["10.77.0.41"]["lladdr"] == "b8:27:eb:00:99:41")
        await app.services.neighbours._store()
        await point_at(pilot, until, pane, "10.77.0.41")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, History))
        await until(pilot, lambda: "b8:27:eb:00:00:41" in screen_text(app))
        assert "b8:27:eb:00:99:41" in screen_text(app)
        assert "Confirmed" in screen_text(app)
        assert "Raspberry" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
    lab.remove_host(made.name)


@pytest.mark.lab
@inside
async def test_a_row_that_changed_flashes_once(logged_in, until, lab: Lab) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        meet("10.77.0.10")
        await until(pilot, lambda: "REACHABLE" in rows(pane)["10.77.0.10"]["state"])
        await point_at(pilot, until, pane, "10.77.0.10")
        flashed: list[frozenset[Any]] = []
        table = pane.query_one(Table)
        original = table.refresh_changed
        table.refresh_changed = lambda keys, flash: (
            flashed.append(frozenset(keys)),
            original(keys, flash=flash),
        )
        lab.run(["ip", "neigh", "change", "10.77.0.10", "dev", "eth0", "nud", "stale"])
        await until(pilot, lambda: "STALE" in rows(pane)["10.77.0.10"]["state"])
        await until(pilot, lambda: any(("eth0", "10.77.0.10") in keys for keys in flashed))
        flashed.clear()
        app.services.neighbours.refresh()  # everything is reported again, and nothing has changed
        revision = app.services.neighbours.revision
        await until(pilot, lambda: pane._revision > revision)
        assert ("eth0", "10.77.0.10") not in set().union(*flashed)


@pytest.mark.lab
@inside
async def test_pivots_take_address_and_interface_along(logged_in, until, lab: Lab) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        meet("10.77.0.11")
        await point_at(pilot, until, pane, "10.77.0.11")
        await pilot.press("s")
        await until(pilot, lambda: app.screen.query_one("#targets", Input).value == "10.77.0.11")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        await pilot.press("2")
        await until(pilot, lambda: pane.query_one(Table).grid.has_focus)
        await pilot.press("c")
        await until(pilot, lambda: app.screen.query_one("#host", Input).value == "10.77.0.11")
        await until(pilot, lambda: app.screen.query_one("#interface", Select).value == "eth0")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        await pilot.press("2")
        await until(pilot, lambda: pane.query_one(Table).grid.has_focus)
        await pilot.press("H")
        await until(pilot, lambda: app.screen.query_one("#hosts", Table).filter_text == "10.77.0.11")


@pytest.mark.lab
@inside
@pytest.mark.parametrize("format", ["csv", "json"])
async def test_export_writes_the_table(logged_in, until, lab: Lab, tmp_path: Path, format: str) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        meet("10.77.0.10", "10.77.0.11")
        await until(pilot, lambda: {"10.77.0.10", "10.77.0.11"} <= rows(pane).keys())
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Export))
        target = tmp_path / f"out.{format}"
        app.screen.query_one("#format").value = format
        app.screen.query_one("#path").value = str(target)
        await pilot.press("enter")
        await until(pilot, target.exists)
        text = target.read_text()
        found = json.loads(text) if format == "json" else list(csv.DictReader(text.splitlines()))
        addresses = {
            entry["address"] for entry in (found["neighbours"] if isinstance(found, dict) else found)
        }
        assert {"10.77.0.10", "10.77.0.11"} <= addresses


@pytest.mark.lab
@inside
async def test_names_of_rows_in_sight_are_shown(logged_in, until, screen_text, lab: Lab) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        meet("10.77.0.10")
        await until(pilot, lambda: rows(pane)["10.77.0.10"]["name"] == "h10.lab.test")
        assert "name" in pane.query_one(Table).visible_columns
        await point_at(pilot, until, pane, "10.77.0.10")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, History))
        await until(pilot, lambda: "h10.lab.test" in screen_text(app))


@pytest.mark.lab
@inside
async def test_switched_off_no_name_is_asked_for(logged_in, until, lab: Lab) -> None:
    off = load_settings(environ={"NETMON_TUI_NEIGHBOURS_RESOLVE_NAMES": "false"})
    async with logged_in(settings=off) as (app, pilot):
        pane = await shown(pilot, until)
        meet("10.77.0.10")
        await until(pilot, lambda: ("eth0", "10.77.0.10") in pane._aged)
        assert rows(pane)["10.77.0.10"]["name"] == ""
        assert app.services.segment.names._names._threads == 0


@pytest.mark.lab
@inside
async def test_the_first_change_does_not_wait_for_the_tick(
    logged_in, until, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveScreen, "_begin_ticking", lambda screen: None)
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        await until(pilot, lambda: pane._revision >= 0)
        meet("10.77.0.12")
        await until(pilot, lambda: "10.77.0.12" in rows(pane))  # on its way to REACHABLE, or there
        app.screen.toggle_frozen()
        lab.run(["ip", "neigh", "change", "10.77.0.12", "dev", "eth0", "nud", "permanent"])
        try:
            known = app.services.neighbours
            changed = ("eth0", "10.77.0.12")
            await until(pilot, lambda: known.of(app.actor, [changed])[0].state == "PERMANENT")
            assert "PERMANENT" not in rows(pane)["10.77.0.12"]["state"]
        finally:  # a flush spares it: it would stay in the lab's table for all that come after
            lab.run(["ip", "neigh", "del", "10.77.0.12", "dev", "eth0"], check=True)


async def test_a_kernel_without_room_is_said_above_the_table(
    logged_in, until, screen_text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pane_module, "ROOM_SECONDS", 0.0)
    async with logged_in(size=(80, 24)) as (app, pilot):
        told = [NeighbourLimits(Family.IPV4, 1_000_900, 1, 500_000, 1_000_999, 0)]
        app.services.room._read = lambda: list(told)
        await shown(pilot, until)
        await until(pilot, lambda: "nearly full" in screen_text(app))
        assert "net.ipv4.neigh.default.gc_thresh3=4003996" in screen_text(app)
        told[0] = NeighbourLimits(Family.IPV4, 9, 1, 500_000, 1_000_999, 0)
        await until(pilot, lambda: "nearly full" not in screen_text(app))


async def test_a_table_that_cannot_be_followed_says_why(
    logged_in, until, screen_text, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise NetmonError("the kernel does not tell", why="no such socket")

    with monkeypatch.context() as patched:
        patched.setattr(service_module, "NeighbourMonitor", refused)
        async with logged_in() as (app, pilot):
            await shown(pilot, until)
            await until(pilot, lambda: "the kernel does not tell: no such socket" in screen_text(app))
            assert "ctrl+r" in screen_text(app)
            patched.undo()
            await pilot.press("ctrl+r")
            await until(pilot, lambda: "the kernel does not tell" not in screen_text(app))


async def test_a_viewer_may_look_but_not_scan(logged_in, until) -> None:
    async with logged_in(role="viewer") as (app, pilot):
        pane = await shown(pilot, until)
        allowed = {active.binding.action for active in app.screen.active_bindings.values()}
        assert {"export", "refresh", "host"} <= allowed
        assert not {"scan", "capture"} & allowed
        assert pane.check_action("scan", ()) is False


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (20, 5)])
async def test_any_size_of_terminal(logged_in, until, size: tuple[int, int]) -> None:
    async with logged_in(size=size) as (_app, pilot):
        pane = await shown(pilot, until)
        columns = pane.query_one(Table).visible_columns
        assert columns[0] == "address"
        if size[0] >= 80:
            assert {"lladdr", "vendor", "interface", "state", "name"} <= set(columns)
