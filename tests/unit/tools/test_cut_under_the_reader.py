"""A file that its writer cuts after the last whole packet while somebody reads it, as a ring its last but one.

The kernel makes a file shorter, then fills what was cut off with zeros: who reads just then gets those.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netmon_tui.tools.pcap import RawPacket
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.traffic_reader import TrafficReader
from tests.unit.tools.exchanges import exchanges
from tests.unit.tools.test_pcap_layout import TIME, file_of, packets

LONG = RawPacket(21, TIME, 1000, b"\1" * 1000)
HALF = 400
"""Bytes of it that have come: as zeros they are several records."""


@pytest.fixture(params=["pcap", "pcapng"])
def whole(request: pytest.FixtureRequest) -> bytes:
    """A file of whole packets."""
    return exchanges().data() if request.param == "pcap" else file_of(packets(20))


@pytest.fixture
def path(tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with half a packet behind them, which is cut off under the read that reaches it."""
    path, read, begin = tmp_path / "capture", os.pread, len(whole)
    path.write_bytes(whole)
    with PacketIndex(path) as index:
        path.write_bytes(whole + index.layout.pack(LONG)[:HALF])

    def overtaken(descriptor: int, most: int, at: int) -> bytes:
        data = read(descriptor, most, at)
        if at + len(data) > begin and path.stat().st_size > begin and at:
            os.truncate(path, begin)
            data = data[: max(0, begin - at)].ljust(len(data), b"\0")
        return data

    monkeypatch.setattr(os, "pread", overtaken)
    return path


def test_the_index_has_no_packets_of_zeros(path: Path, whole: bytes) -> None:
    with PacketIndex(path, growing=True) as index:
        index.extend()
        count = index.count
        assert path.stat().st_size == len(whole), "it was cut"
        assert (index.end, index.damage) == (len(whole), "")
        index.growing = False
        assert (index.extend(), index.complete, index.damage) == (0, True, "")
        assert all(packet.length for packet in index.window(1, count + 1))


def test_no_packets_of_zeros_are_counted(path: Path, whole: bytes) -> None:
    with TrafficReader(path, growing=True) as reader:
        reader.advance(1.0)
        assert path.stat().st_size == len(whole), "it was cut"
        found = reader.snapshot(100)
        reader.growing = False
        reader.advance(1.0)
        assert (reader.snapshot(100), found.damage) == (found, "")
    with PacketIndex(path) as index:
        assert index.extend() == found.packets
