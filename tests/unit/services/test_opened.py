"""What is opened for somebody who went away meanwhile is closed."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.domain.capture_files import CAPTURE_NAME
from netmon_tui.services.opened import opened
from netmon_tui.services.packet_rows import PacketRows
from tests.unit.services.made_scans import Store
from tests.unit.services.tsharks import keep
from tests.unit.tools.exchanges import exchanges

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

    caller = asyncio.create_task(opened(open_slowly))
    await asyncio.to_thread(begun.wait)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    may_end.set()
    while not made:
        await asyncio.sleep(0)
    assert await closed(path)


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
