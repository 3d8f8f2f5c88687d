"""Lines of packets out of several files, and who pays for what is far apart in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.domain.packet import PacketSummary
from netmon_tui.domain.packet_columns import PacketColumns, PacketLine
from netmon_tui.domain.set_matches import SetMatches
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packet_file_lines import PacketFileLines
from netmon_tui.services.packet_list import PacketList
from netmon_tui.services.packets import PacketService
from netmon_tui.ui.widgets.row_source import cell_text
from netmon_tui.ui.widgets.set_rows import SetRows
from tests.unit.services.made_scans import Store
from tests.unit.services.test_sealed_packets import made
from tests.unit.services.tsharks import keep

FAR_APART = list(range(1, 20_001, 700))
"""Numbers of packets, more than are shown to a dissector one part after the other."""


async def test_a_file_stays_open_while_it_is_asked(store: Store, monkeypatch: Any) -> None:
    opened: list[PacketList] = []
    number, actor = keep(store.services, store.ada, made(127, times=10_000)), store.ada
    open_file = PacketService.open

    async def counted(*arguments: Any) -> PacketList:
        opened.append(await open_file(*arguments))
        return opened[-1]

    monkeypatch.setattr(PacketService, "open", counted)
    lines = PacketFileLines(store.services.packets, actor, number)
    for wanted in (5, 100, 20_000, 7):
        (line,) = await lines.read("1", [wanted], ("number",))
        assert line.summary.number == wanted
    assert len(opened) == 1, "its index is not made anew for each"
    await lines.close()
    await lines.close()
    await lines.read("1", [3], ("number",))
    assert len(opened) == 2
    await lines.close()


@pytest.mark.lab
@pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")
async def test_what_is_far_apart_is_told_by_one_that_knows_the_whole_file(store: Store) -> None:
    number = keep(store.services, store.ada, made(127, times=10_000))
    packets = await store.services.packets.open(store.ada, number)
    while await packets.extend():
        pass
    columns = PacketColumns()
    near = await packets.worded(await packets.lines(FAR_APART[:3], columns.keys), columns)
    assert not packets.knows_whole and {line.summary.protocol for line in near} == {"802.11"}
    far = await packets.worded(await packets.lines(FAR_APART, columns.keys), columns)
    assert packets.knows_whole and {line.summary.protocol for line in far} == {"802.11"}
    await packets.close()


@pytest.mark.lab
@pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")
async def test_matches_of_all_files_are_listed_as_in_one(store: Store) -> None:
    number, columns = keep(store.services, store.ada, made(127, times=300)), PacketColumns()
    packets = await store.services.packets.open(store.ada, number)
    while await packets.extend():
        pass
    wanted = range(1, 601, 7)
    said = await packets.worded(await packets.lines(wanted, columns.keys), columns)
    found = SetMatches()
    found.add(packets.path, wanted)
    await packets.close()
    lines = PacketFileLines(store.services.packets, store.ada, number)
    rows = SetRows(found, columns, lines)

    async def listed() -> list[tuple[str, ...]]:
        while rows.missing(0, len(wanted)):
            await rows.load(0, len(wanted))
        cells = (row.cells[2:] for row in rows.window(0, len(wanted)) if row is not None)
        return [tuple(map(cell_text, one)) for one in cells]

    await rows.load(0, len(wanted))
    assert rows.missing(0, len(wanted)) and rows.window(0, 1)[0], "our own words are there at once"
    assert await listed() == [line.cells[1:] for line in said]
    await rows.filter("beacon")
    assert await listed() == [line.cells[1:] for line in said if "Beacon" in line.summary.info]
    await lines.close()


async def test_whoever_types_other_words_does_not_wait_for_the_dissector() -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    class Slow:
        async def read(self, file: str, numbers: Sequence[int], keys: Sequence[str]) -> list[PacketLine]:
            summary = PacketSummary(1, 0.0, "", "", "802.11", 60, "60 bytes")
            return [PacketLine(summary, ("1", "60 bytes"), is_sealed=True)]

        async def told(self, file: str, numbers: Sequence[int], columns: PacketColumns) -> list[PacketLine]:
            asked.set()
            await never.wait()
            raise AssertionError("it never answers")

    found = SetMatches()
    found.add(Path("one"), [1])
    rows = SetRows(found, PacketColumns(("number", "info")), Slow())
    await rows.filter("beacon")
    loading = asyncio.create_task(rows.load(0, 1))
    await asked.wait()
    await rows.filter("")
    async with asyncio.timeout(5):
        await loading
    assert rows.count == 1
