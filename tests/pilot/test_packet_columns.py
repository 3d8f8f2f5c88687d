"""Columns of packets and places in them as a user chooses them, with sharkd as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.ui.modals.columns import Columns
from netmon_tui.ui.modals.line_form import LineForm
from netmon_tui.ui.modals.packet_columns import PacketColumnForm
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets.packet_columns import is_pending
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.row_source import cell_text
from netmon_tui.ui.widgets.table import Table
from tests.bench.generate_pcap import generate
from tests.pilot.test_display_filter import open_capture
from tests.unit.services.test_sealed_packets import STATION, made

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "made.pcap"
    generate(path, 3_000)
    return path


def cell(app: Any, key: str) -> str:
    """The cell of the packet under the cursor; empty while it is not known."""
    table = app.screen.query_one("#packets", Table)
    row = table.cursor_row
    at = [column.key for column in table.columns].index(key)
    return "" if row is None or is_pending(row) else cell_text(row.cells[at])


def column(table: Table, key: str) -> list[str]:
    """The cells of a column that are known, near the cursor."""
    at = [column.key for column in table.columns].index(key)
    rows = table.source.window(table.grid.cursor, table.grid.cursor + 20) or ()
    return [cell_text(row.cells[at]) for row in rows if row and not is_pending(row)]


async def go_to(app: Any, pilot: Any, until: Any, text: str) -> None:
    await pilot.press("ctrl+g")
    await until(pilot, lambda: isinstance(app.screen, LineForm))
    app.screen.query_one(Input).value = text
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))


async def test_columns_are_chosen_ordered_filled_and_kept(
    logged_in: Any, until: Any, screen_text: Any, file: Path
) -> None:
    async with logged_in() as (app, pilot):
        await open_capture(app, pilot, until, file)
        table, chosen = app.screen.query_one("#packets", Table), app.services.packets.columns.chosen
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, PacketColumnForm))
        assert not any(isinstance(screen, Columns) for screen in app.screen_stack)
        await pilot.press("down", "space", "J", "a")  # hides the time; what is hidden does not move
        await until(pilot, lambda: isinstance(app.screen, LineForm))
        app.screen.query_one(Input).value = "no.such.field"
        await pilot.press("enter")
        await until(pilot, lambda: "there is no such field" in screen_text(app))
        app.screen.query_one(Input).value = "udp.port"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PacketColumnForm))
        await until(pilot, lambda: app.screen.query_one(Table).cursor_key == "udp.port")
        await pilot.press("K", "enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        keys = ("number", "source", "destination", "protocol", "udp.port", "length", "info")
        assert tuple(column.key for column in table.columns) == keys
        await go_to(app, pilot, until, "2402")
        assert await until(pilot, lambda: cell(app, "number") == "2 402")
        await pilot.press("P")
        await until(pilot, lambda: "Seq=" in cell(app, "info") or "Len=" in cell(app, "info"))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "time" in [column.key for column in table.columns])
        await until(pilot, lambda: any(port.endswith(",53") for port in column(table, "udp.port")))
        shown = tuple(column.key for column in table.columns)
        while await chosen(app.actor) != PacketColumns(shown, by_tshark=True):
            await pilot.pause(0.02)


async def test_a_field_of_the_tree_becomes_a_column(logged_in: Any, until: Any, file: Path) -> None:
    async with logged_in() as (app, pilot):
        await open_capture(app, pilot, until, file)
        tree = app.screen.query_one(PacketTree)
        tree.table.focus()
        await pilot.press("asterisk")
        path = await until(
            pilot, lambda: next((path for path, node in tree._by_path.items() if node.name == "ip.ttl"), None)
        )
        tree.table.move_to_key(path)
        await pilot.press("plus")
        await until(pilot, lambda: cell(app, "ip.ttl") == "64")


async def test_a_column_that_gives_way_is_told(logged_in: Any, until: Any, file: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        assert "time" in browser.table.visible_columns and "length" not in browser.table.visible_columns
        for field, words in (
            ("ip.ttl", "ip.ttl is a column now; C takes it away"),
            ("ip.id", "no room for Time"),
        ):
            browser.post_message(PacketTree.ColumnAsked(field))
            await until(pilot, lambda field=field: field in browser.table.visible_columns)
            await until(pilot, lambda words=words: any(words in one.message for one in app._notifications))
            assert ("time" in browser.table.visible_columns) is (field == "ip.ttl")


async def test_one_goes_to_numbers_times_distances_and_parts(
    logged_in: Any, until: Any, screen_text: Any, file: Path
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await open_capture(app, pilot, until, file)
        table = app.screen.query_one("#packets", Table)
        for text, number in (("2999", 2999), ("50%", 1500), ("-500", 1000), ("+10ms", 1209), ("+1h", 3000)):
            await go_to(app, pilot, until, text)
            await until(pilot, lambda wanted=number: table.cursor_key == wanted)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(app.screen, LineForm))
        app.screen.query_one(Input).value = "somewhere"
        await pilot.press("enter")
        await until(pilot, lambda: "is no place in a capture" in screen_text(app))
        await pilot.press("escape", "escape")  # the first says that what was typed is lost
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))


async def test_a_link_type_that_is_not_ours_is_told_by_the_dissector(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    path = tmp_path / "wifi.pcap"
    path.write_bytes(made(127, times=600))
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, path)
        assert await until(pilot, lambda: cell(app, "info").startswith("Beacon frame"))
        assert (cell(app, "source"), cell(app, "protocol")) == (STATION, "802.11")
        assert browser.address == STATION
        await go_to(app, pilot, until, "1199")
        await until(pilot, lambda: cell(app, "number") == "1 199" and cell(app, "source") == STATION)
