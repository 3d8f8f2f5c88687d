"""The form in which the index of a pcap file is kept beside it, and when such a one may be believed.

All numbers are little-endian: magic, facts of the file (:class:`_Facts`), the 24 bytes of its header, the offset of
every 64th packet, and a BLAKE2b digest over all of that. Whatever is odd about it, the file itself is read instead.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
from array import array
from typing import NamedTuple

from netmon_tui.tools.pcap import FILE_HEADER_SIZE
from netmon_tui.tools.pcap_index import Found, PacketIndex

_MAGIC = b"NMTUIPX1"
_DIGEST_SIZE = 16
_FACTS = struct.Struct("<?6Q16s")
_SAMPLES_AT = len(_MAGIC) + _FACTS.size + FILE_HEADER_SIZE
_TAIL = 64 * 1024
"""Bytes before the end by which the beginning of a file that has grown is known again."""


class _Facts(NamedTuple):
    """What a file was when its index was kept."""

    growing: bool
    """It was being written, so that more may have been added since."""
    inode: int
    size: int
    """Bytes."""
    mtime: int
    """Nanoseconds, as the next."""
    ctime: int
    packets: int
    end: int
    """Offset after the last of them."""
    tail: bytes
    """Digest of what stands before that."""


def pack(index: PacketIndex) -> bytes | None:
    """Return the index of a file as it is kept.

    Returns:
        None when the file has changed under the index, or when it does not reach the end of a file that no longer
        grows.
    """
    stamp, now = index.stamp, os.fstat(index.fileno())
    if stamp is None or not (index.growing or (index.complete and _is_same(stamp, now))):
        return None
    found = index.found()
    facts = _Facts(
        index.growing,
        now.st_ino,
        now.st_size,
        now.st_mtime_ns,
        now.st_ctime_ns,
        found.packets,
        found.end,
        _tail(index, found.end),
    )
    body = _MAGIC + _FACTS.pack(*facts) + index.header.data + _swapped(found.samples).tobytes()
    return body + _digest(body)


def recall(index: PacketIndex, data: bytes) -> bool:
    """Let an index begin with what was kept; whether that could be believed.

    It is when the file has not changed since, or has only grown since it was kept as one that does.
    """
    body, digest = data[:-_DIGEST_SIZE], data[-_DIGEST_SIZE:]
    if not body.startswith(_MAGIC) or len(body) < _SAMPLES_AT or _digest(body) != digest:
        return False
    facts = _Facts(*_FACTS.unpack_from(body, len(_MAGIC)))
    if body[_SAMPLES_AT - FILE_HEADER_SIZE : _SAMPLES_AT] != index.header.data or not _fits(facts, index):
        return False
    samples = array("Q")
    samples.frombytes(body[_SAMPLES_AT : len(body) - (len(body) - _SAMPLES_AT) % samples.itemsize])
    return index.resume(Found(facts.packets, facts.end, _swapped(samples)))


def _fits(facts: _Facts, index: PacketIndex) -> bool:
    now = os.fstat(index.fileno())
    if facts.inode != now.st_ino:
        return False
    if (facts.size, facts.mtime, facts.ctime) == (now.st_size, now.st_mtime_ns, now.st_ctime_ns):
        return True
    return facts.growing and facts.size <= now.st_size and facts.tail == _tail(index, facts.end)


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns, one.st_ctime_ns) == (
        other.st_size,
        other.st_mtime_ns,
        other.st_ctime_ns,
    )


def _tail(index: PacketIndex, end: int) -> bytes:
    first = max(0, min(end, sys.maxsize) - _TAIL)
    return _digest(os.pread(index.fileno(), min(end, _TAIL), first))


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_SIZE).digest()


def _swapped(samples: array[int]) -> array[int]:
    """Return offsets in the byte order of the form, or back in that of the machine."""
    if sys.byteorder == "big":
        samples = array("Q", samples)
        samples.byteswap()
    return samples
