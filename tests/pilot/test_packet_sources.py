"""Fields of what was decrypted or put together, and their bytes beside them, with sharkd as it is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from netmon_tui.runtime.key_log import KEPT_NAME
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.packet_browser import PacketBrowser
from netmon_tui.ui.widgets.packet_bytes import PacketBytes
from netmon_tui.ui.widgets.packet_tree import PacketTree
from tests.pilot.test_display_filter import open_capture, said
from tests.unit.tools.encrypted import encrypted
from tests.unit.tools.exchanges import ANSWER
from tests.unit.tools.reassembled import MESSAGE, reassembled

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]


async def open_last(
    app: Any, pilot: Any, until: Any, file: Path, keys: Path | None = None
) -> tuple[PacketTree, PacketBytes]:
    """Open a capture of a file at its last packet, and the bytes of that are shown."""
    browser: PacketBrowser = await open_capture(app, pilot, until, file)
    if keys is not None:
        assert browser._packets is not None
        shutil.copy(keys, browser._packets.path.parent / KEPT_NAME)
    last = browser.table.row_count
    await pilot.press("end")
    await until(pilot, lambda: said(app, "packet-dissector") == f"packet {last} by sharkd")
    return browser.query_one(PacketTree), browser.query_one(PacketBytes)


def title(shown: PacketBytes) -> str:
    """What stands over the bytes; empty when nothing does."""
    figure = shown.query_one("#bytes-name", Figure)
    return figure.text if figure.display else ""


def offers_others(app: Any) -> bool:
    """Whether there is a key that turns to other bytes."""
    active = app.screen.active_bindings.values()
    return any(one.binding.action == "turn" and one.enabled for one in active)


async def to_field(tree: PacketTree, pilot: Any, until: Any, *names: str) -> None:
    tree.table.focus()
    await until(pilot, lambda: tree.table.has_focus_within)
    path = ()
    for name in names:
        path = (*path, (name, 0))
        await until(pilot, lambda path=path: tree.table.move_to_key(path))
        await until(pilot, lambda path=path: tree.node is not None and tree.node.path == path)
        if name != names[-1]:
            await pilot.press("right")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_bytes_of_a_decrypted_field_stand_beside_it_and_show_their_field(
    logged_in: Any, until: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    made, keys = encrypted(tmp_path)
    name = f"Decrypted TLS ({len(ANSWER)} bytes)"
    async with logged_in(size=size) as (app, pilot):
        tree, shown = await open_last(app, pilot, until, made.write(tmp_path / "made.pcap"), keys)
        assert title(shown) == "" and shown.view._data == made.frames[-1]
        await to_field(tree, pilot, until, "http", "http.content_length_header")
        await until(pilot, lambda: title(shown) == name and shown.view.marked == b"Content-Length: 5\r\n")
        assert "19 bytes" in said(app, "packet-dissector")
        shown.view.focus()
        await until(pilot, lambda: app.focused is shown.view)
        await pilot.press("home")
        await until(
            pilot, lambda: tree.node.name == "http.response.version" and shown.view.marked == b"HTTP/1.1"
        )
        await pilot.press("end")
        await until(pilot, lambda: tree.node.name == "data.data" and shown.view.marked == b"hello")
        await pilot.press("Y")
        await until(pilot, lambda: app.clipboard == "hello")
        await pilot.press("z")
        await until(pilot, lambda: shown.region.width == app.size.width)
        await pilot.press("z")
        await to_field(tree, pilot, until, "ip", "ip.ttl")
        await until(pilot, lambda: title(shown) == "" and shown.view.marked == b"\x40")
        assert shown.view._data == made.frames[-1]


async def test_b_turns_through_the_bytes_and_is_offered_where_there_are_others(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    name, made = f"Reassembled TCP ({len(MESSAGE)} bytes)", reassembled()
    async with logged_in(size=(120, 40)) as (app, pilot):
        tree, shown = await open_last(app, pilot, until, made.write(tmp_path / "made.pcap"))
        await to_field(tree, pilot, until, "http", "http.content_type")
        await until(pilot, lambda: title(shown) == name and shown.view.marked.startswith(b"Content-Type"))
        shown.view.focus()
        await until(pilot, lambda: app.focused is shown.view)
        await until(pilot, lambda: offers_others(app))
        await pilot.press("b")
        await until(pilot, lambda: title(shown) == "" and not shown.view.marked)
        assert tree.node.name == "http.content_type" and shown.view._data == made.frames[-1]
        await pilot.press("b")
        await until(pilot, lambda: title(shown) == name and shown.view.marked.startswith(b"Content-Type"))
        app.screen.query_one("#packets").grid.focus()
        await pilot.press("home")
        await until(pilot, lambda: said(app, "packet-dissector") == "packet 1 by sharkd")
        assert title(shown) == "" and shown.view._data == made.frames[0]
        shown.view.focus()
        await until(pilot, lambda: app.focused is shown.view)
        await until(pilot, lambda: shown.view.has_focus)
        assert not offers_others(app)


async def test_what_is_found_in_a_frame_is_not_shown_in_other_bytes(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    made = reassembled()
    async with logged_in(size=(120, 40)) as (app, pilot):
        tree, shown = await open_last(app, pilot, until, made.write(tmp_path / "made.pcap"))
        await pilot.press("ctrl+f")
        line = app.screen.query_one("#find", Input)
        await until(pilot, lambda: line.has_focus)
        line.value = "koala"
        await pilot.press("enter")
        await until(pilot, lambda: tree.node is not None and tree.node.name == "tcp.segment_data")
        await until(pilot, lambda: shown.view._found and shown.view.marked and title(shown) == "")
        await to_field(tree, pilot, until, "http")
        await until(pilot, lambda: title(shown) and not shown.view._found)
        await to_field(tree, pilot, until, "tcp")
        await until(pilot, lambda: title(shown) == "" and shown.view._found)
        place = shown.view._found[0]
        assert shown.view._data[place.start : place.stop] == b"koala"
