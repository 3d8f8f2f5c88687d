"""A classic pcap file that is open for reading at any offset: what an index and a counter of it have in common."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from netmon_tui.tools.pcap import FILE_HEADER_SIZE, FileHeader, read_header


class OpenPcap:
    """A file and its header.

    Args:
        path: The file.

    Raises:
        InvalidInput: Not a classic pcap file.
        OSError: It cannot be opened or read.
    """

    def __init__(self, path: str | Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.header: FileHeader = read_header(os.pread(self._fd, FILE_HEADER_SIZE, 0))
        except BaseException:
            os.close(self._fd)
            raise

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

    def fileno(self) -> int:
        """Return the descriptor of the file."""
        return self._fd
