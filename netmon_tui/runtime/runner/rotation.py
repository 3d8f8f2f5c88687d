"""A capture over several files: each ends with a whole packet, and a ring deletes the oldest.

tcpdump's own -C, -G and -W cannot be combined, and its files would not be ours; its packets go through a pipe in
pieces that end anywhere. So a file is cut after its last whole record, and what came of the next one goes to the
next file.
"""

# pathlib would cost the runner 8 ms and 1 MB
# ruff: noqa: PTH104, PTH108

from __future__ import annotations

import errno
import os
import time
from collections import deque

from .capture import PacketFile
from .record_walk import RecordWalk
from .streams import create_file, read_ready
from .tool import PIPE_BYTES

TYPE_CHECKING = False  # typing itself would cost 5 ms
if TYPE_CHECKING:
    from typing import Any

_DRAFT = "next.part"
_LOOK = 4096
"""Bytes that are looked at before they are moved."""


class RotatedFile(PacketFile):
    """The files that the packets go to.

    A file gets its name when its beginning is in it and the one before is cut: whoever sees it knows that the one
    before is final. A runner that is killed meanwhile loses the part of a packet that it was moving, at most.

    Args:
        source: Non-blocking read end of the tool's stdout.
        directory: The job directory.
        name: Name of the files in it, with ``%d`` for their numbers.
        rotation: Fields of :class:`netmon_tui.domain.job.Rotation`.
    """

    def __init__(self, source: int, directory: str, name: str, rotation: dict[str, Any]) -> None:
        super().__init__(source, directory, name % 1)
        self._directory = directory
        self._name = name
        self._rotation = rotation
        self._number = 1
        self._walk = RecordWalk(self.path)
        self._full: deque[tuple[str, int, int]] = deque()
        """Path, bytes and records of the files before this one, oldest first."""
        self._full_bytes = 0
        self._packets_since = 0.0
        self._is_due = False
        """Whether the next packet goes to the next file: one that is begun without a packet would cost a ring its
        oldest packets for nothing."""

    @property
    def files(self) -> int:
        """How many there are."""
        return len(self._full) + 1

    @property
    def room(self) -> int:
        """Bytes that still fit in the file, as far as they are moved at once."""
        limit = self._rotation["file_bytes"]
        return max(0, min(PIPE_BYTES, limit - self._size)) if limit and not self.error else PIPE_BYTES

    @property
    def _size(self) -> int:
        return self.bytes - self._full_bytes

    def move(self) -> tuple[int, bool]:
        """Move what is in the pipe, and go on in the next file when this one is full."""
        looked_at = 0
        if self._is_due and not self.error:
            looked_at, more = self._move_due()
            if self._is_due:
                return looked_at, more
        moved, more = super().move()
        if not self.room:
            self._is_due = True
            self._turn_for(b"")
        return looked_at + moved, more

    def _move_due(self) -> tuple[int, bool]:
        """Do so with a little, in the next file if it is of a packet: dumpcap ends with blocks that are none."""
        data = read_ready(self.source, _LOOK)
        if not data:
            return 0, data is None
        self._turn_for(data)
        if not self.error:
            self._write(data)
        return len(data), True

    def _turn_for(self, data: bytes) -> None:
        """Turn if what has come of the next record, with these bytes, is a packet's."""
        walk, size = self._walk, self._size
        walk.extend(size)
        if walk.is_packet(walk.read(walk.end, size - walk.end) + data):
            self._turn()

    def tick(self, now: float) -> None:
        """Follow the records, which takes longer the more there are, and see whether the file's time is over."""
        self._walk.extend(self._size)
        if not self._walk.records:
            self._packets_since = now
        elif 0 < self._rotation["file_seconds"] <= now - self._packets_since:
            self._is_due = True

    def _turn(self) -> None:
        if self.error:
            return
        try:
            self._begin_next()
        except OSError as error:
            self._give_up(error)
            return
        self._packets_since, self._is_due = time.monotonic(), False
        while 0 < self._rotation["files"] < self.files:
            path, size, records = self._full.popleft()
            _delete(path)
            self.bytes, self._full_bytes = self.bytes - size, self._full_bytes - size
            self.overwritten += records

    def _begin_next(self) -> None:
        """Give the next file what every file begins with, and what came of a record after the last whole one."""
        walk, size = self._walk, self._size
        walk.extend(size)
        if not walk.records:
            raise OSError(errno.EBADMSG, "the packets cannot be told apart")
        draft, path = f"{self._directory}/{_DRAFT}", f"{self._directory}/{self._name % (self._number + 1)}"
        target = create_file(self._directory, _DRAFT)
        try:
            begin = walk.read(0, walk.beginning) + walk.read(walk.end, size - walk.end)
            if os.write(target, begin) != len(begin):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.ftruncate(self._target, walk.end)
            os.rename(draft, path)
        except OSError:
            os.close(target)
            os.unlink(draft)
            raise
        self._full.append((self.path, walk.end, walk.records))
        self._full_bytes += walk.end
        self.bytes = self._full_bytes + len(begin)
        os.close(self._target)
        walk.close()
        self._target, self.path, self._number = target, path, self._number + 1
        self._walk = RecordWalk(path)

    def trim(self) -> int:
        """Cut the last file to whole records and return how many all files have."""
        records = super().trim()
        self.bytes += self._full_bytes
        return records + sum(records for _, _, records in self._full)


def _delete(path: str) -> None:
    """Delete a file of the ring and what is kept beside it, unless somebody did or nobody may: both end nothing."""
    for name in (path, f"{path}.index"):
        try:
            os.unlink(name)
        except OSError:
            continue
