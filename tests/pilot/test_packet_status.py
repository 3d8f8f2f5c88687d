"""The line under the packets on a narrow screen: what is cut first, and the name of a field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.ui.widgets.packet_tree import PacketTree
from tests.bench.generate_pcap import generate
from tests.pilot.test_display_filter import apply, open_capture

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]


def line(app: Any, screen_text: Any) -> str:
    """The line under the list, as it is seen."""
    top = app.screen.query_one("#packet-status").region.y
    return str(screen_text(app).splitlines()[top]).strip()


async def test_what_is_done_is_told_before_who_dissected(
    logged_in: Any, until: Any, screen_text: Any, tmp_path: Path
) -> None:
    generate(tmp_path / "made.pcap", 30_000)
    async with logged_in(size=(80, 24)) as (app, pilot):
        browser = await open_capture(app, pilot, until, tmp_path / "made.pcap")
        assert line(app, screen_text).endswith("  packet 1 by sharkd")
        await apply(app, pilot, until, "frame.number < 30000")
        await until(pilot, lambda: browser.table.row_count == 29_999 and browser.table.grid.has_focus)
        await pilot.press("m", "M", "end", "M")
        words = "29 999 of 30 000 packets · 1 marked · part 1 to 29 999"
        await until(pilot, lambda: line(app, screen_text) == words)
        await pilot.press("M")
        await until(pilot, lambda: line(app, screen_text).endswith("packet 29 999 by sharkd"))


async def test_the_field_under_the_cursor_is_named(
    logged_in: Any, until: Any, screen_text: Any, tmp_path: Path
) -> None:
    generate(tmp_path / "made.pcap", 3)
    async with logged_in(size=(80, 24)) as (app, pilot):
        browser = await open_capture(app, pilot, until, tmp_path / "made.pcap")
        tree = browser.query_one(PacketTree)
        tree.table.focus()
        await until(pilot, lambda: tree.table.move_to_key((("eth", 0),)))
        await until(pilot, lambda: line(app, screen_text).endswith("  eth · 14 bytes"))
        await pilot.press("right", "right")
        await until(pilot, lambda: line(app, screen_text).endswith("  eth.dst · 6 bytes"))
        browser.table.focus()
        await until(pilot, lambda: line(app, screen_text).endswith("packet 1 by sharkd"))


async def test_text_that_looks_like_a_display_filter_leads_to_its_key(
    logged_in: Any, until: Any, screen_text: Any, tmp_path: Path
) -> None:
    generate(tmp_path / "made.pcap", 3)
    async with logged_in(size=(80, 24)) as (app, pilot):
        browser = await open_capture(app, pilot, until, tmp_path / "made.pcap")
        browser.table.filter_by("tcp.port == 80")
        await until(pilot, lambda: "A display filter is typed with d; esc shows all" in screen_text(app))
        browser.table.filter_by("nowhere")
        await until(pilot, lambda: "No row matches the filter. Press esc to show all" in screen_text(app))
