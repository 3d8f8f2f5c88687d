"""gzip files, also damaged ones: whatever can be unpacked before the damage.

Format: RFC 1952. Python's own reader loses up to a whole read of what it had unpacked when it meets damage.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

MAGIC = b"\x1f\x8b"
GZIP_BITS = 31
"""zlib's code for the largest window and a gzip header."""
_PACKED_PIECE = 1 << 16
_PIECE = 1 << 20
"""Bytes that are yielded at most at once."""


def unpacked(file: BinaryIO) -> Iterator[bytes]:
    """Yield what is in a file, of one member or several; padding with zeros between and behind them is passed over.

    Args:
        file: Open for reading.

    Raises:
        EOFError: It is cut; all that can be unpacked was yielded before.
        zlib.error: It is damaged otherwise; so it was.
    """
    unpacker, begun = zlib.decompressobj(GZIP_BITS), False
    while packed := file.read(_PACKED_PIECE):
        while packed := packed if begun else packed.lstrip(b"\0"):
            begun = True
            yield from _inflated(unpacker, packed)
            packed = unpacker.unused_data
            if not unpacker.eof:
                break
            unpacker, begun = zlib.decompressobj(GZIP_BITS), False
    if begun:
        raise EOFError("it is cut")


def _inflated(unpacker: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Yield what packed bytes become, up to the end of the member; the last of it before an error is raised."""
    while True:
        before = unpacker.copy()
        try:
            piece = unpacker.decompress(packed, _PIECE)
        except zlib.error:
            if rescued := _rescued(before, packed):
                yield rescued
            raise
        if piece:
            yield piece
        if len(piece) < _PIECE:
            return
        packed = unpacker.unconsumed_tail


def _rescued(unpacker: zlib._Decompress, packed: bytes) -> bytes:
    """Return what can be unpacked before an error: less than a piece, or there had been none."""
    found = bytearray()
    with suppress(zlib.error):
        for at in range(len(packed)):
            found += unpacker.decompress(packed[at : at + 1])
    return bytes(found)
