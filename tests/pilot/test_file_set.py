"""Marks and display filters of a capture over several files: keys turn to the file that has what is next."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.widgets import Input

from netmon_tui.domain.job import JobState, Rotation
from netmon_tui.domain.packet_mark import PacketMark
from netmon_tui.errors import StorageError
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.capture_on_disk import on_disk
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.ui.messages import ApplyDisplayFilter
from netmon_tui.ui.screens.analysis import AnalysisScreen
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser
from netmon_tui.ui.widgets.table import Table
from tests.pilot.test_display_filter import apply, said
from tests.pilot.test_packet_find import find
from tests.unit.services.tsharks import begin, make_ring
from tests.unit.tools import packet_samples as samples

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]
FILES = (["udp", "dns query", "ping"], ["arp request", "arp reply"], ["ping", "udp", "ntp", "udp"])


def store(app: Any) -> None:
    number, directory = begin(app.services, app.actor, Rotation(file_bytes=300_000, files=3))
    contents = (samples.file_of(*(samples.SAMPLES[name] for name in names)) for names in FILES)
    make_ring(directory, *contents, first=5)
    CaptureRepository(app.services.database).update(number, state=JobState.COMPLETED.value)


async def test_keys_turn_to_the_file_of_the_next_mark_and_of_the_next_match(
    logged_in: Any, until: Any
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await asyncio.to_thread(store, app)
        await pilot.press("3")
        table = await until(pilot, lambda: app.screen.query_one("#captures", Table))
        await until(pilot, lambda: table.grid.has_focus and table.row_count)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        files = app.screen.query_one(FileSetBrowser)

        async def at(file: int, packet: int) -> None:
            await until(pilot, lambda: f"File {file} of 3" in said(app, "file-set"))
            await until(pilot, lambda: files.browser.table.cursor_key == packet)
            await until(pilot, lambda: said(app, "packet-dissector").startswith(f"packet {packet} by sharkd"))

        await at(3, 1)
        await pilot.press("down", "m")
        await until(pilot, lambda: "1 marked" in said(app, "packet-count"))
        await pilot.press("[", "[")
        await at(1, 1)
        await until(pilot, lambda: "0 marked, 1 elsewhere" in said(app, "packet-count"))
        await pilot.press("down", "down", "m")
        await until(pilot, lambda: "1 marked, 1 elsewhere" in said(app, "packet-count"))
        marks = await app.services.packets.marks.of(app.actor, 1).all()
        assert marks == [PacketMark(3, "", 5), PacketMark(2, "", 7)]
        await pilot.press("full_stop")
        await at(3, 2)
        await pilot.press("full_stop")
        await at(1, 3)
        await pilot.press("comma")
        await at(3, 2)

        await apply(app, pilot, until, "arp")
        await until(pilot, lambda: said(app, "packet-count").startswith("0 of 4 packets"))
        await pilot.press("right_curly_bracket")
        await at(2, 1)
        await until(pilot, lambda: said(app, "packet-count").startswith("2 of 2 packets"))
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: any("No other file" in note.message for note in app._notifications))
        assert "File 2 of 3" in said(app, "file-set")
        await apply(app, pilot, until, "ntp || dns")
        await until(pilot, lambda: said(app, "packet-count").startswith("0 of 2 packets"))
        paths = list(files._files)
        paths[1].unlink()
        await files.look(on_disk(files._files[0].parent), growing=False)
        assert "the ring has deleted it" in said(app, "file-set")
        paths[2].unlink()
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: files.browser.path == paths[0])


async def test_one_filter_lists_the_matches_of_all_files_and_shows_one_in_its_file(
    logged_in: Any, until: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await asyncio.to_thread(store, app)
        app.push_screen(CaptureDetailScreen(app.screen.session, 1))
        detail = app.screen
        await until(pilot, lambda: said(app, "file-set").startswith("File 3 of 3"))
        await apply(app, pilot, until, "udp && !dns")
        await until(pilot, lambda: said(app, "packet-count").startswith("3 of 4 packets"))
        await pilot.press("D")
        table = await until(pilot, lambda: app.screen.query_one("#matches", Table))
        await until(pilot, lambda: said(app, "matches-state") == "4 matches in 2 of 3 files")
        rows = await until(pilot, lambda: all(table.source.window(0, 4)) and table.source.window(0, 4))
        assert [row.key[1] for row in rows] == [1, 2, 3, 4]
        assert [row.cells[0] for row in rows] == ["5", "7", "7", "7"]
        await pilot.press("down", "down", "enter")
        files = detail.query_one(FileSetBrowser)
        await until(pilot, lambda: app.screen is detail and files.browser.table.cursor_key == 3)
        await until(pilot, lambda: said(app, "packet-count").startswith("4 packets"))
        await pilot.press("[", "[")
        await until(pilot, lambda: "File 1 of 3" in said(app, "file-set"))
        await pilot.press("D")
        table = await until(pilot, lambda: app.screen.query_one("#matches", Table))
        await until(pilot, lambda: table.cursor_key == ("capture-000007.pcap", 3))
        await pilot.press("up", "up", "enter")
        await until(pilot, lambda: app.screen is detail and files.browser.table.cursor_key == 1)
        assert "File 1 of 3" in said(app, "file-set")

        detail.post_message(ApplyDisplayFilter("udp.stream == 1"))
        await until(pilot, lambda: said(app, "matches-state").startswith("1 match in 1 of 3 files"))
        await pilot.press("d")
        line = await until(pilot, lambda: app.screen.query_one("#display-filter", Input))
        await until(pilot, lambda: line.has_focus and line.value == "udp.stream == 1")
        line.value = "sctp"
        await pilot.press("enter")
        await until(pilot, lambda: said(app, "matches-state") == "0 matches in 0 of 3 files")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is detail)


async def test_words_are_looked_for_among_the_matches_of_all_files(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await asyncio.to_thread(store, app)
        app.push_screen(CaptureDetailScreen(app.screen.session, 1))
        await until(pilot, lambda: said(app, "file-set").startswith("File 3 of 3"))
        await apply(app, pilot, until, "udp && !dns")
        await until(pilot, lambda: said(app, "packet-count").startswith("3 of 4 packets"))
        await pilot.press("D")
        table = await until(pilot, lambda: app.screen.query_one("#matches", Table))
        await until(pilot, lambda: table.row_count == 4 and all(table.source.window(0, 4)))
        rows = list(table.source.window(0, 4))
        await pilot.press("slash")
        app.screen.focused.value = "ntp"
        await pilot.press("enter")
        await until(pilot, lambda: table.row_count == 1 and table.source.window(0, 1)[0] == rows[2])
        table.filter_by("!ntp")
        await until(
            pilot, lambda: table.row_count == 3 and list(table.source.window(0, 3)) == [*rows[:2], rows[3]]
        )
        assert table.source.position_of(rows[2].key) is None
        await pilot.press("escape")
        await until(pilot, lambda: table.row_count == 4)


async def test_a_filter_that_counts_within_a_file_is_not_taken_to_another(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await asyncio.to_thread(store, app)
        app.push_screen(CaptureDetailScreen(app.screen.session, 1))
        files = await until(pilot, lambda: app.screen.query_one(FileSetBrowser))
        told = lambda words: any(words in note.message for note in app._notifications)  # noqa: E731
        await until(pilot, lambda: said(app, "file-set").startswith("File 3 of 3"))
        await until(pilot, lambda: said(app, "packet-dissector").startswith("packet 1 by sharkd"))
        await apply(app, pilot, until, "ip && udp.stream==1")
        await until(pilot, lambda: said(app, "packet-count").startswith("1 of 4 packets"))
        assert "{ }" not in said(app, "file-set")
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: told("D lists what meets it through all files"))
        assert said(app, "file-set").startswith("File 3 of 3"), "there it is another stream"
        await pilot.press("[")
        await until(pilot, lambda: said(app, "file-set").startswith("File 2 of 3"))
        await until(pilot, lambda: told("ip && udp.stream==1 counts within one file: it is not taken along"))
        assert files.browser.filter_bar.text == ""
        app.screen.post_message(ApplyDisplayFilter("(udp.stream == 1)"))
        await until(pilot, lambda: said(app, "matches-state").startswith("1 match in 1 of 3 files"))


async def test_the_line_over_the_matches_says_what_is_listed(
    logged_in: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: Any) -> Any:
        raise StorageError("the database is busy")

    async with logged_in(size=(80, 24)) as (app, pilot):
        await asyncio.to_thread(store, app)
        app.push_screen(CaptureDetailScreen(app.screen.session, 1))
        await until(pilot, lambda: said(app, "file-set").startswith("File 3 of 3"))
        await apply(app, pilot, until, "udp && !dns")
        await until(pilot, lambda: said(app, "packet-count").startswith("3 of 4 packets"))
        await pilot.press("D")
        table = await until(pilot, lambda: app.screen.query_one("#matches", Table))
        await until(pilot, lambda: said(app, "matches-state") == "4 matches in 2 of 3 files")
        monkeypatch.setattr(app.services.packets, "filter_set", busy)
        line = app.screen.query_one("#display-filter", Input)
        for text in ("", "arp"):
            await apply(app, pilot, until, text)
            await until(pilot, lambda: not app.screen._bar.has_class("-typing"))
            await until(pilot, lambda: not [one for one in app.workers if one.group == "begin-search"])
            await until(pilot, lambda: app.screen._bar.text == line.value == "udp && !dns")
            assert app.screen._bar.display and table.row_count == 4
        assert any("the database is busy" in note.message for note in app._notifications)


async def test_a_list_that_comes_late_is_put_above_nothing_else(
    logged_in: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await asyncio.to_thread(store, app)
        app.push_screen(CaptureDetailScreen(app.screen.session, 1))
        await until(pilot, lambda: said(app, "file-set").startswith("File 3 of 3"))
        await apply(app, pilot, until, "udp && !dns")
        await until(pilot, lambda: said(app, "packet-count").startswith("3 of 4 packets"))
        filter_set, asked, may_begin = app.services.packets.filter_set, [], asyncio.Event()

        async def held(*arguments: Any) -> Any:
            asked.append(arguments)
            await may_begin.wait()
            return await filter_set(*arguments)

        monkeypatch.setattr(app.services.packets, "filter_set", held)
        await pilot.press("D")
        await until(pilot, lambda: asked)
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, AnalysisScreen))
        may_begin.set()
        await until(pilot, lambda: not [one for one in app.workers if one.group == "list-matches"])
        await pilot.pause()
        assert isinstance(app.screen, AnalysisScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await pilot.press("D")
        await until(pilot, lambda: said(app, "matches-state") == "4 matches in 2 of 3 files")


async def test_find_goes_on_in_the_next_file_and_around(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await asyncio.to_thread(store, app)
        app.push_screen(CaptureDetailScreen(app.screen.session, 1))
        files = await until(pilot, lambda: app.screen.query_one(FileSetBrowser))

        async def at(file: int, packet: int, match: str = "") -> None:
            await until(pilot, lambda: f"File {file} of 3" in said(app, "file-set"))
            await until(pilot, lambda: files.browser.table.cursor_key == packet)
            await until(pilot, lambda: match in said(app, "packet-count"))

        await at(3, 1)
        await find(app, pilot, until, "plain text")
        first, second, alone = (3, 2, "match 1 of 2"), (3, 4, "match 2 of 2"), (1, 1, "match 1 of 1")
        await at(*first)
        for key, place in (("n", second), ("n", alone), ("n", first), ("N", alone), ("N", second)):
            await pilot.press(key)
            await at(*place)
        await apply(app, pilot, until, "udp.length < 20")
        await until(pilot, lambda: said(app, "packet-count").startswith("2 of 4 packets"))
        await find(app, pilot, until, "example")
        await until(pilot, lambda: any("in any file" in note.message for note in app._notifications))
        await at(3, 4)  # the filter has left the cursor where it was
        await find(app, pilot, until, "61 6d 70 6c 65", "ctrl+t", "ctrl+t")
        await pilot.press("ctrl+f")
        await until(pilot, lambda: "hex digits are of bytes" in said(app, "find-hint"))


async def test_a_capture_that_cannot_be_read_once_is_read_again(
    logged_in: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await asyncio.to_thread(store, app)
        service, asked = app.services.capturing, []
        watch = service.watch

        async def busy_once(*arguments: Any) -> Any:
            asked.append(arguments)
            if len(asked) == 1:
                raise StorageError("the database is busy")
            return await watch(*arguments)

        monkeypatch.setattr(service, "watch", busy_once)
        app.push_screen(CaptureDetailScreen(app.screen.session, 1))
        await until(pilot, lambda: said(app, "file-set").startswith("File 3 of 3"))
        assert len(asked) == 2 and app.screen._settled

        async def unchanged(_services: Any) -> int:
            return -7

        monkeypatch.setattr(type(app.services), "revision", unchanged)
        for count in (3, 3):  # the first to see another number
            await until(pilot, lambda: not app.screen._refreshing)
            app.screen._tick()
            await until(pilot, lambda: not app.screen._refreshing)
            assert len(asked) == count, "and what has ended is not looked at again and again"
