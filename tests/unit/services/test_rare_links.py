"""Conversations and endpoints of links that are seldom met: counted, and found by the filters of their lines."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from netmon_tui.domain.analysis import Asked, Question, Value, find_question
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.tshark_conversations import LAYERS
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


def _packet(protocol: int, source: int, destination: int, data: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0)
    return head + bytes([10, 0, 0, source, 10, 0, 0, destination]) + data


def _cooked(source: int, destination: int) -> bytes:
    return struct.pack(">HHH5xB2xH", 0, 1, 6, source, 0x9000) + b"hello"


def _rsvp(source: int, destination: int) -> bytes:
    objects = (
        struct.pack(">HBB4B4x", 12, 1, 1, 10, 0, 0, destination),
        struct.pack(">HBB4B4x", 12, 11, 1, 10, 0, 0, source),
    )
    return _packet(46, source, destination, struct.pack(">BBHBBH", 0x10, 1, 0, 64, 0, 32) + b"".join(objects))


def _ncp(source: int, destination: int) -> bytes:
    call = struct.pack(">HHHHHBBBBB", 1000, 524, 15, 0, 0x2222, 1, 5, 1, 0, 0x14)
    return _packet(17, source, destination, call)


def _mptcp(source: int, destination: int) -> bytes:
    keys = struct.pack(">BBBBQQ", 30, 20, 0, 1, source + destination, 99)
    head = struct.pack(">HHIIBBHHH", 1000 + source, 1000 + destination, 1, 1, 10 << 4, 0x10, 100, 0, 0)
    return _packet(6, source, destination, head + keys)


LINKS = {
    "wpan": (230, _wpan),
    "zbee_nwk": (230, _zigbee),
    "fc": (224, _fibre_channel),
    "fddi": (10, _ring(b"\x50")),
    "tr": (6, _ring(b"\x10\x40")),
    "dccp": (101, _dccp),
    "ipx": (1, _ipx),
    "rsvp": (101, _rsvp),
    "ncp": (101, _ncp),
    "mptcp": (101, _mptcp),
}
"""Link type, and what makes a packet from one address to another."""


def written(file: Path, linktype: int, make: Callable[[int, int], bytes]) -> Path:
    """Write a packet, its answer, and one to a third."""
    header = make_header(linktype)
    packets = [make(1, 2), make(2, 1), make(1, 3)]
    records = (pack_record(header, RawPacket(n, n * 10**9, len(p), p)) for n, p in enumerate(packets, 1))
    file.write_bytes(header.data + b"".join(records))
    return file


def counted(file: Path, question: Question) -> tuple[list[Value], list[str]]:
    """Return the packets of each line of an answer, and its filter."""
    reader = reader_for(Asked(question))
    with file.open("rb") as source:
        command = build_command(TSHARK, Asked(question), 1.0)
        reader.take(subprocess.run(command, stdin=source, capture_output=True, check=True).stdout)
    answer = reader.answer()
    place = [column.key for column in answer.columns].index("packets")
    return [row.cells[place] for row in answer.rows], [row.filter for row in answer.rows]


@pytest.mark.parametrize("kind", LINKS)
def test_conversations_and_endpoints_are_counted_and_found(tmp_path: Path, kind: str) -> None:
    file = written(tmp_path / "link.pcap", *LINKS[kind])
    (between, which), (of_ends, whose) = (
        counted(file, find_question(f"{name}:{kind}")) for name in ("conversations", "endpoints")
    )
    assert (between, of_ends) == ([2, 1], [3, 2, 1])
    assert found_by(file, [*which, *whose]) == [*between, *of_ends]


def test_a_link_that_tells_only_who_sent_has_one_end(tmp_path: Path) -> None:
    file = written(tmp_path / "link.pcap", 113, _cooked)
    for name in ("conversations", "endpoints"):
        counts, filters = counted(file, find_question(f"{name}:sll"))
        assert counts == [2, 1] == found_by(file, filters)


def test_what_tshark_counts_itself_is_read_where_its_fields_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "link.pcap", *LINKS["rsvp"])
    monkeypatch.delitem(LAYERS, "ip")
    assert counted(file, find_question("conversations:ip")) == ([2, 1], ["", ""])
    assert counted(file, find_question("endpoints:ip")) == ([3, 2, 1], ["", "", ""])
    assert counted(file, find_question("endpoints:jxta")) == ([], [])
