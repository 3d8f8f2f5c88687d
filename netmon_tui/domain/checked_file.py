"""What became of a file of a capture since it was stored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from netmon_tui.domain.capture_files import CaptureFile


class Finding(StrEnum):
    """How a file on the disk compares with what was stored of it."""

    SAME = "same"
    SIZE = "size"
    """It has another number of bytes."""
    BYTES = "bytes"
    """It has as many, but others."""
    GONE = "gone"
    UNREADABLE = "unreadable"
    """The system refused to tell."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file, and what was found."""

    file: CaptureFile
    """As it was stored."""
    finding: Finding
    bytes: int | None = None
    """On the disk; None where that is not known, or it is gone."""
    why: str = ""
    """The system's words for what cannot be read."""

    @property
    def words(self) -> str:
        """The finding for people."""
        if self.finding is Finding.SIZE:
            return f"size differs: {self.bytes:,} bytes on the disk, {self.file.bytes:,} were stored"
        if self.finding is Finding.BYTES:
            return "bytes differ: its SHA-256 is not the one that was stored"
        if self.finding is Finding.UNREADABLE:
            return f"cannot be read: {self.why}"
        return "file gone" if self.finding is Finding.GONE else "as it was stored"
