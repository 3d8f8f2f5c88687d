"""The users' own scan profiles."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from netmon_tui.domain.profile import Profile, SaveProfile
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.named_tables import NamedTable
from netmon_tui.storage.shared_repository import SharedRepository


class ProfileRepository(SharedRepository[Profile, SaveProfile]):
    """The profiles of one database."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, NamedTable(records.profiles, "profile"))

    def _values(self, new: SaveProfile) -> dict[str, Any]:
        return {"arguments": new.arguments, "description": new.description}

    def _told(self, new: SaveProfile) -> str:
        return f"{new.name}: {new.arguments}"

    def _read(self, row: Row[Any]) -> Profile:
        return Profile(
            name=row.name,
            arguments=row.arguments,
            description=row.description,
            id=row.id,
            owner_id=row.owner_id,
            owner=row.owner_name,
            shared=row.shared,
        )
