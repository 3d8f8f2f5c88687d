"""nmap's XML, cut into the elements below ``<nmaprun>`` while it is being written."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PIECE = 1 << 18


class Element(NamedTuple):
    """One element below the root, whole."""

    name: str
    content: bytes
    """As it was written."""

    @property
    def tree(self) -> ElementTree.Element:
        """The element, parsed."""
        return ElementTree.fromstring(self.content)  # noqa: S314  (an element cannot declare entities)


class Splitter:
    """Cuts a growing document; memory is that of one element."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        if hasattr(self._parser, "SetReparseDeferralEnabled"):  # else the last element waits for more
            self._parser.SetReparseDeferralEnabled(False)
        self._bytes = b""
        self._offset = 0
        """Where in the document ``_bytes`` begins."""
        self._depth = 0
        self._begin = 0
        self._found: list[Element] = []
        self.root: dict[str, str] | None = None
        """Attributes of ``<nmaprun>``, once it has come."""

    def feed(self, data: bytes) -> list[Element]:
        """Return the elements that became whole.

        Raises:
            ExpatError: It is no XML.
        """
        self._bytes += data
        self._found = []
        self._parser.Parse(data, False)
        keep = self._begin if self._depth > 1 else self._parser.CurrentByteIndex
        self._bytes = self._bytes[max(0, keep - self._offset) :]
        self._offset = max(self._offset, keep)
        return self._found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 0:
            self.root = attributes
        elif self._depth == 1:
            self._begin = self._parser.CurrentByteIndex
        self._depth += 1

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 1:
            # nmap escapes ">" in values: the next one ends a tag. Of an empty element expat tells no end tag.
            begin = self._begin - self._offset
            end = self._bytes.index(b">", begin) + 1
            if self._bytes[end - 2 : end] != b"/>":
                end = self._bytes.index(b">", self._parser.CurrentByteIndex - self._offset) + 1
            self._found.append(Element(name, self._bytes[begin:end]))


class Document:
    """A document on disk, read as far as it goes, as often as asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._splitter = Splitter()
        self.damaged = False

    @property
    def root(self) -> dict[str, str]:
        """Attributes of ``<nmaprun>``; none before it has come."""
        return self._splitter.root or {}

    def more(self) -> Iterator[Element]:
        """Yield what has become whole since the last time."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                while not self.damaged and (piece := file.read(PIECE)):
                    self._read += len(piece)
                    yield from self._cut(piece)
        except FileNotFoundError:
            return

    def _cut(self, piece: bytes) -> list[Element]:
        try:
            return self._splitter.feed(piece)
        except expat.ExpatError:
            self.damaged = True
            return []


def read_whole(path: Path, begin: Callable[[dict[str, str]], None]) -> Iterator[Element]:
    """Yield the whole elements of a document that nobody writes any more, also where it breaks off, also gzip.

    Args:
        path: The document.
        begin: Called with the attributes of ``<nmaprun>`` before the first.
    """
    splitter = Splitter()
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        while piece := file.read(PIECE):
            try:
                found = splitter.feed(piece)
            except expat.ExpatError:
                return
            begin(splitter.root or {})
            yield from found
