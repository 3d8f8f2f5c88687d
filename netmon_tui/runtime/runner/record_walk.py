"""The whole records of a classic pcap file: found while it grows, and what follows the last one cut off.

Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap (24-byte header, then records of a 16-byte
header, whose third word is the stored length, and that many bytes).
"""

from __future__ import annotations

import os
from struct import Struct

TYPE_CHECKING = False  # typing itself would cost 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ORDERS = {
    b"\xd4\xc3\xb2\xa1": "<",
    b"\x4d\x3c\xb2\xa1": "<",  # nanoseconds
    b"\xa1\xb2\xc3\xd4": ">",
    b"\xa1\xb2\x3c\x4d": ">",  # nanoseconds
}
HEADER_BYTES = 24
_RECORD = 16
_PIECE = 1 << 20


def trim_to_whole_records(path: str) -> tuple[int, int]:
    """Cut the file and return (records, bytes) that are left: about 0.6 us a record.

    A file without a whole, known header is cut to nothing.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        size = os.fstat(descriptor).st_size
        order = _ORDERS.get(os.pread(descriptor, 4, 0)) if size >= HEADER_BYTES else None
        records, end = _walk(descriptor, size, order) if order else (0, 0)
        if end < size:
            os.ftruncate(descriptor, end)
        return records, end
    finally:
        os.close(descriptor)


def _walk(descriptor: int, size: int, order: str) -> tuple[int, int]:
    import mmap  # only for a file that was cut

    length_of = Struct(order + "8xI").unpack_from
    records, end, last = 0, HEADER_BYTES, size - _RECORD
    with mmap.mmap(descriptor, size, prot=mmap.PROT_READ) as view:
        while end <= last:
            following = end + _RECORD + length_of(view, end)[0]
            if following > size:
                break
            end = following
            records += 1
    return records, end


class RecordWalk:
    """Finds the whole records of a file while it is written: about 0.3 us a record.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        self._length_of: Callable[[bytes, int], tuple[Any, ...]] | None = None
        self.records = 0
        """Whole ones so far."""
        self.end = HEADER_BYTES
        """Bytes up to the end of the last whole one."""

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def read(self, at: int, count: int) -> bytes:
        """Return bytes of the file."""
        return os.pread(self._descriptor, count, at)

    def extend(self, size: int) -> None:
        """Walk on over what the file has now, which is ``size`` bytes."""
        if self._length_of is None:
            order = _ORDERS.get(self.read(0, 4))
            if order is None:
                return
            self._length_of = Struct(order + "8xI").unpack_from
        while self.end + _RECORD <= size and self._hop(self.read(self.end, _PIECE)):
            pass

    def _hop(self, piece: bytes) -> bool:
        """Hop over the records that a piece of the file begins with; False when it has not even one whole."""
        assert self._length_of
        length_of, at, records = self._length_of, 0, self.records
        last = len(piece) - _RECORD
        while at <= last:
            following = at + _RECORD + length_of(piece, at)[0]
            if following > len(piece):
                break
            at = following
            records += 1
        self.end += at
        self.records = records
        return at > 0
