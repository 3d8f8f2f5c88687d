"""A capture's files follow each other in a directory that somebody else may tidy up."""

from __future__ import annotations

import os
from pathlib import Path

from netmon_tui.domain.capture_files import NUMBERED_NAME
from netmon_tui.runtime.runner.rotation import RotatedFile
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record

HEADER = make_header()
RECORD = pack_record(HEADER, RawPacket(1, 10**18, 1000, bytes(1000)))


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
