"""What a capture left behind: its files repaired, counted, timed and hashed. Every call blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from netmon_tui.domain.capture_files import CaptureFile
from netmon_tui.domain.job import CaptureCounters
from netmon_tui.errors import InvalidInput
from netmon_tui.services.kept_index import keep_index, open_index
from netmon_tui.tools import pcap_files
from netmon_tui.tools.file_set import packet_files
from netmon_tui.tools.protocol_count import count_protocols

_MOST_COUNTED = 50_000
"""Packets that are looked at once more when a capture has ended: less than half a second."""


class Stock(NamedTuple):
    """What there is."""

    files: list[CaptureFile]
    """In order."""
    damage: str
    """Why a file is not among them."""
    facts: dict[str, Any]
    """Columns of the capture's row."""


def take_stock(directory: Path) -> Stock:
    """Cut the files of a capture to whole records; a last file that never got a packet is deleted.

    A file that cannot be read as one is left as it is, and is no file of the capture.
    """
    files: list[CaptureFile] = []
    damage, facts = [], {}
    for path in packet_files(directory):
        if not path.stat().st_size:
            continue
        try:
            whole = pcap_files.trim(path, keep_index)
        except InvalidInput as error:
            damage.append(str(error))
            continue
        if not whole.packets and files:
            path.unlink()
            continue
        facts["linktype"] = whole.linktype
        files.append(_described(path, whole))
    return Stock(files, "; ".join(damage), facts | _span(files))


def of_files(counters: CaptureCounters, files: Sequence[CaptureFile]) -> CaptureCounters:
    """Return the figures of a capture that has ended as its files have them.

    The kernel counts on to the end of its last block, behind a limit of packets or bytes, and what was dropped. So
    its count of the protocols gives way to that of the files; where these have too many packets to look at each, it
    stays unless it is of more packets than there are.
    """
    packets = sum(file.packets for file in files)
    kernels = counters.protocols
    if kernels and packets <= _MOST_COUNTED:
        found = _count(files)
        protocols = tuple((name, found[name]) for name, _ in kernels)
    else:
        protocols = kernels if sum(count for _, count in kernels) <= packets else ()
    size = sum(file.bytes for file in files)
    return replace(counters, packets=packets, bytes=size, files=max(1, len(files)), protocols=protocols)


def _count(files: Sequence[CaptureFile]) -> Counter[str]:
    total: Counter[str] = Counter()
    for file in files:
        with open_index(Path(file.path)) as index:
            index.extend()
            total += count_protocols(index.packets(), index.header.linktype)
    return total


def _described(path: Path, whole: pcap_files.WholeRecords) -> CaptureFile:
    first, last = (datetime.fromtimestamp(t, UTC) for t in whole.times) if whole.times else (None, None)
    return CaptureFile(str(path), whole.bytes, whole.packets, pcap_files.sha256_of(path), first, last)


def _span(files: Sequence[CaptureFile]) -> dict[str, Any]:
    filled = [file for file in files if file.packets]
    if not filled:
        return {}
    return {"first_packet": filled[0].first_packet, "last_packet": filled[-1].last_packet}
