"""A ring of files as a user makes and reads it, on the lab's network."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import Input, Select, Static

from netmon_tui.ui.modals.capture_about import CaptureAbout
from netmon_tui.ui.modals.packet_export import PacketExport
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.text_view import TextView
from tests.lab.network import Lab

pytestmark = [pytest.mark.lab, pytest.mark.inside_lab]
FIELDS = {"filter": "udp port 7", "file-size": "300k", "files": "3", "name": "ring"}


def line(app: Any) -> str:
    return app.screen.query_one("#file-set", Figure).text


def packets(app: Any) -> Table:
    return app.screen.query_one("#packets", Table)


async def start(app: Any, pilot: Any, until: Any) -> None:
    await pilot.press("3")
    await until(pilot, lambda: app.screen.query_one("#captures", Table).grid.has_focus)
    await pilot.press("n")
    form = await until(pilot, lambda: app.screen.query_one("#interface", Select))
    verdict = app.screen.query_one("#verdict", Static)
    await until(pilot, lambda: verdict.content)
    form.value = "eth0"
    app.screen.query_one("#files", Input).value = "3"
    limits = app.screen.query_one("#limits-error", Static)
    await until(pilot, lambda: "several files need a size or a time" in str(limits.content))
    assert "valid" in str(verdict.content), "it is not the filter that is refused"
    app.screen.query_one("#file-size", Input).value = "a lot"
    await until(pilot, lambda: "'a lot' is no size" in str(limits.content))
    app.screen.query_one("#filter", Input).value = "udp port"
    app.screen.query_one("#file-size", Input).value = "300k"
    await until(pilot, lambda: "✗" in str(verdict.content) and not str(limits.content))
    for name, value in FIELDS.items():
        app.screen.query_one(f"#{name}", Input).value = value
    await until(pilot, lambda: "valid" in str(verdict.content))
    app.screen.query_one("#filter").focus()
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))


async def test_a_ring_is_made_followed_and_turned_over(logged_in: Any, until: Any, lab: Lab) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await start(app, pilot, until)
        lab.udp_exchange(50, size=1000)
        await until(pilot, lambda: packets(app).row_count == 100)
        assert not line(app)
        first = app.screen.query_one(FileSetBrowser).browser.path
        lab.udp_exchange(500, size=1000)
        await until(pilot, lambda: "the ring has deleted it" in line(app))
        assert packets(app).row_count >= 100, "what is open stays readable"
        await pilot.press("f")
        await until(pilot, lambda: "File 3 of 3" in line(app))
        assert app.screen.query_one(FileSetBrowser).browser.path != first
        await until(pilot, lambda: packets(app).grid.follow)
        await pilot.press("x")
        await until(pilot, lambda: app.screen.query_one("#capture-ended", Static).display)
        await pilot.press("f", "[", "[")
        await until(pilot, lambda: "File 1 of 3" in line(app))
        await until(pilot, lambda: packets(app).row_count > 250)
        await until(pilot, lambda: packets(app).cursor_key == 1)
        await pilot.press("M", "M", "w")
        await until(pilot, lambda: isinstance(app.screen, PacketExport))
        name = app.screen_stack[-2].query_one(FileSetBrowser).shown_file
        chosen = app.screen.query(Select).first().value
        assert app.screen._choices[0].words() == f"file {name}, packet 1", chosen
        await pilot.press("escape", "a")
        await until(pilot, lambda: isinstance(app.screen, CaptureAbout))
        shown = [row.text for row in app.screen.query_one(TextView)._lines]
        assert [text for text in shown if text.startswith("Files")] == [
            "Files       3/3 of 300,000 bytes, then the oldest goes"
        ]
        told = [text for text in shown if text.startswith("Packets ")]
        assert len(told) == 4 and " on disk of 1,100 captured" in told[0]
        await pilot.press("escape", "escape")
        table = await until(pilot, lambda: app.screen.query_one("#captures", Table))
        await until(pilot, lambda: "3/3" in [getattr(cell, "text", cell) for cell in table.cursor_row.cells])
