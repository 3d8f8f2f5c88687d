"""Files of captures against what was stored of them: whose, cut short, and where the system refuses."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from netmon_tui.domain.checked_file import Finding
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import NotFound
from tests.unit.services.test_capture_catalogue import House, house, pcap, raws

__all__ = ["house"]
LARGE = 1 << 34
"""Bytes of a file without content, which takes many seconds to read."""


async def test_reading_ends_with_the_one_who_waits(house: House) -> None:
    (file,) = (await house.take(pcap(raws()))).files
    await asyncio.to_thread(os.truncate, file.path, LARGE)
    with sqlite3.connect(house.services.paths.data / "netmon.db") as connection:
        connection.execute("update capture_files set bytes = ?", (LARGE,))
    told: list[float] = []
    loop = asyncio.get_running_loop()

    def tell(part: float) -> None:
        told.append(part)
        loop.call_soon_threadsafe(verifying.cancel)

    verifying = asyncio.ensure_future(house.services.checks.verify(house.ada, 1, tell))
    with pytest.raises(asyncio.CancelledError):
        await verifying
    assert 0 < told[-1] < 1


async def test_a_file_that_cannot_be_read_is_told_as_that(house: House) -> None:
    capture = await house.take(pcap(raws()))
    path = Path(capture.files[0].path)
    path.unlink()
    path.symlink_to(path)
    for checked in (
        await house.services.checks.verify(house.ada, 1, lambda part: None),
        await house.services.checks.differing(capture),
    ):
        assert [one.finding for one in checked] == [Finding.UNREADABLE]
        assert checked[0].words == "cannot be read: Too many levels of symbolic links"


async def test_captures_of_others_are_not_compared(house: House) -> None:
    await house.take(pcap(raws()))
    other = Actor(house.ada.user_id + 1, "bo", Role.OPERATOR)
    with pytest.raises(NotFound):
        await house.services.checks.verify(other, 1, lambda part: None)
