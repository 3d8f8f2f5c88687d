"""Keeping the database: where it is, whether it is whole, and copies of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from netmon_tui.config.files import create_named
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.database import Database
from netmon_tui.storage.schema_version import HEAD_REVISION, back_up, check_integrity


class MaintenanceService:
    """Looks after the open database, which is at this program's schema."""

    def __init__(self, database: Database, audit: AuditRepository) -> None:
        self._database = database
        self._audit = audit

    @property
    def place(self) -> str:
        """Where the database is: its file, or its URL without the password."""
        path = self._database.path
        return str(path) if path else self._database.url.render_as_string(hide_password=True)

    @property
    def schema(self) -> str:
        """The schema's revision."""
        return HEAD_REVISION

    async def check(self) -> tuple[str, ...]:
        """Return what is wrong with the database; empty when it is whole."""
        return await asyncio.to_thread(check_integrity, self._database)

    async def back_up(self, actor: Actor, target: Path) -> None:
        """Write a consistent copy to a new file with mode 0600.

        Raises:
            NotAllowed: The actor may not: the copy holds everybody's results.
            InvalidInput: The target exists, or no file can be made there.
            DiskFull, StorageError: The copy cannot be written, or this is no SQLite database.
        """
        actor.require(Permission.BACK_UP)
        await asyncio.to_thread(back_up, self._database, target, create_named)
        await asyncio.to_thread(self._audit.record, actor, "database.backup", str(target), "")
