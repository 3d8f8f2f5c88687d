"""Finding packets among those that a filter lets through."""

from __future__ import annotations

import tracemalloc
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from netmon_tui.domain.packet_find import FindIn, Wanted
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packet_list import PacketList
from tests.bench.generate_pcap import generate

SHOWN = 1_000_000
NEEDS_TSHARK = pytest.mark.skipif(not find_tool("tshark"), reason="tshark is not installed")


@pytest.fixture
async def packets(tmp_path: Path) -> AsyncIterator[PacketList]:
    generate(tmp_path / "made.pcap", 300)
    opened = PacketList(tmp_path / "made.pcap")
    while await opened.extend():
        pass
    yield opened
    await opened.close()


@pytest.mark.parametrize("place", [FindIn.BYTES, FindIn.LIST, pytest.param(FindIn.TREE, marks=NEEDS_TSHARK)])
async def test_only_packets_that_are_shown_count(packets: PacketList, place: FindIn) -> None:
    shown = array("Q", range(2, 300, 3))
    finder = await packets.finder(Wanted("host", place=place))
    all_of_them = {match.number async for batch in finder.batches() for match in batch.matches}
    finder = await packets.finder(Wanted("host", place=place), shown)
    found = [match.number async for batch in finder.batches() for match in batch.matches]
    assert found == sorted(all_of_them & set(shown)) and found


async def test_a_search_keeps_the_numbers_that_are_shown_only_once(packets: PacketList) -> None:
    shown = array("Q", range(1, SHOWN + 1))
    tracemalloc.start()
    try:
        finder = await packets.finder(Wanted("host", place=FindIn.TREE), shown)
        assert tracemalloc.get_traced_memory()[1] < shown.itemsize * SHOWN, finder
    finally:
        tracemalloc.stop()
