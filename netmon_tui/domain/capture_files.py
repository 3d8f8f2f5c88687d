"""The files of a capture: how they are called, and which of them have its packets.

A capture has one file, or it goes on in another whenever one is full. All of them begin with the same bytes, a pcap
header or the description of a pcapng file's interfaces, so that the first one and the others without these are one
file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from netmon_tui.domain.job import Rotation
from netmon_tui.errors import LimitRefused

CAPTURE_NAME = "capture.pcap"
"""Name of a capture's only file in its job directory; pcapng has another extension."""
NUMBERED_NAME = "capture-%06d.pcap"
"""Names of several, numbered from 1: a ring deletes the lowest."""
PCAPNG = ".pcapng"
"""Extension of files that are no classic pcap."""
SMALLEST_FILE = 300_000
"""Bytes that a file may be bounded to: one packet of the largest kind fits."""
MOST_FILES = 10_000
"""Files of a ring."""
_NAME = re.compile(r"capture(?:-(\d{6,}))?\.pcap(?:ng)?")


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """One file of a capture."""

    path: str
    """Absolute."""
    bytes: int
    packets: int
    sha256: str
    """Hex; empty while the file still grows."""
    first_packet: datetime | None = None
    last_packet: datetime | None = None

    @property
    def name(self) -> str:
        """Without its directory."""
        return Path(self.path).name


def file_name(*, numbered: bool, pcapng: bool) -> str:
    """Return how the file of a capture is called, or with ``%d`` in it how its files are."""
    name = NUMBERED_NAME if numbered else CAPTURE_NAME
    return str(Path(name).with_suffix(PCAPNG)) if pcapng else name


def check_rotation(rotation: Rotation, largest: int) -> None:
    """Refuse a rotation that cannot be.

    Args:
        rotation: What is asked for.
        largest: Bytes that a capture may have.

    Raises:
        LimitRefused: Says what is wrong with it.
    """
    size, seconds, files = rotation.file_bytes, rotation.file_seconds, rotation.files
    if files and not rotation.is_on:
        raise LimitRefused("several files need a size or a time", fix="say when the next file begins")
    if files and not 2 <= files <= MOST_FILES:
        raise LimitRefused(f"a ring of {files:,} files is none", fix=f"2 to {MOST_FILES:,} files")
    if size and size < SMALLEST_FILE:
        raise LimitRefused(f"files of {size:,} bytes are too small", fix=f"at least {SMALLEST_FILE:,}")
    if seconds and not seconds >= 1:
        raise LimitRefused(f"files of {seconds:g} seconds are too short", fix="at least 1")
    if size * files > largest:
        raise LimitRefused(
            f"{files:,} files of {size:,} bytes are more than a capture may have",
            why=f"captures.largest_bytes and the size limit allow {largest:,}",
        )


def file_number(name: str) -> int | None:
    """Return the number that a file with packets has among those of its capture; None for any other file."""
    found = _NAME.fullmatch(name)
    return int(found[1] or 1) if found else None


def in_order(names: Iterable[str]) -> list[str]:
    """Return the names of files with packets among others, in the order of their packets."""
    numbers = ((file_number(name), name) for name in names)
    return [name for _, name in sorted((number, name) for number, name in numbers if number is not None)]
