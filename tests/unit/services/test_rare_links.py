"""Conversations and endpoints of links that are seldom met: counted, and found by the filters of their lines."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from netmon_tui.domain.analysis import Asked, find_question
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.tshark_statistics import build_command, reader_for
from tests.unit.services.test_filters_of_counts import TSHARK, found_by

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")]
_SNAP = bytes.fromhex("aaaa030000000800")


def _wpan(source: int, destination: int) -> bytes:
    return bytes.fromhex("4188013412") + bytes([destination, 0, source, 0]) + b"hello"


def _zigbee(source: int, destination: int) -> bytes:
    network = struct.pack("<HHHBB", 0x0008, destination, source, 30, 7)
    return _wpan(source, destination)[:-5] + network + b"hello"


def _fibre_channel(source: int, destination: int) -> bytes:
    return bytes([6, 0, 0, destination, 0, 0, 0, source, 0x20]) + bytes(15) + b"x" * 8


def _ring(first: bytes) -> Callable[[int, int], bytes]:
    return lambda a, b: first + bytes([0, 0, 0, 0, 0, b, 0, 0, 0, 0, 0, a]) + _SNAP


def _dccp(source: int, destination: int) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 36, 1, 0, 64, 33, 0) + bytes(
        [10, 0, 0, source, 10, 0, 0, destination]
    )
    return head + struct.pack(">HHBBHBBHI", 1000 + source, 1000 + destination, 4, 0, 0, 5, 0, 0, 5)


def _ipx(source: int, destination: int) -> bytes:
    ends = (bytes([0, 0, 0, 1, 0, 0, 0, 0, 0, end, 0x40, end]) for end in (destination, source))
    return bytes(12) + b"\x81\x37" + struct.pack(">HHBB", 0xFFFF, 30, 0, 4) + b"".join(ends)


LINKS = {
    "wpan": (230, _wpan),
    "zbee_nwk": (230, _zigbee),
    "fc": (224, _fibre_channel),
    "fddi": (10, _ring(b"\x50")),
    "tr": (6, _ring(b"\x10\x40")),
    "dccp": (101, _dccp),
    "ipx": (1, _ipx),
}
"""Link type, and what makes a packet from one address to another."""


@pytest.mark.parametrize("kind", LINKS)
def test_conversations_and_endpoints_are_counted_and_found(tmp_path: Path, kind: str) -> None:
    linktype, make = LINKS[kind]
    header, file = make_header(linktype), tmp_path / "link.pcap"
    packets = [make(1, 2), make(2, 1), make(1, 3)]
    records = (pack_record(header, RawPacket(n, n * 10**9, len(p), p)) for n, p in enumerate(packets, 1))
    file.write_bytes(header.data + b"".join(records))
    counts, filters = [], []
    for name in ("conversations", "endpoints"):
        asked = Asked(find_question(f"{name}:{kind}"))
        reader = reader_for(asked)
        with file.open("rb") as source:
            command = build_command(TSHARK, asked, 1.0)
            reader.take(subprocess.run(command, stdin=source, capture_output=True, check=True).stdout)
        answer = reader.answer()
        place = [column.key for column in answer.columns].index("packets")
        counts += [row.cells[place] for row in answer.rows]
        filters += [row.filter for row in answer.rows]
    assert counts == [2, 1, 3, 2, 1]
    assert found_by(file, filters) == counts
