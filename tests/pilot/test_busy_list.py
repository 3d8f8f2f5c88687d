"""A list of packets for which several things run at once, with a tshark that stands still while a test looks."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.capture_on_disk import on_disk
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser
from netmon_tui.ui.widgets.packet_browser import PacketBrowser
from tests.bench.generate_pcap import generate
from tests.pilot.test_display_filter import apply, open_capture, said, shown
from tests.pilot.test_file_set import store
from tests.pilot.test_packet_find import find
from tests.unit.services.tsharks import gone, processes_with

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]
COUNT = 150_000
NEVER_THAT_LONG = 1_000_000 + os.getpid()
"""More bytes than any packet has, and another number in every process that runs these tests at the same time."""
FIRST, SECOND = f"tcp && frame.len < {NEVER_THAT_LONG}", f"udp && frame.len < {NEVER_THAT_LONG}"
"""Filters that only what was started from here has among its arguments."""


@pytest.fixture
def long(tmp_path: Path) -> Path:
    path = tmp_path / "long.pcap"
    generate(path, COUNT)
    return path


async def stop_tshark(pilot: Any, until: Any, browser: PacketBrowser, text: str) -> None:
    """Let the tshark that looks for a filter stand still, once it has found something."""
    await until(pilot, lambda: browser.is_busy() and browser.table.row_count and processes_with(text))
    for pid in processes_with(text):
        os.kill(pid, signal.SIGSTOP)


async def three_files(app: Any, pilot: Any, until: Any, newest: Path) -> FileSetBrowser:
    """Show a capture of three files, of which the newest is another."""
    await asyncio.to_thread(store, app)
    next(app.services.paths.jobs.rglob("capture-000007.pcap")).write_bytes(newest.read_bytes())
    app.push_screen(CaptureDetailScreen(app.screen.session, 1))
    await until(pilot, lambda: said(app, "file-set").startswith("File 3 of 3"))
    files: FileSetBrowser = app.screen.query_one(FileSetBrowser)
    await until(pilot, lambda: files.browser._packets.complete)
    return files


def filtering(app: Any) -> int:
    return sum(not worker.is_finished for worker in app.workers if worker.group == "display-filter")


async def test_a_list_is_not_whole_while_one_of_two_things_runs(
    logged_in: Any, until: Any, long: Path
) -> None:
    async with logged_in() as (app, pilot):
        browser = (await three_files(app, pilot, until, long)).browser
        await apply(app, pilot, until, FIRST)
        await stop_tshark(pilot, until, browser, FIRST)
        await pilot.press("right_curly_bracket")
        await until(pilot, lambda: any("No other file" in note.message for note in app._notifications))
        assert filtering(app) and browser.is_busy()
        assert browser.shown == ("", None), "what was found so far is no answer"
        await pilot.press("escape")
        await until(pilot, lambda: "stopped at" in said(app, "packet-count"))
        assert browser.filter_bar.text == FIRST and 0 < shown(app) < COUNT
        await until(pilot, lambda: not browser.is_busy())
        assert browser.shown[1] is not None and await gone(FIRST)


async def test_the_words_are_those_of_what_runs_now(logged_in: Any, until: Any, long: Path) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, long)
        await apply(app, pilot, until, FIRST)
        await stop_tshark(pilot, until, browser, FIRST)
        browser.begin_filter(SECOND)
        await stop_tshark(pilot, until, browser, SECOND)
        await until(pilot, lambda: filtering(app) == 1)
        assert "· filter " in said(app, "packet-count") and "stopped" not in said(app, "packet-count")
        browser.begin_filter("")
        await until(pilot, lambda: not filtering(app) and shown(app) == COUNT)
        await pilot.pause()
        assert said(app, "packet-count") == f"{thin(COUNT)} packets", "nothing of what is not shown any more"


async def test_what_is_found_in_another_file_is_waited_for_by_nobody_else(
    logged_in: Any, until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There all that the display filter lets through must be known first, which takes minutes in a large file."""
    made = tmp_path / "made.pcap"
    generate(made, 3_000)
    end_of_work, waits, may_end = PacketBrowser.end_of_work, asyncio.Event(), asyncio.Event()

    async def held(browser: PacketBrowser) -> None:
        waits.set()
        await may_end.wait()
        await end_of_work(browser)

    monkeypatch.setattr(PacketBrowser, "end_of_work", held)
    async with logged_in() as (app, pilot):
        files = await three_files(app, pilot, until, made)
        await pilot.press("[", "[")
        await until(pilot, lambda: said(app, "file-set").startswith("File 1 of 3") and shown(app) == 3)
        await apply(app, pilot, until, SECOND)
        await until(pilot, lambda: shown(app) == 2 and not files.browser.is_busy())
        await find(app, pilot, until, "host7")
        await until(pilot, waits.is_set)
        async with asyncio.timeout(20):
            await files.look(on_disk(files._files[0].parent), growing=False)
        assert said(app, "file-set").startswith("File 3 of 3")
        may_end.set()
        await until(pilot, lambda: "match 1 of" in said(app, "packet-count"))
