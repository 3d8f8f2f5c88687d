"""Opening capture files with the index that is kept beside them, so that ten million packets are there at once.

Every call blocks. An index that is missing, damaged, another user's or out of date costs nothing but the time to
make it anew, and a directory that cannot be written to keeps none.
"""

from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

from netmon_tui.config.files import atomic_write
from netmon_tui.errors import StorageError
from netmon_tui.tools import pcap_kept_index
from netmon_tui.tools.pcap_index import PacketIndex

LEAST_PACKETS = 50_000
"""Files with fewer are indexed in a few milliseconds."""
_LARGEST = 64 << 20
"""Bytes of an index that are read: half a billion packets."""
_log = logging.getLogger(__name__)


def index_path(path: Path) -> Path:
    """Return where the index of a capture file is kept."""
    return path.with_name(f"{path.name}.index")


def open_index(path: Path, *, growing: bool = False) -> PacketIndex:
    """Open a capture file, with what is known of it already; raises as :class:`PacketIndex` does."""
    index = PacketIndex(path, growing=growing)
    with suppress(OSError):
        data = _read(index_path(path))
        if data is not None and not pcap_kept_index.recall(index, data):
            _log.info("%s does not fit its file and is made anew", index_path(path))
    return index


def keep_index(index: PacketIndex) -> bool:
    """Keep an index for the next time, where that is worth it and may be; whether that was done."""
    if index.count - index.recalled < LEAST_PACKETS or not index.path.exists():
        return False
    try:
        data = pcap_kept_index.pack(index)
        if data is None:
            return False
        atomic_write(index_path(index.path), data)
    except (StorageError, OSError) as error:
        _log.info("the index is not kept: %s", error)
        return False
    return True


def count_packets(path: Path) -> int:
    """Return how many whole packets a file has, of which the index is kept; raises as :func:`open_index` does."""
    with open_index(path) as index:
        index.extend()
        keep_index(index)
        return index.count


def _read(path: Path) -> bytes | None:
    """Return what is kept; None when another user may have written it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        ours = status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not (ours and stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST):
            return None
        return file.read(_LARGEST)
