"""One display filter over all files of a capture, carried out by a real tshark."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from netmon_tui.errors import NotFound
from netmon_tui.runtime.display_filter import FilterRun
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.set_filter import SetFilter
from tests.unit.services.tsharks import make_ring
from tests.unit.tools import packet_samples as samples

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("tshark"), reason="tshark is not installed")]
FILES = (["udp", "dns query", "ping"], ["arp request"], ["dns query", "tcp syn", "dns query"])
CONTENTS = [samples.file_of(*(samples.SAMPLES[name] for name in names)) for names in FILES]
DNS = [("5", 2), ("7", 1), ("7", 3)]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return make_ring(tmp_path, *CONTENTS, first=5)


async def found(search: SetFilter) -> list[tuple[str, int]]:
    await search.run()
    parts = search.matches.part(0, len(search.matches))
    return [(path.stem[-1], number) for path, numbers in parts for number in numbers]


@pytest.mark.parametrize("text", ["dns", "dns && frame.number > 0"], ids=["one by one", "as one"])
async def test_matches_of_all_files_are_one_list(files: list[Path], text: str) -> None:
    search = SetFilter(files, text)
    assert await found(search) == DNS
    assert (search.is_done, search.ended, search.matches.files) == (True, "", 2)
    assert search.place == (3 if text == "dns" else 0)


async def test_numbers_and_streams_count_through_all_files(files: list[Path]) -> None:
    whole = await FilterRun(files[0].parent, "frame.number == 7 || udp.stream == 1").all()
    assert list(whole) == [2, 5, 7], "what tshark says of all files as one"
    assert await found(SetFilter(files, "frame.number == 7 || udp.stream == 1")) == DNS


async def test_a_file_that_the_ring_deletes_is_left_out_or_told_of(files: list[Path]) -> None:
    files[0].unlink()
    search = SetFilter(files, "dns")
    assert await found(search) == DNS[1:]
    assert (search.missed, search.ended) == (1, "")
    search = SetFilter(files, "dns && frame.number > 0")
    assert await found(search) == []
    assert "ring deleted" in search.ended, "else the numbers would be those of other files"


async def test_numbers_of_files_that_the_ring_has_deleted_find_no_others(files: list[Path]) -> None:
    text, oldest = "frame.number == 2", files[0].name
    assert await found(SetFilter(files, text, oldest)) == [("5", 2)]
    files[0].unlink()
    with pytest.raises(NotFound, match="means other packets now"):
        SetFilter(files[1:], text, oldest)
    assert await found(SetFilter(files[1:], "dns", oldest)) == DNS[1:], "which counts nothing"


async def test_a_file_that_came_meanwhile_is_not_taken_for_the_one_before(files: list[Path]) -> None:
    search = SetFilter(files[:-1], "dns && frame.number > 0")
    assert await found(search) == DNS


async def test_whoever_is_cancelled_keeps_what_was_found(files: list[Path]) -> None:
    search = SetFilter(files, "dns")
    running = asyncio.create_task(search.run())
    while not search.matches:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (search.is_done, search.ended) == (True, "stopped") and len(search.matches) >= 1


async def test_what_is_found_comes_before_the_end(files: list[Path]) -> None:
    async with aclosing(SetFilter(files, "dns").batches()) as batches:
        assert await anext(batches) == (files[0], [2])
