"""What is done with whole capture files: counting, repairing, cutting and hashing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from netmon_tui.tools.pcap import pack_record
from netmon_tui.tools.pcap_index import PacketIndex


def count_records(path: str | Path) -> int:
    """Return how many whole packets a file has.

    Raises:
        InvalidInput: Not a classic pcap file.
    """
    with PacketIndex(path) as index:
        return index.extend()


def first_and_last_time(path: str | Path) -> tuple[float, float] | None:
    """Return the POSIX times of the first and the last packet, or None for a file without packets.

    Raises:
        InvalidInput: Not a classic pcap file.
    """
    with PacketIndex(path) as index:
        index.extend()
        return index.first_and_last_time()


def trim(path: str | Path) -> tuple[int, int]:
    """Cut what follows the last whole record, in place, and return (records, bytes) that stay.

    Raises:
        InvalidInput: Not a classic pcap file; it is left as it is.
    """
    with PacketIndex(path) as index:
        index.extend()
        if index.end < index.file_size:
            os.truncate(path, index.end)
        return index.count, index.end


def write_slice(source: PacketIndex, numbers: Iterable[int], destination: int) -> int:
    """Write the packets with these numbers to a file descriptor, as a pcap file; return how many.

    Raises:
        NotFound: One of the packets does not exist.
        OSError: Writing failed, such as on a full disk.
    """
    written = 0
    with os.fdopen(os.dup(destination), "wb") as file:
        file.write(source.header.data)
        for number in numbers:
            file.write(pack_record(source.header, source.read(number)))
            written += 1
    return written


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, reading it once in pieces."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
