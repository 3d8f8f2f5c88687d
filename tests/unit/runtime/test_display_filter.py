"""Display filters carried out by a real tshark."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import aclosing
from pathlib import Path

import pytest

from netmon_tui.errors import InvalidInput, NotFound, ToolFailed
from netmon_tui.runtime import display_filter
from netmon_tui.runtime.display_filter import FilterRun, check_by_tshark
from netmon_tui.runtime.tool_paths import find_tool
from tests.bench.generate_pcap import generate
from tests.unit.services.tsharks import gone, prints_in_vain, processes_with, program, public

__all__ = ["public"]

TSHARK = find_tool("tshark")
pytestmark = [pytest.mark.lab, pytest.mark.skipif(not TSHARK, reason="tshark is not installed")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "capture.pcap"
    generate(path, 3_000)
    path.chmod(0o600)
    return path


def expected(path: Path, text: str) -> list[int]:
    command = [str(TSHARK), "-n", "-r", str(path), "-Y", text, "-T", "fields", "-e", "frame.number"]
    return [int(line) for line in subprocess.run(command, capture_output=True, text=True).stdout.split()]


async def found(run: FilterRun) -> list[int]:
    numbers: list[int] = []
    async with aclosing(run.numbers()) as batches:
        async for batch in batches:
            numbers += batch
    return numbers


def children() -> list[str]:
    command = ["ps", "-ww", "-o", "args=", "--ppid", str(os.getpid())]
    return [
        row
        for row in subprocess.run(command, capture_output=True, text=True).stdout.split("\n")
        if "-Y" in row
    ]


@pytest.mark.parametrize("text", ["dns", "tcp.port == 80 && frame.len > 100", "frame.number == 2999", "sctp"])
async def test_it_finds_what_tshark_finds(file: Path, text: str) -> None:
    assert await found(FilterRun(file, text)) == expected(file, text)


async def test_progress_goes_on_while_nothing_is_found(file: Path) -> None:
    run = FilterRun(file, "sctp")
    seen = set()

    async def look() -> None:
        while True:
            seen.add(run.progress)
            await asyncio.sleep(0.01)

    looking = asyncio.create_task(look())
    assert await found(run) == []
    looking.cancel()
    assert max(seen) > 0.5


@pytest.mark.parametrize("text", ["ip.adr == 1", "dns ==", "-r /etc/passwd", '"'])
async def test_a_wrong_filter_is_refused_in_tsharks_words(file: Path, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await found(FilterRun(file, text))
    assert caught.value.why and "Running as" not in caught.value.why
    with pytest.raises(InvalidInput) as checked:
        await asyncio.to_thread(check_by_tshark, text)
    assert checked.value.why == caught.value.why


async def test_a_file_that_ends_within_a_packet_is_looked_through_to_there(file: Path) -> None:
    wanted = expected(file, "dns")
    with file.open("r+b") as cut:
        cut.truncate(file.stat().st_size // 2)
    numbers = await found(FilterRun(file, "dns"))
    assert numbers and numbers == wanted[: len(numbers)]


async def test_whoever_leaves_ends_tshark(tmp_path: Path) -> None:
    path = tmp_path / "long.pcap"
    generate(path, 100_000)
    async with aclosing(FilterRun(path, "dns").numbers()) as batches:
        assert await anext(batches)
        assert children()
    assert children() == []


async def test_whoever_is_cancelled_ends_tshark(tmp_path: Path) -> None:
    path = tmp_path / "long.pcap"
    generate(path, 100_000)
    task = asyncio.create_task(found(FilterRun(path, "sctp")))
    async with asyncio.timeout(30):
        while not children():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []


@pytest.mark.parametrize("text", ["print('x')", "print(3)\nprint(2)", "print(-1)", "print('1' * 9000)"])
async def test_a_tshark_that_prints_something_else_has_failed(
    file: Path, public: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    tshark = program(public, text)
    monkeypatch.setattr(display_filter, "require_tool", lambda name: tshark)
    with pytest.raises(ToolFailed):
        await found(FilterRun(file, "dns"))


async def test_a_tshark_whose_pipe_is_full_is_ended_all_the_same(
    file: Path, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tshark = program(public, "for number in range(1, 1 << 62): print(number)")
    monkeypatch.setattr(display_filter, "require_tool", lambda name: tshark)
    async with asyncio.timeout(30):
        async with aclosing(FilterRun(file, "dns").numbers()) as batches:
            assert await anext(batches)
            await prints_in_vain(processes_with(tshark)[0])
    assert await gone(tshark)


async def test_a_tshark_that_is_killed_is_told_and_what_it_found_stays(
    file: Path, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tshark = program(public, "import time\nprint('7', flush=True)\ntime.sleep(600)")
    monkeypatch.setattr(display_filter, "require_tool", lambda name: tshark)
    numbers = []
    with pytest.raises(ToolFailed, match="signal 9"):
        async for batch in FilterRun(file, "dns").numbers():
            numbers += batch
            os.kill(processes_with(tshark)[0], signal.SIGKILL)
    assert numbers == [7]


async def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"^the file is gone: .*gone.pcap$"):
        await found(FilterRun(tmp_path / "gone.pcap", "dns"))


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("ip.addr = 192.0.2.1", "write == to compare"),
        ("ip.addr == localhost", "names are not looked up"),
        ("ipv6.addr == localhost", "names are not looked up"),
    ],
)
def test_what_helps_against_a_refusal_is_said(text: str, advice: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_by_tshark(text)
    assert advice in refused.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "tcp.port = 80",
        "ip.addr == localhost",
        "tcp.prt == 80",
        "ip.src == 192.0.2.1 and (udp.prt == 3)",
        'http.host == "\u00e9\u00e9" && tcp.prt == 1',
        "tcp.port == 80 andd udp",
        "frame.number == x",
        "tcp.port == 80 and foo.bar",
    ],
)
async def test_the_place_of_what_is_refused_is_where_tshark_points(file: Path, text: str) -> None:
    said = subprocess.run([str(TSHARK), "-r", file, "-Y", text], capture_output=True, text=True).stderr
    *_, line, marks = said.rstrip().split("\n")
    pointed = len(text.encode()[: marks.index("^") - line.index(text)].decode())
    with pytest.raises(InvalidInput) as refused:
        check_by_tshark(text)
    assert refused.value.position == pointed and refused.value.what.endswith(f" at character {pointed + 1}")
    with pytest.raises(InvalidInput) as refused:
        await found(FilterRun(file, text))
    assert refused.value.position == pointed


def test_a_place_that_may_be_another_is_not_told() -> None:
    for text in ("tcp.prt == 1 or tcp.prt == 2", 'frame contains "a'):
        with pytest.raises(InvalidInput) as refused:
            check_by_tshark(text)
        assert refused.value.position is None
    with pytest.raises(InvalidInput) as refused:
        check_by_tshark("tcp &&")
    assert refused.value.position == len("tcp &&")
