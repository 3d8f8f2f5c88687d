"""What is opened for somebody who went away meanwhile is closed."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from netmon_tui.domain.capture_files import CAPTURE_NAME
from netmon_tui.runtime import packet_dissector, sharkd, tshark
from netmon_tui.runtime.opened import opened
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services import transfers
from netmon_tui.services.packet_rows import PacketRows
from tests.unit.services.made_scans import Store
from tests.unit.services.tsharks import keep, make_ring
from tests.unit.tools.exchanges import exchanges

Work = Callable[[Store, int, Path], Awaitable[None]]
MOMENTS = 200
"""Turns of the loop between two moments at which somebody leaves."""


def descriptors(path: Path) -> int:
    """How often this process has a file open."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found += os.readlink(link) == str(path)
    return found


async def closed(path: Path) -> bool:
    """Wait until nobody has it open."""
    for _ in range(1000):
        if not descriptors(path):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_file_that_is_there_after_the_caller_left_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(exchanges().data())
    begun, may_end = threading.Event(), threading.Event()
    made: list[PacketRows] = []

    def open_slowly() -> PacketRows:
        begun.set()
        may_end.wait(30)
        made.append(PacketRows(path))
        return made[0]

    caller = asyncio.create_task(opened(open_slowly, PacketRows.close))
    await asyncio.to_thread(begun.wait)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    may_end.set()
    while not made:
        await asyncio.sleep(0)
    assert await closed(path)


def open_files() -> Counter[str]:
    """What this process has open, by name or number, and how often."""
    found: Counter[str] = Counter()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found[os.readlink(link)] += 1
    return found


async def tshark_reads(store: Store, number: int, file: Path) -> None:
    """Let tshark read a set of two files."""
    make_ring(file.parent, *[file.read_bytes()] * 2)
    async for _ in tshark.TsharkRun(file.parent).pieces(lambda keys: (str(find_tool("tshark")), "-r", "-")):
        pass


async def reads_with_keys(store: Store, number: int, file: Path) -> None:
    async for _ in tshark.TsharkRun(file).pieces(lambda keys: ("/bin/true",), b"CLIENT_RANDOM 00 11\n"):
        pass


async def sharkd_starts_with_keys(store: Store, number: int, file: Path) -> None:
    await sharkd.Sharkd.start("/bin/true", [], b"CLIENT_RANDOM 00 11\n")


async def sharkd_loads_all(store: Store, number: int, file: Path) -> None:
    packets = await store.services.packets.open(store.ada, number)
    try:
        await packets.load_whole()
    finally:
        await packets.close()


async def somebody_reads(store: Store, number: int, file: Path) -> None:
    (await store.services.transfers.read_capture(store.ada, number)).close()


@pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")
@pytest.mark.parametrize(
    ("work", "module", "opens"),
    [
        (tshark_reads, tshark, "PcapInput"),
        (reads_with_keys, tshark, "unnamed"),
        (sharkd_starts_with_keys, sharkd, "unnamed"),
        (sharkd_loads_all, packet_dissector, "open_for_child"),
        (somebody_reads, transfers, "FileSetReader"),
    ],
)
async def test_what_a_thread_opens_for_somebody_who_left_is_closed(
    store: Store, monkeypatch: pytest.MonkeyPatch, work: Work, module: ModuleType, opens: str
) -> None:
    number = keep(store.services, store.ada, exchanges().data())
    (file,) = store.services.paths.jobs.glob(f"*/{CAPTURE_NAME}")
    begun, may_end, done = threading.Event(), threading.Event(), threading.Event()
    open_it, before = getattr(module, opens), open_files()

    def open_slowly(*arguments: Any) -> Any:
        begun.set()
        may_end.wait(30)
        try:
            return open_it(*arguments)
        finally:
            done.set()

    open_slowly.close = getattr(open_it, "close", None)  # type: ignore[attr-defined]
    monkeypatch.setattr(module, opens, open_slowly)
    caller = asyncio.create_task(work(store, number, file))
    assert await asyncio.to_thread(begun.wait, 30)
    caller.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await asyncio.to_thread(done.wait, 30)
    async with asyncio.timeout(10):
        while open_files() - before:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("of", ["packets", "traffic"])
async def test_a_caller_may_leave_at_any_moment(store: Store, of: str) -> None:
    number = keep(store.services, store.ada, exchanges().data())
    (path,) = store.services.paths.jobs.glob(f"*/{CAPTURE_NAME}")
    open_it: Callable[..., Awaitable[Any]] = getattr(store.services, of).open
    turns, done = 0, False
    while not done:
        caller = asyncio.ensure_future(open_it(store.ada, number))
        for _ in range(turns):
            await asyncio.sleep(0)
        done = caller.done()
        caller.cancel()
        with suppress(asyncio.CancelledError):
            await (await caller).close()
        turns += MOMENTS
    assert await closed(path)
