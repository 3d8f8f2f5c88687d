"""Schedules on the screen: made in the scan form and in their list, changed, switched, run, opened, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from textual.widgets import Button, Input, Select, Static

from netmon_tui.domain.job import JobState
from netmon_tui.domain.schedule import SaveSchedule, Schedule, When
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.modals.schedule_form import ScheduleForm
from netmon_tui.ui.modals.schedule_list import ScheduleList
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.tick import Tick

HOURLY = SaveSchedule("Hourly", ("127.0.0.1",), When(every=3600), arguments="-sL")


async def open_list(app: Any, pilot: Any, until: Any) -> ScheduleList:
    await pilot.press("S")
    await until(pilot, lambda: isinstance(app.screen, ScheduleList) and app.screen.query_one(Table))
    found: ScheduleList = app.screen
    return found


async def open_form(app: Any, pilot: Any, until: Any, key: str) -> ScheduleForm:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, ScheduleForm) and app.screen.query_one("#save"))
    found: ScheduleForm = app.screen
    return found


def shown(form: ScheduleForm) -> str:
    return str(form.query_one("#schedule-preview", Static).visual)


def fill(form: ScheduleForm, **fields: str) -> None:
    for name, text in fields.items():
        form.query_one(f"#schedule-{name}", Input).value = text


async def all_of(app: Any) -> list[Schedule]:
    found: list[Schedule] = await app.services.schedules.find_all(app.actor)
    return found


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_what_is_typed_in_the_scan_form_becomes_a_schedule(
    logged_in: Any, until: Any, size: tuple[int, int]
) -> None:
    async with logged_in(size=size) as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ScanForm) and app.screen.query_one("#start"))
        scan_form = app.screen
        scan_form.query_one("#targets", Input).value = "127.0.0.1, 127.0.0.2"
        scan_form.query_one("#one-nmap", Tick).value = True
        form = await open_form(app, pilot, until, "ctrl+r")
        assert form.query_one("#save").region.bottom <= size[1]
        await until(pilot, lambda: "a schedule needs a name" in shown(form) and shown(form).count(":00") == 5)
        assert form.query_one("#save", Button).disabled
        assert form.query_one("#schedule-profile", Select).value == "Quick scan"
        assert form.query_one("#schedule-options", Input).disabled
        fill(form, name="[b]Mine", when="0 3 * * 9")
        await until(pilot, lambda: "the day of week '9'" in shown(form))
        await pilot.press("enter")
        await until(pilot, lambda: "the day of week '9'" in shown(form))
        fill(form, when="0 3 * * mon-fri", zone="Europe/Berlin")
        await until(pilot, lambda: "At 03:00 on Monday through Friday" in shown(form))
        assert shown(form).count(" 03:00 CE") == 5
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is scan_form)
        (saved,) = await all_of(app)
        assert saved.saved == SaveSchedule(
            "[b]Mine",
            ("127.0.0.1", "127.0.0.2"),
            When(cron="0 3 * * mon-fri", zone="Europe/Berlin"),
            "Quick scan",
            staged=False,
        )
        assert scan_form.query_one("#targets", Input).value == "127.0.0.1, 127.0.0.2"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_the_list_makes_changes_switches_and_deletes(
    logged_in: Any, until: Any, screen_text: Callable[[Any], str], size: tuple[int, int]
) -> None:
    async with logged_in(size=size) as (app, pilot):
        dialog = await open_list(app, pilot, until)
        await until(pilot, lambda: "No schedules yet" in screen_text(app))
        form = await open_form(app, pilot, until, "n")
        fill(form, name="Mine", targets="127.0.0.1", when="1d12h")
        await until(pilot, lambda: not form.query_one("#save", Button).disabled)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is dialog and "every 1d12h" in screen_text(app))
        form = await open_form(app, pilot, until, "enter")
        fill(form, when="2h")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is dialog and "every 2h" in screen_text(app))
        await pilot.press("x")
        await until(pilot, lambda: "off" in screen_text(app))
        assert not (await all_of(app))[0].enabled
        await pilot.press("x")
        await until(pilot, lambda: "pending" in screen_text(app))
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: app.screen is dialog and "No schedules yet" in screen_text(app))
        assert await all_of(app) == []


async def test_the_list_tells_how_captures_are_repeated(logged_in: Any, until: Any, screen_text: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: app.screen.query_one("#captures", Table).grid.has_focus)
        await open_list(app, pilot, until)
        await until(pilot, lambda: "No schedules yet" in screen_text(app))
        assert screen_text(app).count("ctrl+r in their form") == 2  # in place of rows, and with the keys
        await app.services.schedules.create(app.actor, HOURLY)
        await until(pilot, lambda: "Hourly" in screen_text(app))
        assert screen_text(app).count("of captures: ctrl+r in their form") == 1


async def test_a_run_is_asked_for_and_its_scan_opened(
    logged_in: Any, until: Any, screen_text: Callable[[Any], str]
) -> None:
    async with logged_in() as (app, pilot):
        await app.services.schedules.create(app.actor, HOURLY)
        dialog = await open_list(app, pilot, until)
        await until(pilot, lambda: dialog.query_one(Table).cursor_key)
        await pilot.press("v")  # there is none yet
        assert app.screen is dialog
        await pilot.press("r")
        await until(pilot, lambda: "✓ done" in screen_text(app))
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))


async def test_why_the_last_run_came_to_nothing_is_shown(
    logged_in: Any, until: Any, screen_text: Callable[[Any], str]
) -> None:
    async with logged_in() as (app, pilot):
        schedules = app.services.schedules
        await schedules.create(app.actor, HOURLY)

        async def nobody(actor: Any) -> None:
            return None

        schedules._today = nobody
        dialog = await open_list(app, pilot, until)
        await until(pilot, lambda: dialog.query_one(Table).cursor_key)
        await pilot.press("r")
        await until(pilot, lambda: "the account of ada may not be used" in screen_text(app))
        await until(pilot, lambda: "failed" in screen_text(app))


async def test_what_is_due_is_started_while_somebody_uses_the_program(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        schedules = app.services.schedules
        await schedules.create(app.actor, HOURLY)
        schedules._clock = lambda: datetime.now(UTC) + timedelta(hours=1, minutes=1)

        async def has_run() -> None:
            while [scan.state for scan in await app.services.scans.find(app.actor)] != [JobState.COMPLETED]:
                await pilot.pause(0.1)

        await asyncio.wait_for(has_run(), 30)
