"""Lines of packets out of several files, and who pays for what is far apart in them."""

from __future__ import annotations

from typing import Any

import pytest

from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packet_file_lines import PacketFileLines
from netmon_tui.services.packets import PacketList, PacketService
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
