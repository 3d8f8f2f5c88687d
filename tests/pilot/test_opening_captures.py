"""What is seen of a capture first, and what becomes of keys that come before all of its screen is there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from netmon_tui.domain.capture_files import CAPTURE_NAME
from netmon_tui.services.packet_rows import SLICE, PacketRows
from netmon_tui.ui import keys_in_turn
from netmon_tui.ui.modals.packet_export import PacketExport
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets import live
from netmon_tui.ui.widgets.display_filter_bar import DisplayFilterBar
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.find_bar import FindBar
from netmon_tui.ui.widgets.packet_browser import PacketBrowser
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.table import Table
from tests.bench.generate_pcap import generate
from tests.unit.services.test_opened import closed
from tests.unit.services.tsharks import keep

TYPED_FILTER, TYPED_FIND = "tcp.port", "host"


def type_at_once(app: Any, *keys: str) -> None:
    """Send keys in one burst, as a slow line does."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def to_captures(app: Any, pilot: Any, until: Any, made: Path) -> Path:
    """Store a capture, put the cursor on it, and return its file."""
    generate(made, 3_000)
    keep(app.services, app.actor, made.read_bytes())
    await pilot.press("3")
    table = await until(pilot, lambda: app.screen.query_one("#captures", Table))
    await until(pilot, lambda: table.grid.has_focus and table.row_count)
    (path,) = app.services.paths.jobs.glob(f"*/{CAPTURE_NAME}")
    return path


async def test_a_capture_is_painted_first_with_its_packets(
    logged_in: Any, until: Any, screen_text: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PATIENCE_SECONDS", 30.0)  # however busy the machine is
    pictures: list[str] = []
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until, tmp_path / "made.pcap")
        paint = app._display

        def watch(screen: Any, picture: Any) -> None:
            paint(screen, picture)
            if isinstance(app.screen, CaptureDetailScreen) and screen is app.screen:
                pictures.append(screen_text(app))

        app._display = watch
        await pilot.press("enter")
        tree = await until(pilot, lambda: app.screen.query_one(PacketTree))
        await until(pilot, lambda: tree.table.row_count)
        first, last = (picture.replace("▌", " ").splitlines() for picture in (pictures[0], pictures[-1]))
        begins = next(place for place, line in enumerate(first) if line.split()[:1] == ["No."]) + 1
        numbers = [line.split()[0] for line in first[begins : begins + 10]]
        assert numbers == [str(number) for number in range(1, 11)]
        assert "done · ada" in first[0] and "2 000 packets" in pictures[0]
        assert last[begins : begins + 10] == first[begins : begins + 10]  # nothing that came later moved them
        assert (
            not app.screen.query_one(DisplayFilterBar).children and not app.screen.query_one(FindBar).children
        )


async def test_keys_typed_before_the_screen_is_there_are_not_lost(
    logged_in: Any, until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_in_turn, "PATIENCE_SECONDS", 30.0)  # however busy the machine is
    async with logged_in() as (app, pilot):
        path = await to_captures(app, pilot, until, tmp_path / "made.pcap")
        for key, line, text in (("d", "#display-filter", TYPED_FILTER), ("ctrl+f", "#find", TYPED_FIND)):
            type_at_once(app, "enter", key, *text)
            await until(pilot, lambda line=line, text=text: app.screen.query_one(line, Input).value == text)
            type_at_once(app, "escape", "escape")
            await until(pilot, lambda: app.screen.id == "main")
        type_at_once(app, "enter", "enter", "right", "z", "w")
        await until(pilot, lambda: isinstance(app.screen, PacketExport))
        type_at_once(app, "escape")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        assert app.screen.query_one(PacketTree).has_focus_within
        type_at_once(app, "escape")
        await until(pilot, lambda: app.screen.id == "main")
        assert await closed(path)


