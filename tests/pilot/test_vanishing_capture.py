"""An open capture whose file others move away and cut short: told in its place, and nothing breaks."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.domain.capture_files import CAPTURE_NAME
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.traffic import TrafficScreen
from netmon_tui.ui.widgets.table import Table
from tests.bench.generate_pcap import generate
from tests.pilot.conftest import ADMIN, PASSWORD
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


async def test_an_open_capture_that_another_program_deletes_is_told_of_once_and_shown_no_more(
    logged_in: Any, until: Any, screen_text: Any, tmp_path: Path
) -> None:
    made = tmp_path / "made.pcap"
    generate(made, COUNT)
    async with logged_in(size=(80, 24)) as (app, pilot):
        await open_capture(app, pilot, until, made)
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TrafficScreen) and "packets" in screen_text(app))
        assert await delete_elsewhere(app, tmp_path) == 0
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await until(pilot, lambda: said(app, "capture-title") == "Capture 1 was deleted")
        await until(pilot, lambda: "Somebody has deleted it with its packets" in screen_text(app))
        told = [one.message for one in app._notifications]
        assert [one for one in told if "1" in one] == ["Capture 1 was deleted"]
        assert not app.screen.query(Table) and "done" not in screen_text(app)
        await pilot.press("T", "A", "w", "d", "D", "F", "ctrl+g", "i")
        assert isinstance(app.screen, CaptureDetailScreen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main" and "No captures yet" in screen_text(app))
        assert len(app._notifications) == len(told)


async def delete_elsewhere(app: Any, tmp_path: Path) -> int:
    """Delete the capture by the command line."""
    word = tmp_path / "password"
    word.write_text(PASSWORD)
    word.chmod(0o600)
    argv = ["--data-dir", str(app.paths.data), "--user", ADMIN, "--password-file", str(word)]
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "netmon_tui", *argv, "capture", "delete", "1"
    )
    return await program.wait()
