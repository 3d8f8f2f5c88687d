"""TLS keys are given where one misses them: in the packets, and in a stream."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.line_form import LineForm
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.stream import StreamScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.text_view import TextView
from tests.unit.services.tsharks import keep
from tests.unit.tools.encrypted import encrypted
from tests.unit.tools.exchanges import exchanges

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")]


async def open_capture(app: Any, pilot: Any, until: Any, data: bytes) -> tuple[int, Table]:
    """Show the packets of a stored capture; return its id and the list."""
    number = keep(app.services, app.screen.session.actor, data)
    app.push_screen(CaptureDetailScreen(app.screen.session, number))
    table = await until(pilot, lambda: app.screen.query_one("#packets", Table))
    await until(pilot, lambda: table.cursor_key == 1)
    return number, table


async def give(app: Any, pilot: Any, until: Any, path: str, ways: str) -> None:
    """Answer the form that K opens."""
    await pilot.press("K")
    await until(pilot, lambda: isinstance(app.screen, LineForm) and app.screen.is_mounted)
    line = await until(pilot, lambda: app.screen.query_one(Input))
    assert ways in app.screen._ways
    line.value = path
    await pilot.press("enter")


async def test_keys_are_given_and_removed_in_the_open_packets(
    logged_in: Any, until: Any, screen_text: Any, tmp_path: Path
) -> None:
    made, keys = encrypted(tmp_path)
    async with logged_in(size=(120, 40)) as (app, pilot):
        number, table = await open_capture(app, pilot, until, made.data())
        assert "GET /" not in screen_text(app)
        await give(app, pilot, until, str(tmp_path / "none"), "0 kept")
        await until(pilot, lambda: "none" in screen_text(app) and isinstance(app.screen, LineForm))
        app.screen.query_one(Input).value = str(keys)
        await pilot.press("enter")
        await until(
            pilot, lambda: isinstance(app.screen, CaptureDetailScreen) and "GET /" in screen_text(app)
        )
        browser = app.screen.query_one(FileSetBrowser).browser
        browser.filter_bar.put("http.response", apply=True)
        await until(pilot, lambda: table.row_count == 1)
        tree = app.screen.query_one(PacketTree)
        await until(pilot, lambda: tree.detail and any(one.name == "http" for one in tree.detail.layers))
        await give(app, pilot, until, "", "1 kept")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen) and table.row_count == 0)
        assert await app.services.packets.keys.count(app.actor, number) == 0


async def test_keys_are_given_in_a_stream_that_misses_them(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    made, keys = encrypted(tmp_path)
    async with logged_in(size=(80, 24)) as (app, pilot):
        await open_capture(app, pilot, until, made.data())
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, StreamScreen))
        said = app.screen.query_one("#stream-state", Figure)
        view = app.screen.query_one(TextView)
        await until(pilot, lambda: "client sent" in said.text)
        await pilot.press("p")
        await until(pilot, lambda: said.text == "No data, and no TLS keys are kept: K takes them")
        await give(app, pilot, until, str(keys), "0 kept")
        await until(pilot, lambda: view.lines and view.lines[-1].text == "< hello")
        await pilot.press("escape")
        table = app.screen.query_one("#packets", Table)
        await until(pilot, lambda: any("GET /" in str(row) for row in table.source.window(0, 30)))


async def test_who_may_not_capture_gives_no_keys(logged_in: Any, until: Any) -> None:
    async with logged_in(role="viewer") as (app, pilot):
        await open_capture(app, pilot, until, exchanges().data())
        assert app.screen.check_action("keys", ()) is None
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, StreamScreen))
        assert app.screen.check_action("keys", ()) is None
