"""The files of a capture: how they are called, and which of them have its packets.

A capture has one file, or it goes on in another whenever one is full. All of them begin with the same 24 bytes, so
that the first one and the others without these are one pcap file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

CAPTURE_NAME = "capture.pcap"
"""Name of a capture's only file in its job directory."""
NUMBERED_NAME = "capture-%06d.pcap"
"""Names of several, numbered from 1: a ring deletes the lowest."""
SMALLEST_FILE = 300_000
"""Bytes that a file may be bounded to: one packet of the largest kind fits."""
_NAME = re.compile(r"capture(?:-(\d{6,}))?\.pcap")


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


def file_number(name: str) -> int | None:
    """Return the number that a file with packets has among those of its capture; None for any other file."""
    found = _NAME.fullmatch(name)
    return int(found[1] or 1) if found else None


def in_order(names: Iterable[str]) -> list[str]:
    """Return the names of files with packets among others, in the order of their packets."""
    numbers = ((file_number(name), name) for name in names)
    return [name for _, name in sorted((number, name) for number, name in numbers if number is not None)]