async def test_what_is_looked_for_is_typed_before_there_are_packets(
    logged_in: Any, until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the words of it would be keys of the list: a slow disk is enough."""
    take, may_show = PacketBrowser._take, asyncio.Event()

    async def held(browser: PacketBrowser, packets: Any) -> None:
        await may_show.wait()
        await take(browser, packets)

    monkeypatch.setattr(PacketBrowser, "_take", held)
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until, tmp_path / "made.pcap")
        type_at_once(app, "enter", "ctrl+f", *TYPED_FIND, "enter")
        line = await until(pilot, lambda: app.screen.query_one("#find", Input))
        await until(pilot, lambda: line.value == TYPED_FIND)
        await until(
            pilot, lambda: "there are no packets yet" in app.screen.query_one("#find-hint", Figure).text
        )
        may_show.set()
        await until(pilot, lambda: app.screen.query_one("#packets", Table).row_count)
        type_at_once(app, "enter")
        await until(pilot, lambda: "match 1 of" in app.screen.query_one("#packet-count", Figure).text)


async def test_no_figure_is_cut_at_60_columns(logged_in: Any, until: Any, tmp_path: Path) -> None:
    async with logged_in(size=(60, 20)) as (app, pilot):
        await to_captures(app, pilot, until, tmp_path / "made.pcap")
        await pilot.press("enter")
        elapsed = await until(pilot, lambda: app.screen.query_one("#capture-elapsed", Figure))
        await until(pilot, lambda: elapsed.text)
        assert elapsed.region.x > 0 and elapsed.region.right < 60 and elapsed.size.width > len(elapsed.text)


async def test_a_capture_that_is_left_at_once_is_closed(logged_in: Any, until: Any, tmp_path: Path) -> None:
    async with logged_in() as (app, pilot):
        path = await to_captures(app, pilot, until, tmp_path / "made.pcap")
        for turns in range(0, 100, 10):
            app.post_message(events.Key("enter", None))
            for _ in range(turns):
                await asyncio.sleep(0)
            if isinstance(app.screen, CaptureDetailScreen):
                app.screen.dismiss(None)
            await until(pilot, lambda: app.screen.id == "main" or app.screen.dismiss(None))
        assert await closed(path)


def hold_index(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let only the first packets of a file be indexed until the event is set."""
    go_on, extend = asyncio.Event(), PacketRows.extend

    async def extend_later(rows: PacketRows, packets: int = SLICE) -> int:
        if rows.count:
            await go_on.wait()
        return await extend(rows, packets)

    monkeypatch.setattr(PacketRows, "extend", extend_later)
    return go_on


async def open_first(app: Any, pilot: Any, until: Any, made: Path) -> tuple[Table, Figure]:
    """Open a capture with the cursor on its first packet; return the list and what stands under it."""
    await to_captures(app, pilot, until, made)
    await pilot.press("enter")
    table = await until(pilot, lambda: app.screen.query_one("#packets", Table))
    await until(pilot, lambda: table.cursor_key == 1)
    return table, app.screen.query_one("#packet-count", Figure)


@pytest.mark.lab
async def test_the_key_to_the_last_packet_arrives_there_once_all_are_indexed(
    logged_in: Any, until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold_index(monkeypatch)
    async with logged_in(size=(80, 24)) as (app, pilot):
        table, count = await open_first(app, pilot, until, tmp_path / "made.pcap")
        await pilot.press("G")
        await until(pilot, lambda: table.cursor_key == 2_000)
        await until(pilot, lambda: count.text.endswith("going to the last packet"))
        go_on.set()
        await until(pilot, lambda: table.cursor_key == 3_000)
        await until(pilot, lambda: count.text == "3 000 packets")
        shown = app.screen.query_one("#packet-dissector", Figure)
        await until(pilot, lambda: shown.text.startswith("packet 3 000 by "))


async def test_who_moves_on_the_way_to_the_last_packet_stays_there(
    logged_in: Any, until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold_index(monkeypatch)
    async with logged_in(size=(80, 24)) as (app, pilot):
        table, count = await open_first(app, pilot, until, tmp_path / "made.pcap")
        await pilot.press("G", "k")
        await until(pilot, lambda: table.cursor_key == 1_999 and "going" not in count.text)
        go_on.set()
        await until(pilot, lambda: count.text == "3 000 packets")
        assert table.cursor_key == 1_999
