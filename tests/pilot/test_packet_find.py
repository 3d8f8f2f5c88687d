"""Finding, marking and copying on the screen of a capture."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from netmon_tui.domain.capture_choice import PacketChoice
from netmon_tui.domain.packet_mark import PacketMark
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.packet_comment import PacketComment
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.packet_choices import choices_of
from netmon_tui.ui.widgets.hex_view import HexView
from netmon_tui.ui.widgets.packet_browser import PacketBrowser
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.row_source import cell_text
from tests.bench.generate_pcap import generate
from tests.pilot.test_display_filter import apply, matching, open_capture, said

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]
COUNT = 3_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "made.pcap"
    generate(path, COUNT)
    return path


async def find(app: Any, pilot: Any, until: Any, text: str, *ways: str) -> None:
    await pilot.press("ctrl+f")
    line = app.screen.query_one("#find", Input)
    await until(pilot, lambda: line.has_focus)
    line.value = text
    await pilot.press(*ways, "enter")


async def test_a_search_begins_where_the_cursor_was(
    logged_in: Any, until: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = PacketBrowser._leave_bar

    async def moving(browser: PacketBrowser) -> None:
        await leave(browser)
        browser.table.grid.put_cursor(99)

    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        await pilot.press("end")
        await until(pilot, lambda: browser.table.cursor_key == COUNT)
        monkeypatch.setattr(PacketBrowser, "_leave_bar", moving)
        await find(app, pilot, until, "host7")
        await until(pilot, lambda: browser.has_search and not browser.is_finding)
        assert len(browser._found.numbers) == len(matching(file, 'frame contains "host7"'))
        assert browser._found.complete and "stopped at" not in said(app, "packet-count")


async def test_from_match_to_match_in_bytes_list_and_tree(logged_in: Any, until: Any, file: Path) -> None:
    expected = matching(file, 'frame contains "host7"')
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        at = lambda number: until(pilot, lambda: browser.table.cursor_key == number)  # noqa: E731
        await find(app, pilot, until, "HOST7")
        await at(expected[0])
        await until(pilot, lambda: f"match 1 of {len(expected)} " in said(app, "packet-count") + " ")
        view = browser.query_one(HexView)
        await until(pilot, lambda: [view._data[p.start : p.stop] for p in view._found] == [b"host7"])
        await until(pilot, lambda: view._marked.start <= view._found[0].start < view._marked.stop)
        await pilot.press("n")
        await at(expected[1])
        await pilot.press("N", "N")
        await at(expected[-1])
        await pilot.press("n")
        await at(expected[0])

        await apply(app, pilot, until, "dns && frame.number > 100")
        shown = matching(file, "dns && frame.number > 100")
        await until(pilot, lambda: browser.table.row_count == len(shown) and not browser.is_busy())
        await pilot.press("n")
        listed = [number for number in expected if number in shown]
        await until(pilot, lambda: f"of {len(listed)} " in said(app, "packet-count").split("match")[-1] + " ")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: browser.table.row_count == COUNT and not view._found)
        assert not browser.has_search

        await pilot.press("home")
        await find(app, pilot, until, "Label Count: 3", "tab", "tab")
        await at(matching(file, "dns")[0])
        tree = browser.query_one(PacketTree)
        await until(pilot, lambda: tree.node is not None and tree.node.label == "Label Count: 3")
        await until(pilot, lambda: "» Label Count" in cell_text(tree.table.cursor_row.cells[0]))


async def test_a_wrong_pattern_says_why_and_escape_stops_a_search(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    long = tmp_path / "long.pcap"
    generate(long, 100_000)
    async with logged_in((80, 24)) as (app, pilot):
        browser = await open_capture(app, pilot, until, long)
        await find(app, pilot, until, "(a", "ctrl+t")
        await until(pilot, lambda: "missing )" in said(app, "find-hint"))
        await pilot.press("escape")
        await until(pilot, lambda: browser.table.grid.has_focus and not browser.find_bar.display)
        await find(app, pilot, until, "Time to Live: 6[0-9]", "tab", "tab")
        await until(pilot, lambda: "match 1 of" in said(app, "packet-count") and browser.is_finding)
        await pilot.press("escape")
        await until(pilot, lambda: "stopped at" in said(app, "packet-count"))
        await pilot.press("escape")
        await until(pilot, lambda: "match" not in said(app, "packet-count"))


async def test_a_packet_that_is_not_listed_any_more_has_no_fields(
    logged_in: Any, until: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        tree, detail = browser.query_one(PacketTree), browser._packets.detail
        asked, may_answer = asyncio.Event(), asyncio.Event()

        async def held(number: int) -> Any:
            asked.set()
            await may_answer.wait()
            return await detail(number)

        monkeypatch.setattr(browser._packets, "detail", held)
        await pilot.press("down")
        await until(pilot, asked.is_set)
        browser.table.filter_by("nothing has these words")
        await until(pilot, lambda: browser.table.row_count == 0 and tree.detail is None)
        may_answer.set()
        await until(pilot, lambda: not [one for one in app.workers if one.group == "packet-detail"])
        assert tree.detail is None and said(app, "packet-dissector") == ""


async def test_a_mark_that_is_turned_twice_at_once_is_none(
    logged_in: Any, until: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        read, may_read = browser._kept.all, asyncio.Event()

        async def held() -> Any:
            await may_read.wait()
            return await read()

        def changing() -> int:
            return sum(worker.group == "marks" for worker in app.workers)

        await until(pilot, lambda: not changing())
        monkeypatch.setattr(browser._kept, "all", held)
        await pilot.press("m", "m")
        await until(pilot, lambda: changing() == 2)
        may_read.set()
        await until(pilot, lambda: not changing())
        assert not browser.marks and "marked" not in said(app, "packet-count")
        assert await read() == []


async def test_marks_are_put_commented_and_cleared(logged_in: Any, until: Any, file: Path) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        info = lambda: cell_text(browser.table.cursor_row.cells[-1])  # noqa: E731
        await pilot.press("m")
        await until(pilot, lambda: info().startswith("◆ "))
        await pilot.press("down", "down", "semicolon")
        line = await until(pilot, lambda: app.screen.query_one("#comment", Input))
        line.value = "[red]reset"
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, PacketComment) and "[red]reset" in info())
        assert "2 marked" in said(app, "packet-count")
        assert await app.services.packets.marks.of(app.actor, 1).all() == [
            PacketMark(1),
            PacketMark(3, "[red]reset"),
        ]
        assert PacketChoice(marked=True) in choices_of(browser)
        await pilot.press("full_stop")
        await until(pilot, lambda: browser.table.cursor_key == 1)
        await pilot.press("comma")
        await until(pilot, lambda: browser.table.cursor_key == 3)
        await pilot.press("m")
        await until(pilot, lambda: list(browser.marks) == [1])
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen) and not browser.marks)


async def test_values_names_filters_and_bytes_are_copied(logged_in: Any, until: Any, file: Path) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        tree, view = browser.query_one(PacketTree), browser.query_one(HexView)
        copied = lambda text: until(pilot, lambda: app.clipboard == text)  # noqa: E731
        await pilot.press("Y")
        await until(pilot, lambda: app.clipboard.startswith("1\t"))
        tree.table.focus()
        tree.table.move_to_key((("ip", 0),))
        await pilot.press("right", "right")
        await until(pilot, lambda: tree.node is not None and tree.node.name == "ip.version")
        wanted = next(node for node in tree._by_path.values() if node.name == "ip.ttl")
        tree.table.move_to_key(wanted.path)
        await until(pilot, lambda: view.marked == b"\x40")
        for key, text in (("y", wanted.value), ("Y", "ip.ttl"), ("ctrl+y", "ip.ttl == 64")):
            await pilot.press(key)
            await copied(text)
        view.focus()
        for key, text in (("y", "40"), ("Y", "@")):
            await pilot.press(key)
            await copied(text)
        view.mark(-1, 0)
        await pilot.press("y")
        await copied(view._data.hex(" "))
