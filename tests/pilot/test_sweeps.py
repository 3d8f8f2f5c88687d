"""Sweeps, what is only remembered, and the ways between neighbours and scans, on the scanner of the lab."""

from __future__ import annotations

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input, Select

from netmon_tui.domain.scan import StartScan
from netmon_tui.storage.neighbour_repository import NeighbourRepository, Sighting
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.modals.history import History
from netmon_tui.ui.modals.schedule_form import ScheduleForm
from netmon_tui.ui.modals.sweep_form import SweepForm
from netmon_tui.ui.screens.host_history import HostHistoryScreen
from netmon_tui.ui.screens.neighbour_table import NeighbourTablePane
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.table import Table
from tests.lab.hosts import CAST, SUBNET
from tests.lab.network import Lab
from tests.pilot.test_neighbours_pane import meet, point_at, rows, shown
from tests.unit.services.made_scans import Store, host

PI, PI_LINK = "b8:27:eb:00:00:10", "fe80::ba27:ebff:fe00:10"
NAS_LINK = "fe80::211:32ff:fe00:11"


def marked(test: Any) -> Any:
    """Let a test run on the scanner."""
    return pytest.mark.lab(pytest.mark.inside_lab(test))


def forget() -> None:
    """Empty the kernel's table."""
    subprocess.run(["ip", "neighbour", "flush", "all"], check=True)


async def sweep_form(pilot: Any, until: Any) -> SweepForm:
    """Open the dialog and wait for what it says of the first network."""
    await shown(pilot, until)
    await pilot.press("w")
    form: SweepForm = await until(pilot, lambda: isinstance(pilot.app.screen, SweepForm) and pilot.app.screen)
    await until(pilot, lambda: not form.query_one("#start", Button).disabled)
    return form


@marked
async def test_enter_sweeps_the_network_and_v_shows_the_answers(
    logged_in, until, lab: Lab, tmp_path: Path
) -> None:
    forget()
    async with logged_in() as (app, pilot):
        form = await sweep_form(pilot, until)
        assert form.query_one("#sweep-addresses", Input).value == SUBNET
        await pilot.press("enter")
        pane = await until(pilot, lambda: app.screen.query_one(NeighbourTablePane))
        scans = await app.services.scans.find(app.actor)
        ended = await app.services.scanning.wait(app.actor, scans[0].id)
        assert (ended.name, ended.hosts_up) == (f"Sweep of {SUBNET}", len(CAST))
        quiet = "10.77.0.14"
        assert quiet not in rows(pane)
        await pilot.press("v")
        await until(pilot, lambda: "GONE" in rows(pane)[quiet]["state"])
        assert rows(pane)[quiet]["lladdr"] == "00:00:0c:00:00:14"
        removed: set[Any] = set()
        remove = pane._source.remove
        pane._source.remove = lambda keys: (removed.update(keys), remove(keys))
        meet(quiet)
        await until(pilot, lambda: "REACHABLE" in rows(pane)[quiet]["state"])
        assert removed == set(), "what is only remembered stays when the table changes"
        table = pane.query_one(Table)
        assert table.move_to_key(("eth0", quiet))
        forget()
        await until(pilot, lambda: "GONE" in rows(pane)[quiet]["state"])
        assert removed == set() and table.cursor_key == ("eth0", quiet)
        await pilot.press("D")
        said = f"The kernel has no entry for {quiet} on eth0: it is only remembered. a adds one"
        await until(pilot, lambda: said in [one.message for one in app._notifications])
        await pilot.press("e")
        dialog = await until(pilot, lambda: isinstance(app.screen, Export) and app.screen)
        dialog.query_one("#path", Input).value = str(tmp_path / "all.csv")
        await pilot.press("enter")
        await until(pilot, lambda: quiet in (tmp_path / "all.csv").read_text())
        await pilot.press("v")
        await until(pilot, lambda: quiet not in rows(pane))


@marked
async def test_what_is_not_local_is_refused_while_it_is_typed(
    logged_in, until, screen_text, lab: Lab
) -> None:
    async with logged_in() as (app, pilot):
        form = await sweep_form(pilot, until)
        field = form.query_one("#sweep-addresses", Input)
        field.value = "10.78.0.0/24"
        await until(pilot, lambda: "is not in a local network" in screen_text(app))
        assert form.query_one("#start", Button).disabled
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is form
        field.value = "10.77.0.8-12"
        await until(pilot, lambda: not form.query_one("#start", Button).disabled)
        assert await app.services.scans.find(app.actor) == []


