"""A capture's files follow each other in a directory that somebody else may tidy up."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import pytest

from netmon_tui.domain.capture_files import NUMBERED_NAME, file_name
from netmon_tui.runtime.runner.record_walk import trim_to_whole_records
from netmon_tui.runtime.runner.rotation import RotatedFile
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcapng import begin_section, pack_block

HEADER = make_header()
PACKET = RawPacket(1, 10**18, 1000, bytes(1000))
RECORD = pack_record(HEADER, PACKET)
STATISTICS = struct.pack("<IIIIII", 5, 24, 0, 0, 0, 24)
"""What dumpcap ends with for each interface."""


def test_a_file_that_somebody_deleted_ends_no_ring(tmp_path: Path) -> None:
    source, end = os.pipe2(os.O_NONBLOCK)
    try:
        ring = RotatedFile(
            source, str(tmp_path), NUMBERED_NAME, {"file_bytes": 3_000, "file_seconds": 0.0, "files": 2}
        )
        os.write(end, HEADER.data)
        for number in range(12):
            os.write(end, RECORD)
            ring.move()
            if number == 5:
                (tmp_path / (NUMBERED_NAME % 1)).unlink(missing_ok=True)
                for path in sorted(tmp_path.glob("*.pcap"))[:-1]:
                    path.unlink()
        assert ring.error is None
        assert ring.files == 2 and ring.overwritten > 0
        assert len(list(tmp_path.glob("*.pcap"))) == 2
    finally:
        os.close(source)
        os.close(end)


def test_the_index_of_a_deleted_file_goes_with_it(tmp_path: Path) -> None:
    source, end = os.pipe2(os.O_NONBLOCK)
    try:
        ring = RotatedFile(
            source, str(tmp_path), NUMBERED_NAME, {"file_bytes": 3_000, "file_seconds": 0.0, "files": 1}
        )
        kept = tmp_path / f"{NUMBERED_NAME % 1}.index"
        kept.write_bytes(b"index")
        os.write(end, HEADER.data)
        for _ in range(6):
            os.write(end, RECORD)
            ring.move()
        assert not kept.exists()
        assert [path.name for path in tmp_path.glob("*.pcap")] == [Path(ring.path).name]
    finally:
        os.close(source)
        os.close(end)


@pytest.mark.parametrize("pcapng", [False, True])
@pytest.mark.parametrize("by_size", [False, True])
def test_a_ring_begins_no_file_before_there_is_a_packet_for_it(
    tmp_path: Path, pcapng: bool, by_size: bool
) -> None:
    begin, record, last = (HEADER.data, RECORD, b"")
    if pcapng:
        begin, record, last = (begin_section(HEADER), pack_block(HEADER, PACKET), STATISTICS)
    source, end = os.pipe2(os.O_NONBLOCK)
    limits = {"file_bytes": len(begin + record) if by_size else 0, "file_seconds": 0.0 if by_size else 5.0}
    ring = RotatedFile(source, str(tmp_path), file_name(numbered=True, pcapng=pcapng), limits | {"files": 2})

    def of_each() -> list[int]:
        return [trim_to_whole_records(str(path))[0] for path in sorted(tmp_path.iterdir())]

    def move(data: bytes) -> None:
        ring.tick(time.monotonic())
        os.write(end, data)
        ring.move()
        ring.tick(time.monotonic() + 10)

    try:
        move(begin + record)
        assert of_each() == [1]
        for _ in range(2):
            move(record[:9])
            move(record[9:])
            assert of_each() == [1, 1]
        move(last)
        os.close(end)
        assert ring.move() == (0, False)
        assert (ring.files, ring.overwritten, of_each(), ring.trim()) == (2, 1, [1, 1], 2)
        assert Path(ring.path).read_bytes() == begin + record + last
    finally:
        os.close(source)
