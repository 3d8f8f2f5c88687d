"""Host elements by address, on disk: a scan of 65,536 hosts is no reason for memory."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Spool:
    """Keeps hosts until all stages have spoken of them.

    Args:
        directory: Where there is room; the file has no name and is gone with us.
    """

    def __init__(self, directory: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115  (open as long as we run)
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0
        self._at_end = True

    def __contains__(self, address: str) -> bool:
        return address in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def keep(self, address: str, content: bytes) -> None:
        """Remember a host, in place of what was known of it."""
        if not self._at_end:  # to seek writes out what is buffered
            self._file.seek(self._end)
            self._at_end = True
        self._file.write(content)
        self._places[address] = (self._end, len(content))
        self._end += len(content)

    def get(self, address: str) -> ElementTree.Element | None:
        """Return a host, parsed; None when it is not here."""
        if address not in self._places:
            return None
        offset, size = self._places[address]
        self._file.seek(offset)
        self._at_end = False
        return ElementTree.fromstring(self._file.read(size))  # noqa: S314  (an element: no entities)
