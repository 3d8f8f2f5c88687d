"""Who talks in a capture, while it runs: its file is read by the side, at a bounded cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from netmon_tui.domain.traffic import Traffic
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.runtime.opened import opened
from netmon_tui.services.lost_files import require_files
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.file_set import one_of, packet_files
from netmon_tui.tools.pcap import FILE_HEADER_SIZE
from netmon_tui.tools.traffic_files import TrafficFiles

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

    While the capture runs its newest file is counted, and the next one anew when it goes on there; once it has
    ended, all of them together. Of one that was asked for by name, only that.

    Args:
        files: All that the capture has.
        named: The one that was asked for, if any.
        growing: Whether the capture still runs.

    Raises:
        InvalidInput, OSError: There is none, or it is no capture file.
    """

    def __init__(self, files: Sequence[Path], named: Path | None, *, growing: bool) -> None:
        self._files = tuple(files)
        self._named = named
        self._counted = self._begin(growing)
        self._lock = asyncio.Lock()
        self._looked: float | None = None
        self.grows = growing
        """Whether what was counted last may still grow."""
        self.complete = False
        """Whether all of what no longer grows has been read."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are counted."""
        return self._counted.paths

    @property
    def which(self) -> str:
        """Which files are counted of how many, in words; empty where there is only one."""
        files, path = self._files, self.paths[0]
        if len(self.paths) > 1:
            return f"all {len(self.paths)} files"
        if files == self.paths:
            return ""
        if path not in files:
            return f"{path.name}, deleted by the ring"
        place = f"file {files.index(path) + 1}" if self._named else "the newest"
        return f"{path.name}, {place} of {len(files)}"

    async def look(self, *, growing: bool, most: int = MOST_SHOWN) -> Traffic:
        """Read on, and return what was counted so far.

        Args:
            growing: Whether the capture still runs.
            most: Entries of each table.

        Raises:
            InvalidInput, NotFound: Another program changed or deleted the files.
        """
        return await asyncio.shield(asyncio.ensure_future(self._look(growing, most)))

    async def _look(self, growing: bool, most: int) -> Traffic:
        async with self._lock:
            now = time.monotonic()
            await asyncio.to_thread(self._turn, growing)
            budget = _FIRST_SECONDS
            self.grows = growing and self.paths[-1] == self._files[-1]
            if self._looked is not None:
                budget = SHARE * min(now - self._looked, _LONGEST_GAP) if self.grows else _PIECE_SECONDS
            self._looked = now
            more = await asyncio.to_thread(self._advance, budget)
            self.complete = not more and not self.grows and self.paths == self._wanted(growing)
            return await asyncio.to_thread(self._counted.snapshot, most)

    def _turn(self, growing: bool) -> None:
        """Count anew where other files are to be counted than before (blocking)."""
        self._files = tuple(packet_files(self._files[0].parent)) or self._files
        if self._wanted(growing) == self.paths:
            return
        with suppress(FileNotFoundError):  # the ring was quicker: the next look finds another one
            before, self._counted = self._counted, self._begin(growing)
            before.close()
            self._looked = None

    def _wanted(self, growing: bool) -> tuple[Path, ...]:
        if self._named is not None:
            return (self._named,)
        return self._files[-1:] if growing else self._files

    def _begin(self, growing: bool) -> TrafficFiles:
        wanted = self._wanted(growing)
        return TrafficFiles(wanted, growing=growing and wanted == self._files[-1:])

    def _advance(self, budget: float) -> bool:
        try:
            return self._counted.advance(budget, growing=self.grows)
        except FileNotFoundError as error:
            raise NotFound(
                f"the file {error.filename} is gone", why="another program moved or deleted it"
            ) from error

    async def close(self) -> None:
        """Release the file, after what is being read of it."""
        async with self._lock:
            self._counted.close()


class TrafficService:
    """Opens captures for those who may see them."""

    def __init__(self, captures: CaptureRepository) -> None:
        self._captures = captures

    async def open(self, actor: Actor, capture_id: int, file: str = "") -> OpenTraffic:
        """Open a capture, also while it runs.

        Args:
            actor: Who looks.
            capture_id: At which capture.
            file: Of several files this one, by name or place from 1; empty for the newest of a capture that runs,
                and all of one that has ended.

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
        growing = not capture.state.is_final
        with suppress(FileNotFoundError):
            if not growing or path != paths[-1] or path.stat().st_size >= FILE_HEADER_SIZE:
                return OpenTraffic(paths, path if file else None, growing=growing)
        raise InvalidInput(f"capture {capture.id} has no packets", why="nothing was written yet")