@marked
async def test_another_network_is_chosen_and_repeated(logged_in, until, screen_text, lab: Lab) -> None:
    forget()
    async with logged_in() as (app, pilot):
        await until(pilot, lambda: app.services.neighbours.revision)
        meet("10.77.0.10")
        await until(pilot, lambda: app.services.neighbours.entries_of(app.actor, lladdr=PI))
        form = await sweep_form(pilot, until)
        choice = form.query_one("#sweep-local", Select)
        choice.value = next(n for n, one in enumerate(form._networks) if one.text == "fe80::%eth0/64")
        field = form.query_one("#sweep-addresses", Input)
        await until(pilot, lambda: field.value == "fe80::%eth0/64")
        await until(pilot, lambda: f"{PI_LINK}%eth0" in screen_text(app))
        await pilot.press("ctrl+r")
        schedule = await until(pilot, lambda: isinstance(app.screen, ScheduleForm) and app.screen)
        await until(pilot, lambda: not schedule.query_one("#save", Button).disabled)
        assert schedule.query_one("#schedule-when", Input).value == "10m"
        schedule.query_one("#save", Button).press()
        await until(pilot, lambda: app.screen is form)
        (made,) = await app.services.schedules.find_all(app.actor)
        assert (made.name, made.arguments) == ("Sweep of fe80:: on eth0", "-sn -n")
        assert f"{PI_LINK}%eth0" in made.targets


@marked
async def test_a_link_local_neighbour_is_scanned_with_its_zone(logged_in, until, lab: Lab) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        meet(f"{NAS_LINK}%eth0")
        await point_at(pilot, until, pane, NAS_LINK)
        await pilot.press("s")
        await until(pilot, lambda: app.screen.query_one("#targets", Input).value == f"{NAS_LINK}%eth0")
        await until(pilot, lambda: not app.screen.query_one("#start", Button).disabled)
        app.screen.query_one("#options", Input).value = "-n -sS -p 21,22"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.id == "main")
        (scan,) = await app.services.scans.find(app.actor)
        ended = await app.services.scanning.wait(app.actor, scan.id)
        assert (ended.hosts_up, ended.ports_open) == (1, 1)
        await pilot.press("2")
        await until(pilot, lambda: pane.query_one(Table).grid.has_focus)
        await pilot.press("c")
        await until(pilot, lambda: app.screen.query_one("#host", Input).value == NAS_LINK)
        await pilot.press("escape", "2")
        await until(pilot, lambda: pane.query_one(Table).grid.has_focus)
        await pilot.press("H")
        await until(pilot, lambda: app.screen.query_one("#hosts", Table).row_count == 1)
        await until(pilot, lambda: app.screen.query_one("#hosts", Table).cursor_key)
        await pilot.press("s")
        await until(pilot, lambda: app.screen.query_one("#targets", Input).value == f"{NAS_LINK}%eth0")


@marked
async def test_enter_tells_which_scans_found_the_neighbour_elsewhere(
    logged_in, until, screen_text, lab: Lab
) -> None:
    async with logged_in() as (app, pilot):
        store = Store(app.services, app.actor)
        moved = await asyncio.to_thread(store.scan, [host("10.77.0.77", 22, lladdr=PI)])
        pane = await shown(pilot, until)
        meet("10.77.0.10")
        await until(pilot, lambda: rows(pane)["10.77.0.10"]["lladdr"] == PI)
        await point_at(pilot, until, pane, "10.77.0.10")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, History))
        await until(pilot, lambda: "10.77.0.77" in screen_text(app))
        await pilot.press("tab", "enter")
        detail = await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen) and app.screen)
        assert detail.scan_id == moved
        await until(pilot, lambda: "10.77.0.77" in screen_text(app))


@marked
async def test_a_scanned_host_tells_its_neighbour_state_and_lladdrs(
    logged_in, until, screen_text, lab: Lab
) -> None:
    async with logged_in() as (app, pilot):
        earlier = datetime.now(UTC) - timedelta(days=3)
        was = Sighting("eth0", "10.77.0.10", "ipv4", "00:0c:29:00:00:01", False, earlier)
        await asyncio.to_thread(NeighbourRepository(app.services.database).remember, [was])
        await until(pilot, lambda: app.services.neighbours.revision)
        meet("10.77.0.10")
        await until(pilot, lambda: app.services.neighbours.entries_of(app.actor, address="10.77.0.10"))
        scan = await app.services.scanning.start(app.actor, StartScan(("10.77.0.10",), "-n -sS -p 22"))
        await app.services.scanning.wait(app.actor, scan.id)
        app.push_screen(ScanDetailScreen(app.screen.session, scan.id))
        await until(pilot, lambda: "up (arp-response), neighbour REACHABLE on eth0" in screen_text(app))
        await until(pilot, lambda: "had 00:0c:29:00:00:01 on eth0" in screen_text(app))
        app.pop_screen()
        app.push_screen(HostHistoryScreen(app.screen.session, "10.77.0.10"))
        told = await until(pilot, lambda: app.screen.query_one("#history-neighbour", Figure))
        await until(pilot, lambda: PI in told.text and "had 00:0c:29:00:00:01" in told.text)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, History))
        await until(pilot, lambda: "00:0c:29:00:00:01" in screen_text(app))


async def test_a_viewer_may_not_sweep(logged_in, until) -> None:
    async with logged_in(role="viewer") as (app, pilot):
        pane = await shown(pilot, until)
        allowed = {active.binding.action for active in app.screen.active_bindings.values()}
        assert "sweep" not in allowed
        assert "remembered" in allowed
        await pilot.press("w")
        await pilot.pause()
        assert app.screen.id == "main"
        assert pane.check_action("sweep", ()) is False
