"""Handing a whole capture file to a program that may not open it, and watching how far it has read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from netmon_tui.errors import DiskFull
from netmon_tui.runtime.processes import nobodys_identity
from netmon_tui.tools.pcap_open import open_packets

_SPARE = 64 << 20
"""Bytes that must be left on the disk."""
_PIECE = 64 << 20
"""Bytes copied at once."""


def open_for_child(path: Path, size: int) -> int:
    """Return a descriptor of a file that a child of ours can open again. Blocks while it is copied.

    The files of captures are their owner's alone. Where children are nobody's, they get a copy that has no name, so
    that nobody else can reach it, and that is gone with its last descriptor.

    Args:
        path: The file.
        size: Bytes of it that count: after them a record may be half written.

    Raises:
        DiskFull: There is no room for a copy.
        InvalidInput: Something else took the place of the file.
        OSError: It cannot be read.
    """
    source = open_packets(path)
    if not nobodys_identity():
        return source
    try:
        return _copy(source, path.parent, size)
    finally:
        os.close(source)


def _copy(source: int, directory: Path, size: int) -> int:
    room = os.statvfs(directory)
    if room.f_bavail * room.f_frsize < size + _SPARE:
        raise DiskFull("There is no room to load the whole file", why=f"it takes {size:,} bytes for a while")
    copy = os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o444)
    try:
        os.fchmod(copy, 0o444)  # whatever the mask of this process
        left = size
        while left and (done := os.sendfile(copy, source, None, min(left, _PIECE))):
            left -= done
    except BaseException:
        os.close(copy)
        raise
    return copy


def part_read(pid: int, file: int) -> float:
    """Return how far a process has read in a file of which we have a descriptor, 0 to 1; 0 when nobody says."""
    ours = os.fstat(file)
    furthest = 0
    with suppress(OSError):
        for one in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError, ValueError):
                theirs = one.stat()
                inherited = one.name == str(file)  # stands where we left it
                if not inherited and (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino):
                    said = Path(f"/proc/{pid}/fdinfo/{one.name}").read_text()
                    furthest = max(furthest, int(said.partition("pos:")[2].split()[0]))
    return min(1.0, furthest / ours.st_size) if ours.st_size else 0.0
