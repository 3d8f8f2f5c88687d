"""Things that users keep under names and may share. Every change is one transaction with its audit events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Row

from netmon_tui.domain import owned
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.storage.database import Database
from netmon_tui.storage.named_tables import NamedTable

Kept = TypeVar("Kept", bound=owned.Shareable)
New = TypeVar("New", bound=owned.Named)


class SharedRepository(Generic[Kept, New]):
    """What is kept in one table, read and written as the subclass says.

    Args:
        database: Where to.
        table: With a column ``shared``.
    """

    def __init__(self, database: Database, table: NamedTable) -> None:
        self._database = database
        self._table = table

    def _values(self, new: New) -> dict[str, Any]:
        """Return the columns besides the name."""
        raise NotImplementedError

    def _told(self, new: New) -> str:
        """Return what the audit trail says of one."""
        raise NotImplementedError

    def _read(self, row: Row[Any]) -> Kept:
        raise NotImplementedError

    def usable(self, actor: Actor) -> list[Kept]:
        """Return the actor's own by name, then those that others share by name and owner."""
        with self._database.read() as connection:
            return [self._read(row) for row in connection.execute(self._table.usable(actor))]

    def get(self, actor: Actor, thing_id: int) -> Kept:
        """Return one; raises NotFound when there is none, or it is not the actor's to use."""
        with self._database.read() as connection:
            return self._read(self._table.one(connection, self._table.usable(actor), thing_id))

    def create(self, owner: Actor, new: New, *, shared: bool) -> Kept:
        """Insert one; raises InvalidInput when the owner has one of that name."""
        return self._database.write(lambda connection: self._insert(connection, owner, new, shared))

    def change(self, actor: Actor, kept: Kept, new: New) -> Kept:
        """Give one another name and content.

        Raises:
            InvalidInput: Its owner has another one of that name.
            NotFound: It is gone.
        """
        assert kept.id is not None
        assert kept.owner_id is not None
        thing_id, owner_id = kept.id, kept.owner_id
        return self._database.write(lambda connection: self._set(connection, actor, thing_id, owner_id, new))

    def share(self, actor: Actor, kept: Kept, *, shared: bool) -> Kept:
        """Let everybody use one, or no longer; raises NotFound when it is gone."""
        assert kept.id is not None
        thing_id = kept.id

        def work(connection: Connection) -> Kept:
            self._table.set(connection, thing_id, shared=shared)
            told = f"{kept.name}: {'shared' if shared else 'no longer shared'}"
            self._table.note(connection, "share", actor, thing_id, told)
            return self._one(connection, thing_id)

        return self._database.write(work)

    def delete(self, actor: Actor, kept: Kept) -> None:
        """Delete one; raises NotFound when it is gone."""
        assert kept.id is not None
        thing_id = kept.id
        self._database.write(lambda connection: self._table.delete(connection, actor, thing_id, kept.name))

    def import_all(self, owner: Actor, several: Sequence[New], *, replace: bool) -> list[Kept]:
        """Insert all, or none.

        Args:
            owner: Whose they become; they are not shared.
            several: Each of another name.
            replace: Whether one that the owner has under that name is changed. It stays shared, if it was.

        Raises:
            InvalidInput: The owner has one of a name, which the error names, and it is not to be replaced.
        """

        def work(connection: Connection) -> list[Kept]:
            return [self._import_one(connection, owner, new, replace, n) for n, new in enumerate(several, 1)]

        return self._database.write(work)

    def _import_one(self, connection: Connection, owner: Actor, new: New, replace: bool, number: int) -> Kept:
        found = self._table.named(connection, owner.user_id, new.name)
        if found is None:
            return self._insert(connection, owner, new, shared=False)
        if not replace:
            what = f"{self._table.noun} {number}, {new.name!r}, is refused"
            raise InvalidInput(what, why="there is one of that name already", fix="--replace changes it")
        return self._set(connection, owner, found, owner.user_id, new)

    def _insert(self, connection: Connection, owner: Actor, new: New, shared: bool) -> Kept:
        values = self._values(new) | {"shared": shared}
        thing_id = self._table.create(connection, owner, new.name, values, self._told(new))
        if shared:
            self._table.note(connection, "share", owner, thing_id, f"{new.name}: shared")
        return self._one(connection, thing_id)

    def _set(self, connection: Connection, actor: Actor, thing_id: int, owner_id: int, new: New) -> Kept:
        values, told = self._values(new), self._told(new)
        self._table.change(connection, actor, thing_id, owner_id, new.name, values, told)
        return self._one(connection, thing_id)

    def _one(self, connection: Connection, thing_id: int) -> Kept:
        return self._read(self._table.one(connection, self._table.select(), thing_id))
