"""Who talks in a capture, while it runs: its file is read by the side, at a bounded cost."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from netmon_tui.domain.capture import Capture
from netmon_tui.domain.traffic import Traffic
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.opened import opened
from netmon_tui.services.lost_files import require_files
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.file_set import one_of
from netmon_tui.tools.pcap import FILE_HEADER_SIZE
from netmon_tui.tools.traffic_reader import TrafficReader

MOST_SHOWN = 200
"""Entries of each table that are handed out."""
SHARE = 0.007
"""Part of a processor core that reading a file that grows may take; what is too much for that is sampled."""
_FIRST_SECONDS = 0.3
"""Processor time for what the file has when it is opened."""
_PIECE_SECONDS = 0.2
"""Processor time for one look at a file that does not grow, of which every packet is counted."""
_LONGEST_GAP = 10.0
"""Seconds between two looks that count; a screen that was left alone has not saved up for a long one."""


class OpenTraffic:
    """One open capture and who talks in it; one look at a time.

    Args:
        reader: Reads its file.
        path: The file.
        may_grow: Whether it is the newest of the capture's files.
    """

    def __init__(self, reader: TrafficReader, path: Path, *, may_grow: bool) -> None:
        self.path = path
        self._reader = reader
        self._may_grow = may_grow
        self._lock = asyncio.Lock()
        self._looked: float | None = None
        self.complete = False
        """Whether all of a file that no longer grows has been read."""

    async def look(self, *, growing: bool, most: int = MOST_SHOWN) -> Traffic:
        """Read on, and return what was counted so far.

        Args:
            growing: Whether the capture still runs.
            most: Entries of each table.
        """
        return await asyncio.shield(asyncio.ensure_future(self._look(growing and self._may_grow, most)))

    async def _look(self, growing: bool, most: int) -> Traffic:
        async with self._lock:
            now = time.monotonic()
            budget = _FIRST_SECONDS
            if self._looked is not None:
                budget = SHARE * min(now - self._looked, _LONGEST_GAP) if growing else _PIECE_SECONDS
            self._looked = now
            self._reader.growing = growing
            more = await asyncio.to_thread(self._reader.advance, budget)
            self.complete = not growing and not more
            return await asyncio.to_thread(self._reader.snapshot, most)

    async def close(self) -> None:
        """Release the file, after what is being read of it."""
        async with self._lock:
            self._reader.close()


class TrafficService:
    """Opens captures for those who may see them."""

    def __init__(self, captures: CaptureRepository) -> None:
        self._captures = captures

    async def open(self, actor: Actor, capture_id: int, file: str = "") -> OpenTraffic:
        """Open a capture, also while it runs.

        Args:
            actor: Who looks.
            capture_id: At which capture.
            file: Of several files this one, by name or place from 1; empty for the newest.

        Raises:
            NotFound: No such capture, or not the actor's; or it has no such file.
            InvalidInput: Nothing was written yet, or what was is no capture file.
        """
        return await opened(lambda: self._open(actor, capture_id, file), OpenTraffic.close)

    def _open(self, actor: Actor, capture_id: int, file: str) -> OpenTraffic:
        capture = self._captures.get(actor, capture_id)
        directory = self._captures.directory(capture_id)
        paths = require_files(capture, directory)
        path = one_of(paths, file)
        return _open(path, capture, is_newest=path == paths[-1])


def _open(path: Path, capture: Capture, *, is_newest: bool) -> OpenTraffic:
    try:
        growing = is_newest and not capture.state.is_final
        if not growing or path.stat().st_size >= FILE_HEADER_SIZE:
            return OpenTraffic(TrafficReader(path, growing=growing), path, may_grow=is_newest)
    except FileNotFoundError:
        pass
    raise InvalidInput(f"capture {capture.id} has no packets", why="nothing was written yet")
