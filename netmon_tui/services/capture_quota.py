"""How much of the disk the captures of a user may take."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from pathlib import Path
from typing import NamedTuple

from netmon_tui.config.files import atomic_write
from netmon_tui.config.sections import CaptureSettings
from netmon_tui.domain.byte_count import byte_count
from netmon_tui.domain.user import Actor
from netmon_tui.errors import DiskFull, NetmonError
from netmon_tui.runtime.runner.quota import bytes_in
from netmon_tui.storage.capture_repository import CaptureRepository, Taken

_log = logging.getLogger(__name__)


class CaptureUsage(NamedTuple):
    """What captures take, and what they may; bytes."""

    used: int
    """By all captures of the user."""
    quota: int
    """What these may take; 0 for no quota."""
    free: int
    """On the disk."""
    floor: int
    """What must stay free there."""

    @property
    def is_used_up(self) -> bool:
        """Whether nothing more may be captured."""
        return 0 < self.quota <= self.used


class Allowance:
    """What one piece of work may still add to the captures of a user.

    Args:
        left: Bytes; None for any number.
        quota: Of which they are what is left.
    """

    def __init__(self, left: int | None, quota: int) -> None:
        self._left = self._before = left
        self._quota = quota

    def require(self, count: int) -> None:
        """Raise DiskFull when there are not so many bytes left."""
        if self._left is not None and self._before is not None and count > self._left:
            raise DiskFull(
                "the quota of your captures is used up",
                why=f"{max(0, self._before):,} of {self._quota:,} bytes are left",
                fix="delete some captures; an administrator can raise captures.quota_bytes",
            )

    def spend(self, count: int) -> None:
        """Say that so many bytes are added; DiskFull when there are not so many left."""
        self.require(count)
        if self._left is not None:
            self._left -= count


class CaptureQuota:
    """Counts what the captures of users take.

    Args:
        captures: Storage.
        settings: Quota and free-space floor.
        jobs: Directory of the job directories.
    """

    def __init__(self, captures: CaptureRepository, settings: CaptureSettings, jobs: Path) -> None:
        self._captures = captures
        self._settings = settings
        self._jobs = jobs

    async def usage(self, actor: Actor) -> CaptureUsage:
        """Return what the actor's captures take."""
        return await asyncio.to_thread(self._usage, actor)

    def _usage(self, actor: Actor) -> CaptureUsage:
        used, free = self._used(actor.user_id), shutil.disk_usage(self._jobs).free
        return CaptureUsage(used, self._settings.quota_bytes, free, self._settings.free_space_floor_bytes)

    def _used(self, owner_id: int) -> int:
        taken = self._captures.taken_by(owner_id)
        # The row of one that runs has what a program stored last, and none may be open.
        return taken.kept_bytes + sum(bytes_in(str(path)) for path in taken.running)

    def left(self, actor: Actor) -> int:
        """Return how many bytes the actor may still capture; 0 for any number (blocking).

        Raises:
            DiskFull: There is none left.
        """
        quota = self._settings.quota_bytes
        if not quota:
            return 0
        left = quota - self._used(actor.user_id)
        Allowance(left, quota).require(1)
        return left

    def require_space(self) -> None:
        """Raise DiskFull when a capture would be stopped at once: so little of the disk is free (blocking)."""
        free, floor = shutil.disk_usage(self._jobs).free, self._settings.free_space_floor_bytes
        if free < floor:
            raise DiskFull(
                f"less than {byte_count(floor)} are free",
                why=f"{byte_count(free)} are, on the disk of {self._jobs}",
                fix="free some space, or lower captures.free_space_floor_bytes",
            )

    def allowance(self, actor: Actor) -> Allowance:
        """Return what the actor may still store (blocking); DiskFull when that is nothing."""
        return Allowance(self.left(actor) or None, self._settings.quota_bytes)

    def document(self, owner_id: int) -> Path:
        """Return where the runners of a user's captures read what the others have."""
        return self._jobs / f"quota-{owner_id}.json"

    def tell(self, owner_id: int) -> None:
        """Tell the runners of a user's captures which captures there are now (blocking).

        What was to be told is done already: where it cannot be, that is logged, and the next one tells it as well.
        """
        try:
            self.require_told(owner_id)
        except (NetmonError, OSError) as error:
            _log.warning("telling the captures of user %d what is left: %s", owner_id, error)

    def require_told(self, owner_id: int) -> None:
        """Do so before one begins, which would not know the others otherwise.

        Two programs may do so at once: each looks again whether what it has written is still so.

        Raises:
            DiskFull, StorageError: It cannot be written.
        """
        document = self.document(owner_id)
        if not (self._settings.quota_bytes or document.exists()):
            return
        told: Taken | None = None
        while (now := self._captures.taken_by(owner_id)) != told:
            said = {"kept_bytes": now.kept_bytes, "running": [path.name for path in now.running]}
            if now.running:
                atomic_write(document, json.dumps(said).encode())
            else:  # nobody reads it
                document.unlink(missing_ok=True)
            told = now
