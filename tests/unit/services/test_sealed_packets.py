"""Packets of which our own words say little are listed in those of the dissector."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from netmon_tui.domain.packet_columns import PacketColumns, PacketLine
from netmon_tui.domain.packet_find import FindIn, FoundPackets, Wanted
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packet_list import PacketList
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.ui.widgets.packet_list import PacketSource
from netmon_tui.ui.widgets.row_source import cell_text
from tests.unit.services.made_scans import Store
from tests.unit.services.test_capture_keys import given
from tests.unit.tools import packet_samples as samples

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]
_RADIOTAP = struct.pack("<BBHI", 0, 0, 8, 0)
COLUMNS = ("_ws.col.Source", "_ws.col.Destination", "_ws.col.Protocol", "_ws.col.Info")
STATION = "02:00:00:00:00:01"


def beacon() -> bytes:
    """A frame with which an access point tells of itself."""
    station = bytes.fromhex(STATION.replace(":", ""))
    head = b"\x80\0\0\0" + b"\xff" * 6 + station * 2 + bytes(10)
    return _RADIOTAP + head + struct.pack("<HH", 100, 1) + b"\0\4home"


def usb(number: int) -> bytes:
    """A question for the descriptor of a device, as usbmon tells it."""
    setup = bytes.fromhex("8006000100001200")
    head = struct.pack("<QBBBBHccqiiII", number, ord("S"), 2, 0x80, 5, 1, b"\0", b"<", number, 0, -115, 18, 0)
    return head + setup + struct.pack("<iiII", 0, 0, 0x200, 0)


RESET = bytes.fromhex("0000000001030c00")
PACKETS = {127: [beacon(), _RADIOTAP + b"\xd4\0\0\0" + b"\2" * 6], 220: [usb(1), usb(2)], 201: [RESET]}
"""Wi-Fi, USB and Bluetooth, by link type."""


def made(linktype: int, *, times: int = 1) -> bytes:
    """Return a file with these packets."""
    header = make_header(linktype)
    packets = enumerate(PACKETS[linktype] * times, 1)
    return header.data + b"".join(pack_record(header, RawPacket(n, n, len(p), p)) for n, p in packets)


def told(path: Path) -> list[list[str]]:
    """What tshark says in its own columns."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", *(w for c in COLUMNS for w in ("-e", c))]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return [line.split("\t") for line in out.splitlines()]


def words(lines: list[PacketLine]) -> list[list[str]]:
    at = [PacketColumns().keys.index(key) for key in ("source", "destination", "protocol", "info")]
    for line in lines:
        assert [line.cells[place] for place in at] == [*line.summary[2:5], line.summary.info]
    return [[line.cells[place] for place in at] for line in lines]


async def opened(packets: PacketList) -> PacketList:
    while await packets.extend():
        pass
    return packets


@pytest.mark.parametrize("linktype", PACKETS)
async def test_link_types_that_are_not_ours_are_told_by_the_dissector(tmp_path: Path, linktype: int) -> None:
    path = tmp_path / "made.pcap"
    path.write_bytes(made(linktype))
    packets = await opened(PacketList(path))
    columns = PacketColumns()
    lines = await packets.lines(range(1, packets.count + 1), columns.keys)
    assert words(await packets.worded(lines, columns)) == told(path)
    await packets.close()


async def found(packets: PacketList, text: str, *, by_tshark: bool = False) -> list[int]:
    """The packets in whose lines something is found."""
    finder = await packets.finder(Wanted(text, place=FindIn.LIST, by_tshark=by_tshark))
    middle = min(700, finder.count)
    numbers = FoundPackets(finder.begins_at(middle), finder.count)
    async for batch in finder.batches(middle):
        numbers.add(batch)
    assert numbers.complete
    return list(numbers.numbers)


@pytest.mark.parametrize(("linktype", "text"), [(127, "Beacon"), (220, "GET DESCRIPTOR"), (201, "Reset")])
async def test_something_is_found_in_the_words_that_are_listed(
    tmp_path: Path, linktype: int, text: str
) -> None:
    path = tmp_path / "made.pcap"
    path.write_bytes(made(linktype, times=500))
    packets = await opened(PacketList(path))
    expected = [number for number, cells in enumerate(told(path), 1) if text in cells[3]]
    assert len(expected) >= 500 and await found(packets, text) == expected
    assert await found(packets, "no such words") == []
    source = PacketSource(packets)
    await source.filter(text)
    while source.missing(0, 20):
        await source.load(0, 20)
        assert source.asks_dissector
    assert source.shown is not None and list(source.shown) == expected
    assert all(row and any(text in cell_text(cell) for cell in row.cells) for row in source.window(0, 20))
    await packets.close()


async def test_tsharks_words_are_found_where_they_are_listed(tmp_path: Path) -> None:
    path, header = tmp_path / "made.pcap", make_header()
    raws = [RawPacket(n, n, len(data), data) for n, data in enumerate(samples.SAMPLES.values(), 1)]
    path.write_bytes(header.data + b"".join(pack_record(header, raw) for raw in raws))
    packets = await opened(PacketList(path))
    ours = [line.summary.info for line in await packets.lines(range(1, packets.count + 1), ())]
    infos = [cells[3] for cells in told(path)]
    info = next(one for one in infos if infos.count(one) == 1 and not any(one in own for own in ours))
    assert await found(packets, info, by_tshark=True) == [infos.index(info) + 1]
    assert await found(packets, info) == []
    finder = await packets.finder(Wanted(info, place=FindIn.LIST))
    assert not finder.asks_dissector, "our own words are made by ourselves"
    await packets.close()


async def test_without_sharkd_our_own_words_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "made.pcap"
    path.write_bytes(made(127))
    packets = await opened(PacketList(path))
    monkeypatch.setattr("netmon_tui.runtime.packet_dissector.find_tool", lambda name: None)
    lines = await packets.lines([1, 2], PacketColumns().keys)
    assert await packets.worded(lines, PacketColumns()) == lines
    assert await found(packets, lines[0].summary.info) == [1]
    await packets.close()


async def test_what_the_keys_open_is_told_as_what_it_is(store: Store, tmp_path: Path) -> None:
    capture, keys = given(store, tmp_path)
    services, columns = store.services, PacketColumns()

    async def infos() -> list[str]:
        packets = await opened(await services.packets.open(store.ada, capture))
        lines = await packets.lines(range(1, packets.count + 1), columns.keys)
        listed = words(await packets.worded(lines, columns))
        await packets.close()
        return [" ".join(cells[2:]) for cells in listed]

    assert not any(info.startswith("HTTP") for info in await infos())
    await services.packets.keys.give(store.ada, capture, keys)
    opened_up = [info for info in await infos() if info.startswith("HTTP")]
    assert len(opened_up) == 2 and "200 OK" in opened_up[1]
    packets = await opened(await services.packets.open(store.ada, capture))
    assert len(await found(packets, "200 OK")) == 1
    await packets.close()
