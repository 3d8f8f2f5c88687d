"""Target sets and port sets, each kind in its table."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

from netmon_tui.domain.named_set import MOST_SETS, NamedSet, SaveSet, SetKind
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.named_tables import NamedTable
from netmon_tui.storage.shared_repository import SharedRepository

_TABLES = {SetKind.TARGETS: records.target_sets, SetKind.PORTS: records.port_sets}
_TOLD = 200
"""Characters of the content that the audit trail tells."""


class SetRepository(SharedRepository[NamedSet, SaveSet]):
    """The sets of one kind of one database."""

    def __init__(self, database: Database, kind: SetKind) -> None:
        super().__init__(database, NamedTable(_TABLES[kind], kind.noun))
        self._kind = kind

    def _values(self, new: SaveSet) -> dict[str, Any]:
        return {"content": new.content, "description": new.description}

    def _told(self, new: SaveSet) -> str:
        told = new.content if len(new.content) <= _TOLD else f"{new.content[:_TOLD]}..."
        return f"{new.name}: {told}"

    def _insert(self, connection: Connection, owner: Actor, new: SaveSet, shared: bool) -> NamedSet:
        columns = self._table.table.c
        count = select(func.count()).where(columns.owner_id == owner.user_id)
        if connection.execute(count).scalar_one() >= MOST_SETS:
            raise InvalidInput(f"you have {MOST_SETS:,} {self._kind.noun}s already", fix="delete some first")
        return super()._insert(connection, owner, new, shared)

    def _read(self, row: Row[Any]) -> NamedSet:
        return NamedSet(
            id=row.id,
            kind=self._kind,
            name=row.name,
            content=row.content,
            description=row.description,
            owner_id=row.owner_id,
            owner=row.owner_name,
            shared=row.shared,
        )
