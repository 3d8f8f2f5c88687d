"""TLS keys that are kept with captures, so that all that is said of these knows what was encrypted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import StorageError
from netmon_tui.runtime.key_log import count_keys, keep_keys, kept_keys, read_keys, remove_keys
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.database import Database


class CaptureKeys:
    """Keeps a file of keys beside the packets; what is exported of a capture never has them.

    Args:
        database: Storage.
    """

    def __init__(self, database: Database) -> None:
        self._captures = CaptureRepository(database)
        self._audit = AuditRepository(database)

    async def count(self, actor: Actor, capture_id: int) -> int:
        """Return how many keys are kept with a capture; NotFound when it is not the actor's."""
        return await asyncio.to_thread(lambda: count_keys(kept_keys(self._directory(actor, capture_id))))

    async def give(self, actor: Actor, capture_id: int, path: Path) -> int:
        """Keep the keys of a file with a capture, in place of those it had; return how many there are.

        Raises:
            NotFound: No such capture, or not the actor's.
            InvalidInput: The file cannot be read, or has no keys.
            StorageError: They cannot be written.
        """
        actor.require(Permission.CAPTURE)
        return await asyncio.to_thread(self._give, actor, capture_id, path)

    def _give(self, actor: Actor, capture_id: int, path: Path) -> int:
        directory, data = self._directory(actor, capture_id), read_keys(path)
        try:
            keep_keys(directory, data)
        except OSError as error:
            raise StorageError("the TLS keys cannot be kept", why=error.strerror or str(error)) from error
        count = count_keys(data)
        self._audit.record(actor, "capture.keys", f"capture {capture_id}", f"{count} kept")
        return count

    async def remove(self, actor: Actor, capture_id: int) -> bool:
        """Delete the keys of a capture; return whether there were any. Raises NotFound as :meth:`give`."""
        actor.require(Permission.CAPTURE)
        return await asyncio.to_thread(self._remove, actor, capture_id)

    def _remove(self, actor: Actor, capture_id: int) -> bool:
        removed = remove_keys(self._directory(actor, capture_id))
        if removed:
            self._audit.record(actor, "capture.keys", f"capture {capture_id}", "removed")
        return removed

    def _directory(self, actor: Actor, capture_id: int) -> Path:
        return self._captures.directory(capture_id, actor)
