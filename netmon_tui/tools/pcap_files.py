"""What is done with whole capture files: repairing and hashing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from netmon_tui.tools.pcap_index import PacketIndex


class WholeRecords(NamedTuple):
    """The whole records of a file."""

    packets: int
    bytes: int
    """With what comes before and after them."""
    linktype: str
    """As tcpdump names it, such as ``EN10MB``."""
    times: tuple[float, float] | None
    """POSIX times of the first and the last packet; None without packets."""


def trim(path: str | Path, keep: Callable[[PacketIndex], object] | None = None) -> WholeRecords:
    """Cut what follows the last whole record, in place, and return what stays, from one walk over the file.

    Args:
        path: The file.
        keep: Called with the index of the file when nothing was cut.

    Raises:
        InvalidInput: Not a capture file; it is left as it is.
    """
    with PacketIndex(path) as index:
        index.extend()
        end = index.whole_end
        if end < index.file_size:
            os.truncate(path, end)
        elif keep is not None:
            keep(index)
        return WholeRecords(index.count, end, index.header.linktype_name, index.first_and_last_time())


def end_of_records(path: str | Path) -> int:
    """Return how many bytes of a file that is still being written are whole records and the header.

    Raises:
        InvalidInput: Not a capture file, or not even its header is there yet.
    """
    with PacketIndex(path, growing=True) as index:
        index.extend()
        return index.end


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, reading it once in pieces."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
