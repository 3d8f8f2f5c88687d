"""A running capture goes on in another file while somebody looks at it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from netmon_tui.domain.capture_files import NUMBERED_NAME
from netmon_tui.domain.job import JobState
from netmon_tui.services.capture_on_disk import OnDisk
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.traffic import TrafficScreen
from netmon_tui.ui.widgets import packet_following
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser
from netmon_tui.ui.widgets.table import Table
from tests.bench.generate_pcap import generate
from tests.unit.services.tsharks import begin
from tests.unit.tools.exchanges import exchanges

MANY = 160_000
"""Packets: more than are indexed with some looks at a growing file."""


@pytest.fixture
def packets() -> bytes:
    """A file with 20 packets."""
    return exchanges().data()


async def watched(app: Any, pilot: Any, until: Any, data: bytes) -> Path:
    """Show a capture that runs and has two files; return the directory of its files."""
    session = app.screen.session
    number, folder = begin(app.services, session.actor)
    write(folder, 1, data)
    write(folder, 2, data)
    app.push_screen(CaptureDetailScreen(session, number))
    await until(pilot, lambda: app.screen.query_one("#packets", Table).row_count == 20)
    return folder


def write(folder: Path, number: int, data: bytes) -> None:
    path = folder / (NUMBERED_NAME % number)
    path.write_bytes(data)
    path.chmod(0o644)


def text(app: Any, name: str) -> str:
    return str(app.screen.query_one(f"#{name}", Figure).text)


async def test_nothing_is_put_in_another_place_under_somebody_who_types(
    logged_in: Any, until: Any, packets: bytes
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        folder = await watched(app, pilot, until, packets)
        await until(pilot, lambda: "File 2 of 2" in text(app, "file-set"))
        await pilot.press("f", "d", *"udp")
        files = app.screen.query_one(FileSetBrowser)
        browser = files.browser
        assert browser.following
        write(folder, 3, packets)
        await until(pilot, lambda: "File 2 of 3" in text(app, "file-set"))
        await pilot.press("x")
        assert files.browser is browser
        assert isinstance(app.screen.focused, Input) and app.screen.focused.value == "udpx"
        await pilot.press("escape")
        await until(pilot, lambda: "File 3 of 3" in text(app, "file-set"))
        assert files.browser is not browser


async def test_keys_that_are_pressed_while_a_file_is_opened_are_not_lost(
    logged_in: Any, until: Any, packets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        folder = await watched(app, pilot, until, packets)
        write(folder, 3, packets)
        await until(pilot, lambda: "File 2 of 3" in text(app, "file-set"))
        files, opened = app.screen.query_one(FileSetBrowser), app.services.packets.open
        asked, may_open = [], asyncio.Event()

        async def held(*arguments: Any) -> Any:
            asked.append(arguments)
            await may_open.wait()
            return await opened(*arguments)

        monkeypatch.setattr(app.services.packets, "open", held)
        await pilot.press("]")
        await until(pilot, lambda: asked)
        await pilot.press("[")
        may_open.set()
        await until(pilot, lambda: len(asked) == 2 and files.browser.table.row_count == 20)
        await until(pilot, lambda: "File 2 of 3" in text(app, "file-set"))

        may_open.clear()
        await pilot.press("]")
        await until(pilot, lambda: len(asked) == 3)
        await pilot.press("d", *"udp")
        may_open.set()
        await until(pilot, lambda: "File 3 of 3" in text(app, "file-set"))
        await until(pilot, lambda: files.browser.table.row_count == 20)
        await until(pilot, lambda: getattr(app.screen.focused, "value", "") == "udp")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.focused is files.browser.table.grid)

        may_open.clear()
        await pilot.press("[")
        await until(pilot, lambda: len(asked) == 4)
        await pilot.press("down", "down", "m")
        assert files.browser.table.row_count == 0
        may_open.set()
        await until(pilot, lambda: "File 2 of 3" in text(app, "file-set"))
        await until(pilot, lambda: [mark.number for mark in files.browser.all_marks] == [3])
        assert files.browser.table.cursor_key == 3


@pytest.mark.lab
async def test_a_filter_goes_on_in_a_file_that_has_no_packet_yet(
    logged_in: Any, until: Any, packets: bytes
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        folder = await watched(app, pilot, until, packets)
        files = app.screen.query_one(FileSetBrowser)
        files.browser.filter_bar.put("udp", apply=True)
        await until(pilot, lambda: 0 < files.browser.table.row_count < 20 and not files.browser.is_busy())
        found = files.browser.table.row_count
        await pilot.press("f")
        write(folder, 3, packets[:24])
        await until(pilot, lambda: "File 3 of 3" in text(app, "file-set"))
        await until(pilot, lambda: "filter up to packet 0" in text(app, "packet-count"))
        write(folder, 3, packets)
        await until(pilot, lambda: files.browser.table.row_count == found)


async def test_who_talks_goes_on_in_the_next_file(logged_in: Any, until: Any, packets: bytes) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        folder = await watched(app, pilot, until, packets)
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TrafficScreen))
        await until(pilot, lambda: NUMBERED_NAME % 2 in text(app, "traffic-title"))
        assert text(app, "traffic-state") == "20 packets · 1.6 kB on the wire"
        write(folder, 3, packets + packets[24:])
        await until(pilot, lambda: text(app, "traffic-state").startswith("40 packets"))
        assert f"{NUMBERED_NAME % 3}, the newest of 3" in text(app, "traffic-title")
        await pilot.press("escape")
        await until(pilot, lambda: "File 2 of 3" in text(app, "file-set"))
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TrafficScreen))
        await until(pilot, lambda: f"{NUMBERED_NAME % 2}, file 2 of 3" in text(app, "traffic-title"))


async def test_who_talks_counts_all_files_when_the_capture_has_ended(
    logged_in: Any, until: Any, packets: bytes
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        folder = await watched(app, pilot, until, packets)
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TrafficScreen))
        await until(pilot, lambda: text(app, "traffic-state") == "20 packets · 1.6 kB on the wire")
        number = int(folder.name.rpartition("-")[2])
        CaptureRepository(app.services.database).update(number, state=JobState.COMPLETED.value)
        await until(pilot, lambda: text(app, "traffic-state") == "40 packets · 3.2 kB on the wire")
        assert "all 2 files" in text(app, "traffic-title")
        await pilot.press("escape")
        await until(pilot, lambda: "File 2 of 2" in text(app, "file-set"))
        for keys, which in (((), "all 2 files"), (("[",), f"{NUMBERED_NAME % 1}, file 1 of 2")):
            await pilot.press(*keys, "T")
            await until(pilot, lambda: isinstance(app.screen, TrafficScreen))
            await until(pilot, lambda which=which: which in text(app, "traffic-title"))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, TrafficScreen))


async def looked_at_once(
    app: Any, pilot: Any, until: Any, monkeypatch: pytest.MonkeyPatch, *counts: int
) -> FileSetBrowser:
    """Show a capture that runs, of files with so many packets, and look at them once only."""
    session = app.screen.session
    number, folder = begin(app.services, session.actor)
    for place, count in enumerate(counts, 1):
        await asyncio.to_thread(generate, folder / (NUMBERED_NAME % place), count)
    look, looks = FileSetBrowser.look, []

    async def once(files: FileSetBrowser, on_disk: OnDisk, *, growing: bool) -> None:
        looks.append(growing)
        if len(looks) == 1:
            await look(files, on_disk, growing=growing)

    monkeypatch.setattr(FileSetBrowser, "look", once)
    app.push_screen(CaptureDetailScreen(session, number))
    files = await until(pilot, lambda: app.screen.query_one(FileSetBrowser))
    await until(pilot, lambda: app.screen.query_one("#packets", Table).row_count)
    return files


async def test_a_file_that_is_full_is_listed_whole_while_the_capture_goes_on(
    logged_in: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        files = await looked_at_once(app, pilot, until, monkeypatch, MANY, 20)
        newest = files.browser
        assert newest._packets is not None and newest._packets.growing and not newest.has_newer
        await pilot.press("[")
        await until(pilot, lambda: "File 1 of 2" in text(app, "file-set"))
        full = files.browser
        await until(pilot, lambda: full._packets is not None and full._packets.count == MANY)
        assert full._packets is not None and not full._packets.growing
        full.filter_bar.put("arp", apply=True)
        await until(pilot, lambda: full.is_busy())
        await until(pilot, lambda: not full.is_busy())
        assert "filter up to packet" not in text(app, "packet-count"), "nothing can come"
        full.table.focus()
        await pilot.press("f")
        assert full.following, "which leads to the newest file"


async def test_what_a_growing_file_has_when_it_is_opened_is_listed_at_once(
    logged_in: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        browser = (await looked_at_once(app, pilot, until, monkeypatch, MANY)).browser
        await until(pilot, lambda: browser._packets is not None and browser._packets.count == MANY)
        assert browser._packets is not None and browser._packets.growing


def end(app: Any, folder: Path) -> None:
    """Let the capture end whose files are in a directory."""
    number = int(folder.name.rpartition("-")[2])
    CaptureRepository(app.services.database).update(number, state=JobState.COMPLETED.value)


@pytest.mark.lab
async def test_the_end_of_a_capture_shows_the_packet_that_following_has_led_to(
    logged_in: Any, until: Any, packets: bytes
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        folder = await watched(app, pilot, until, packets)
        files = app.screen.query_one(FileSetBrowser)
        await pilot.press("f")
        write(folder, 2, packets + packets[24:])
        await until(pilot, lambda: files.browser.table.cursor_key == 40)
        assert "following" in text(app, "packet-count")
        write(folder, 2, packets + packets[24:] * 2)
        write(folder, 3, packets)
        end(app, folder)
        await until(pilot, lambda: "packet 20 by sharkd" in text(app, "packet-dissector"))
        assert "File 3 of 3" in text(app, "file-set") and files.browser.table.cursor_key == 20
        assert "following" not in text(app, "packet-count")
        await pilot.press("k", "k")
        await until(pilot, lambda: "packet 18 by sharkd" in text(app, "packet-dissector"))


@pytest.mark.lab
async def test_the_fields_of_a_packet_that_following_has_left_say_so_until_the_newest_has_rested(
    logged_in: Any, until: Any, packets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packet_following, "REST_SECONDS", 30.0)  # however busy the machine is
    async with logged_in(size=(80, 24)) as (app, pilot):
        folder = await watched(app, pilot, until, packets)
        browser = app.screen.query_one(FileSetBrowser).browser
        await until(pilot, lambda: "packet 1 by sharkd" in text(app, "packet-dissector"))
        await pilot.press("f")
        await until(pilot, lambda: text(app, "packet-window") == "of packet 1; f ends following")
        assert "20 packets · following, f ends it" in text(app, "packet-count")
        monkeypatch.setattr(packet_following, "REST_SECONDS", 0.1)
        write(folder, 2, packets + packets[24:])
        await until(pilot, lambda: "packet 40 by sharkd" in text(app, "packet-dissector"))
        assert browser.following and "f ends following" not in text(app, "packet-window")
        end(app, folder)
        await until(pilot, lambda: not browser.following)


async def test_a_packet_that_following_waits_for_is_not_shown_under_an_empty_list(
    logged_in: Any, until: Any, packets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packet_following, "REST_SECONDS", 300.0)
    async with logged_in(size=(80, 24)) as (app, pilot):
        await watched(app, pilot, until, packets)
        browser = app.screen.query_one(FileSetBrowser).browser
        await pilot.press("f")
        await until(pilot, lambda: browser._rest is not None and not browser._rest.cancelled())
        await pilot.press("slash", *"in no packet", "enter")
        await until(pilot, lambda: browser.table.row_count == 0 and browser.table.cursor_key is None)
        await until(pilot, lambda: browser._rest is not None and browser._rest.cancelled())


@pytest.mark.lab
async def test_a_cursor_that_leaves_the_newest_packet_is_no_longer_moved(
    logged_in: Any, until: Any, packets: bytes
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await watched(app, pilot, until, packets)
        browser = app.screen.query_one(FileSetBrowser).browser
        await pilot.press("f", "k")
        await until(pilot, lambda: "packet 19 by sharkd" in text(app, "packet-dissector"))
        assert not browser.following and "following" not in text(app, "packet-count")
        await pilot.press("f")
        await until(pilot, lambda: "following" in text(app, "packet-count"))


async def test_who_talks_is_told_also_above_a_file_that_is_gone(
    logged_in: Any, until: Any, packets: bytes
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        folder = await watched(app, pilot, until, packets)
        write(folder, 3, packets + packets[24:])
        (folder / (NUMBERED_NAME % 2)).unlink()
        await until(pilot, lambda: "the ring has deleted it" in text(app, "file-set"))
        assert app.screen.query_one(FileSetBrowser).browser.has_newer
        for which in (f"{NUMBERED_NAME % 3}, the newest of 2", "all 2 files"):
            await pilot.press("T")
            await until(pilot, lambda: isinstance(app.screen, TrafficScreen))
            await until(pilot, lambda which=which: which in text(app, "traffic-title"), 10.0)
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, TrafficScreen))
            end(app, folder)
            await until(pilot, lambda: not app.screen.query_one(FileSetBrowser).browser.has_newer)


@pytest.mark.lab
async def test_a_filter_that_no_packet_of_a_file_meets_points_at_the_others(
    logged_in: Any, until: Any, packets: bytes
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        folder = await watched(app, pilot, until, packets)
        files = app.screen.query_one(FileSetBrowser)
        files.browser.filter_bar.put("ipx", apply=True)
        await until(pilot, lambda: "filter up to packet 20" in text(app, "packet-count"))
        assert "so far" in files.browser.table.grid.empty_text
        end(app, folder)
        others = "No packet of this file meets it. { } look in others, D in all, esc shows all"
        await until(pilot, lambda: files.browser.table.grid.empty_text == others)
        files.browser.filter_bar.put("tcp.stream == 99", apply=True)
        await until(pilot, lambda: "meets it. D looks in all" in files.browser.table.grid.empty_text)
        files.browser.filter_bar.put("ipx", apply=True)
        await until(pilot, lambda: files.browser.table.grid.empty_text == others)
        files.browser.table.focus()
        await pilot.press("[")
        await until(pilot, lambda: "File 1 of 2" in text(app, "file-set"))
        await until(pilot, lambda: files.browser.table.grid.empty_text == others)
