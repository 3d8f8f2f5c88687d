"""The capture form: filters in words, the library, and the interface that is chosen by its traffic."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.widgets import Input, Select, Static

from netmon_tui.ui.modals.capture_filters import CaptureFilterForm, CaptureFilterList
from netmon_tui.ui.modals.capture_form import CaptureForm
from netmon_tui.ui.modals.interface_picker import InterfacePicker
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.table import Table
from tests.lab.network import Lab
from tests.pilot.test_captures_pane import open_form, rows, to_captures, verdict

pytestmark = [pytest.mark.lab, pytest.mark.inside_lab]


async def test_a_filter_is_explained_taken_from_the_library_kept_and_recalled(
    logged_in: Any, until: Any
) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        form = await open_form(app, pilot, until)
        line = form.query_one("#filter", Input)
        line.value = "tcp or udp and port 53"
        await until(pilot, lambda: "(TCP or UDP) packets to or from port 53" in verdict(app))
        assert "weigh the same" in str(form.query_one("#cautions", Static).content)
        line.value = "tcp and (udp 53)"
        await until(pilot, lambda: "such as `port` or `host` is missing" in verdict(app))
        assert form.query_one("#caret", Figure).text == " " * 13 + "^"
        assert not form.query_one("#cautions").display

        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, CaptureFilterList))
        table = app.screen.query_one(Table)
        await until(pilot, lambda: table.row_count >= 25)
        await pilot.press("slash", *"zero", "enter")
        await until(pilot, lambda: table.row_count == 1)
        about = app.screen.query_one("#capture-filter-about", Static)
        await until(pilot, lambda: "with window equal to 0" in str(about.content))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is form and line.value.startswith("tcp[14:2] = 0"))
        await until(pilot, lambda: "with window equal to 0" in verdict(app))

        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, CaptureFilterForm))
        app.screen.query_one("#capture-filter-name", Input).value = "Stuck"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is form)
        line.value = "udp port 7"
        await until(pilot, lambda: "UDP packets to or from port 7" in verdict(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await pilot.press("x", "escape")

        await open_form(app, pilot, until)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, CaptureFilterList))
        table = app.screen.query_one(Table)
        await until(pilot, lambda: table.row_count >= 25)
        assert [row[0] for row in rows(table)[:3]] == ["Stuck", "recent", "ARP"]
        await pilot.press("down", "down", "delete")
        await until(pilot, lambda: any("Built-in filters stay" in one.message for one in app._notifications))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, CaptureFilterForm))
        app.screen.query_one("#capture-filter-name", Input).value = "My ARP"
        await pilot.press("enter")
        await until(pilot, lambda: [row[0] for row in rows(table)[:2]] == ["My ARP", "Stuck"])
        await pilot.press("home", "down")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureForm))
        assert app.screen.query_one("#filter", Input).value == "udp port 7"


async def test_the_interface_is_chosen_by_its_traffic(logged_in: Any, until: Any, lab: Lab) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        form = await open_form(app, pilot, until)
        select = form.query_one("#interface", Select)
        await until(pilot, lambda: select.value == "eth0")
        await pilot.click("#interface")
        await until(pilot, lambda: isinstance(app.screen, InterfacePicker))
        assert not select.expanded
        table = app.screen.query_one(Table)

        def through(name: str) -> str:
            (row,) = (row for row in rows(table) if row[0] == name)
            return row[2]

        async def traffic() -> None:
            while not (through("eth0").strip("0 p/s") and through("any").strip("0 p/s")):
                await asyncio.to_thread(lab.udp_exchange, 50)
                await pilot.pause()

        await until(pilot, lambda: table.row_count >= 3)
        assert [row[0] for row in rows(table)][-1] == "any"
        await asyncio.wait_for(traffic(), 60)
        await pilot.press("G", "enter")
        await until(pilot, lambda: app.screen is form and select.value == "any")
        select.focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InterfacePicker))
        await until(pilot, lambda: app.screen.query_one(Table).cursor_key == "any")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is form)
        assert select.value == "any"
