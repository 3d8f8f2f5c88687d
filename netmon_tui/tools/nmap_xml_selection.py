"""Some hosts of an nmap document: everything else in it stays byte for byte."""

from __future__ import annotations

import pyexpat
from collections.abc import Container, Iterable, Iterator

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_attributes import Attributes
from netmon_tui.tools.nmap_xml import PIECE, malformed, new_expat


def keep_hosts(document: Iterable[bytes], chosen: Container[int]) -> Iterator[bytes]:
    """Yield a whole document without the hosts that are not chosen, and without nmap's hints of hosts.

    Args:
        document: In pieces of any size. At most one host of it is kept in memory.
        chosen: Positions of hosts in the document, from 0.

    Raises:
        InvalidInput: The document is malformed, or in an encoding that nmap does not write.
    """
    cutter = _Cutter(chosen)
    for piece in document:
        for start in range(0, len(piece), PIECE):
            yield cutter.feed(piece[start : start + PIECE])
    yield cutter.close()


class _Cutter:
    """Follows the elements of a document and drops some.

    Args:
        chosen: Positions of hosts to keep.
    """

    def __init__(self, chosen: Container[int]) -> None:
        self._chosen = chosen
        self._expat = new_expat()
        self._expat.StartElementHandler = self._begin
        self._expat.EndElementHandler = self._finish
        self._waiting = b""
        """Bytes that may still have to be dropped."""
        self._offset = 0
        """Where in the document they begin."""
        self._kept: list[bytes] = []
        self._dropped = False
        """Whether the last element was."""
        self._depth = 0
        self._ordinal = 0

    def feed(self, piece: bytes) -> bytes:
        """Return what is certain to stay."""
        if not self._offset and not self._waiting and b"\0" in piece[:64]:
            raise InvalidInput("This is not nmap XML", why="nmap writes UTF-8")
        self._waiting += piece
        self._parse(piece)
        kept = b"".join(self._kept)
        self._kept.clear()
        return kept

    def close(self) -> bytes:
        """Return the rest."""
        self._parse(b"", final=True)
        return self._take(self._offset + len(self._waiting))

    def _parse(self, piece: bytes, *, final: bool = False) -> None:
        try:
            self._expat.Parse(piece, final)
        except pyexpat.ExpatError as error:
            raise malformed(error) from None

    def _begin(self, name: str, _: Attributes) -> None:
        self._depth += 1
        if self._depth == 2 and name in ("host", "hosthint"):
            self._kept.append(self._take(self._expat.CurrentByteIndex))

    def _finish(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 1 and name in ("host", "hosthint"):
            element = self._take(self._end(name))
            self._dropped = name == "hosthint" or self._ordinal not in self._chosen
            if not self._dropped:
                self._kept.append(element)
            self._ordinal += name == "host"

    def _end(self, name: str) -> int:
        """Return where the element ends: expat says where its end tag begins, or where an empty one ends."""
        index = self._expat.CurrentByteIndex
        at = index - self._offset
        if self._waiting.startswith(b"</" + name.encode(), at):
            index = self._offset + self._waiting.index(b">", at) + 1
        return index

    def _take(self, end: int) -> bytes:
        """Return the bytes before a place in the document, which then wait no more.

        The line end after an element that was dropped goes with it.
        """
        size = end - self._offset
        taken, self._waiting, self._offset = self._waiting[:size], self._waiting[size:], end
        return taken.removeprefix(b"\n") if self._dropped else taken
