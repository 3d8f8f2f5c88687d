"""How much of the disk the captures of a user may take."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import NamedTuple

from netmon_tui.config.sections import CaptureSettings
from netmon_tui.domain.byte_count import byte_count
from netmon_tui.domain.user import Actor
from netmon_tui.errors import DiskFull
from netmon_tui.storage.capture_repository import CaptureRepository


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
        used, free = self._captures.bytes_of(actor.user_id), shutil.disk_usage(self._jobs).free
        return CaptureUsage(used, self._settings.quota_bytes, free, self._settings.free_space_floor_bytes)

    def left(self, actor: Actor) -> int:
        """Return how many bytes the actor may still capture; 0 for any number (blocking).

        Raises:
            DiskFull: There is none left.
        """
        quota = self._settings.quota_bytes
        if not quota:
            return 0
        left = quota - self._captures.bytes_of(actor.user_id)
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

    def is_used_up(self, owner_id: int) -> bool:
        """Whether the captures of a user take all that they may (blocking)."""
        quota = self._settings.quota_bytes
        return bool(quota) and self._captures.bytes_of(owner_id) >= quota
