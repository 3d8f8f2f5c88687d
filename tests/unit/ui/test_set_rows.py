"""Packets of several files as rows, some of which cannot be read at first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from netmon_tui.domain.packet import PacketSummary
from netmon_tui.domain.packet_columns import PacketColumns, PacketLine
from netmon_tui.domain.set_matches import SetMatch, SetMatches
from netmon_tui.errors import StorageError
from netmon_tui.ui.widgets.set_rows import SetRows

COLUMNS = PacketColumns(("number", "info"))


class Made:
    """Lines that say which packet they are of."""

    async def read(self, file: str, numbers: Sequence[int], keys: Sequence[str]) -> list[PacketLine]:
        infos = {number: f"packet {number}" for number in numbers}
        return [
            PacketLine(PacketSummary(number, 0.0, "", "", "", 60, info), (str(number), info))
            for number, info in infos.items()
        ]

    async def told(self, file: str, numbers: Sequence[int], columns: PacketColumns) -> list[PacketLine]:
        return await self.read(file, numbers, columns.keys)


async def test_what_could_not_be_read_is_looked_through_again_and_nothing_is_listed_twice() -> None:
    found, fails = SetMatches(), ["two"]
    for name in ("one", "two"):
        found.add(Path(name), [1, 2, 3])

    class Failing(Made):
        async def read(self, file: str, numbers: Sequence[int], keys: Sequence[str]) -> list[PacketLine]:
            if file in fails:
                fails.remove(file)
                raise StorageError("the database is busy")
            return await super().read(file, numbers, keys)

    rows = SetRows(found, COLUMNS, Failing())
    await rows.filter("packet 2")
    with pytest.raises(StorageError):
        await rows.load(0, 10)
    assert rows.count == 0 and rows.missing(0, 10)
    await rows.load(0, 10)
    await rows.load(0, 10)
    assert [row and row.key for row in rows.window(0, 10)] == [SetMatch("one", 2), SetMatch("two", 2)]
