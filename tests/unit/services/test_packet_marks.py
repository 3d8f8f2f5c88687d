"""Marks of packets: each user's own, gone with the capture, and chosen for slices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from netmon_tui.domain.capture_choice import PacketChoice
from netmon_tui.domain.packet_mark import MOST_MARKS, PacketMark
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.services.container import Services
from netmon_tui.services.packet_marks import PacketMarkService
from netmon_tui.storage.packet_mark_repository import PacketMarkRepository
from tests.bench.generate_pcap import generate
from tests.unit.services.test_capture_catalogue import opened

COUNT = 300


class Marked(NamedTuple):
    """Services with two users, and a capture of ada's."""

    services: Services
    ada: Actor
    eve: Actor
    capture: int

    @property
    def marks(self) -> PacketMarkService:
        return self.services.packets.marks


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Marked]:
    made = await opened(tmp_path)
    generate(tmp_path / "made.pcap", COUNT)
    capture = await made.take((tmp_path / "made.pcap").read_bytes())
    yield Marked(made.services, made.ada, await made.user("eve", Role.OPERATOR), capture.id)
    await made.services.close()


async def test_a_mark_is_put_changed_and_taken_away(house: Marked) -> None:
    marks = house.marks.of(house.ada, house.capture)
    await marks.mark(7)
    await marks.mark(3, "the first reset")
    await marks.mark(3)
    assert await marks.all() == [PacketMark(3, "the first reset"), PacketMark(7)]
    await house.marks.mark(house.ada, house.capture, [7, 9, 9], "retry")
    assert await house.marks.marks(house.ada, house.capture) == [
        PacketMark(3, "the first reset"),
        PacketMark(7, "retry"),
        PacketMark(9, "retry"),
    ]
    await marks.unmark(7)
    assert [mark.number for mark in await marks.all()] == [3, 9]
    await marks.unmark()
    assert await marks.all() == []


async def test_marks_are_ones_own_and_go_with_the_capture(house: Marked) -> None:
    await house.marks.mark(house.ada, house.capture, [1, 2])
    for call in (
        house.marks.marks(house.eve, house.capture),
        house.marks.mark(house.eve, house.capture, [1]),
        house.marks.unmark(house.eve, house.capture),
        house.marks.marks(house.ada, 999),
    ):
        with pytest.raises(NotFound):
            await call
    repository = PacketMarkRepository(house.services.database)
    assert repository.marks(house.eve, house.capture) == []
    await house.services.capturing.delete(house.ada, house.capture)
    assert repository.marks(house.ada, house.capture) == []


async def test_what_cannot_be_marked_changes_nothing(house: Marked) -> None:
    await house.marks.mark(house.ada, house.capture, [1], "kept")
    for numbers, comment in (([1, COUNT + 1], None), ([0], None), ([1], "x" * 201), ([1], "\x1b[2J")):
        with pytest.raises(InvalidInput):
            await house.marks.mark(house.ada, house.capture, numbers, comment)
    many = [PacketMark(number) for number in range(1, MOST_MARKS + 2)]
    with pytest.raises(InvalidInput, match="too many"):
        PacketMarkRepository(house.services.database).put(house.ada, house.capture, many)
    assert await house.marks.marks(house.ada, house.capture) == [PacketMark(1, "kept")]


async def test_marked_packets_are_sliced_and_exported(house: Marked, tmp_path: Path) -> None:
    catalogue, marked = house.services.catalogue, PacketChoice(marked=True)
    with pytest.raises(InvalidInput, match="no packet is chosen"):
        await catalogue.slice(house.ada, house.capture, marked)
    await house.marks.mark(house.ada, house.capture, [2, 5, 200])
    made = await catalogue.slice(house.ada, house.capture, marked)
    assert made.counters.packets == 3 and made.source == "marked packets"
    some = await catalogue.slice(
        house.ada, house.capture, PacketChoice(last=100, marked=True, numbers=(5, 6, 200))
    )
    assert some.counters.packets == 1
    path = await catalogue.export(house.ada, house.capture, tmp_path / "out.pcap", marked)
    assert path.stat().st_size == sum(one.bytes for one in made.files)
