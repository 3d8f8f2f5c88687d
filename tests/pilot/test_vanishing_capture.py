"""An open capture whose file others move away and cut short: told in its place, and nothing breaks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.domain.capture_files import CAPTURE_NAME
from netmon_tui.runtime.tool_paths import find_tool
from tests.bench.generate_pcap import generate
from tests.pilot.test_display_filter import apply, open_capture, said, shown

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]
COUNT = 3_000


async def test_a_file_that_goes_away_and_then_shrinks_while_it_is_open(
    logged_in: Any, until: Any, screen_text: Any, tmp_path: Path
) -> None:
    made, moved = tmp_path / "made.pcap", tmp_path / "moved.pcap"
    generate(made, COUNT)
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, made)
        (file,) = app.services.paths.jobs.glob(f"*/{CAPTURE_NAME}")
        file.rename(moved)
        await pilot.press("end")
        await until(pilot, lambda: said(app, "packet-dissector") == "packet 3 000 by sharkd")
        await apply(app, pilot, until, "dns")
        await until(pilot, lambda: said(app, "display-words").startswith("the file is gone: another program"))
        await until(pilot, lambda: shown(app) == COUNT)
        await pilot.press("escape")
        os.truncate(moved, 100_000)
        browser.table.grid.action_edge(True)
        await until(pilot, lambda: "became shorter" in screen_text(app))
        os.replace(moved, file)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one("#captures"))
        await pilot.press("enter")
        await until(pilot, lambda: "is cut" in said(app, "packet-damage") and 0 < shown(app) < COUNT)
        os.truncate(file, 3_000)
        await pilot.press("end")
        await until(pilot, lambda: said(app, "packet-damage").startswith("the file became shorter than the "))
