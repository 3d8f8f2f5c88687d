"""Queries that users keep under a name. Every change is one transaction with its audit event."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Table, insert, update

from netmon_tui.domain.owned import name_key
from netmon_tui.domain.search import SavedSearch
from netmon_tui.domain.user import Actor
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.database import Database
from netmon_tui.storage.named_tables import NamedTable


class SavedSearchRepository:
    """Saved queries of one kind in one database.

    Args:
        database: Where they are.
        table: Of searches, or another with the same columns.
        noun: What is in it, such as ``display filter``.
    """

    def __init__(self, database: Database, table: Table = records.searches, noun: str = "search") -> None:
        self._database = database
        self._table = NamedTable(table, noun)

    def usable(self, actor: Actor) -> list[SavedSearch]:
        """Return the actor's own by name, then those that others share by name and owner."""
        with self._database.read() as connection:
            return [_saved(row) for row in connection.execute(self._table.usable(actor))]

    def save(self, owner: Actor, name: str, text: str, *, shared: bool) -> None:
        """Keep a query under a name; one that the owner has under it is replaced."""
        table, noun = self._table.table, self._table.noun

        def work(connection: Connection) -> None:
            mine = (table.c.owner_id == owner.user_id, table.c.name_key == name_key(name))
            values = {"name": name, "query": text, "shared": shared}
            if not connection.execute(update(table).where(*mine).values(**values)).rowcount:
                keys = {"owner_id": owner.user_id, "name_key": name_key(name)}
                connection.execute(insert(table).values(**values, **keys))
            told = f"{name}: {text}{' (shared)' if shared else ''}"
            insert_event(connection, NewEvent(f"{noun.replace(' ', '-')}.save", owner, noun, told))

        self._database.write(work)

    def delete(self, actor: Actor, search: SavedSearch) -> None:
        """Delete a saved search; raises NotFound when it is gone."""
        self._database.write(lambda connection: self._table.delete(connection, actor, search.id, search.name))


def _saved(row: Row[Any]) -> SavedSearch:
    return SavedSearch(row.id, row.name, row.query, row.owner_id, row.owner_name, row.shared)
