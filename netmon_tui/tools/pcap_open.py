"""A capture file that is open for reading at any offset: what an index and a counter of it have in common."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.pcap import FileHeader
from netmon_tui.tools.pcap_layout import RecordLayout, layout_of


def open_packets(path: str | Path) -> int:
    """Return a descriptor to read a capture file at any offset.

    Whoever opens a pipe waits for its writer, and a device may never end: neither is a capture file, whatever stood
    there before.

    Raises:
        InvalidInput: It is a pipe, a device or a directory.
        OSError: It cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise InvalidInput(f"{path} is no capture file", why="something else took its place: it is no plain file")


class OpenPcap:
    """A file, its header and how its packets follow one another.

    Args:
        path: The file.

    Raises:
        InvalidInput: Not a capture file of a kind that is stored.
        OSError: It cannot be opened or read.
    """

    def __init__(self, path: str | Path) -> None:
        self._fd = open_packets(path)
        try:
            self.layout: RecordLayout = layout_of(self._fd)
        except BaseException:
            os.close(self._fd)
            raise

    @property
    def header(self) -> FileHeader:
        """That of the file, or of a classic one with its packets."""
        return self.layout.header

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _piece(self, at: int, most: int) -> bytes:
        """Return bytes of the file, without what is cut off it at that moment, which reads as zeros.

        A ring cuts a file that is full after its last whole packet; zeros are a record of no bytes.
        """
        piece = os.pread(self._fd, most, at)
        return piece[: max(0, os.fstat(self._fd).st_size - at)]

    def fileno(self) -> int:
        """Return the descriptor of the file."""
        return self._fd
