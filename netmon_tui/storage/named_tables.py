"""What the tables of things that users keep under names have in common: changes with their audit events.

That a name is its owner's only one of that kind is checked inside the transaction that sets it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, Table, delete, insert, or_, select, update

from netmon_tui.domain.owned import name_key
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event

_USERS = records.users.c


class NamedTable:
    """One table of things with an owner and a name.

    Args:
        table: Made as `named_records` makes them.
        noun: What is in it, such as ``profile``; the audit trail's actions begin with it.
    """

    def __init__(self, table: Table, noun: str) -> None:
        self.table = table
        self.noun = noun

    # reading

    def select(self) -> Select[Any]:
        """Return the query for all, with the names of their owners as ``owner_name``."""
        return select(self.table, _USERS.name.label("owner_name")).join(
            records.users, _USERS.id == self.table.c.owner_id
        )

    def usable(self, actor: Actor) -> Select[Any]:
        """Return the query for the actor's own by name, then those that others share by name and owner."""
        mine = self.table.c.owner_id == actor.user_id
        query = self.select().where(or_(mine, self.table.c.shared.is_(True)))
        return query.order_by(~mine, self.table.c.name_key, _USERS.name)

    def one(self, connection: Connection, query: Select[Any], thing_id: int) -> Row[Any]:
        """Return the row of one thing out of a query; raises NotFound when it is not there."""
        row = connection.execute(query.where(self.table.c.id == thing_id)).one_or_none()
        if row is None:
            raise self.not_found(thing_id)
        return row

    def not_found(self, thing_id: int) -> NotFound:
        """Return the error of what is gone or not to be seen."""
        return NotFound(f"no {self.noun} {thing_id}")

    def named(self, connection: Connection, owner_id: int, name: str) -> int | None:
        """Return the id of what an owner has under a name."""
        columns = self.table.c
        query = select(columns.id).where(columns.owner_id == owner_id, columns.name_key == name_key(name))
        found: int | None = connection.execute(query).scalar_one_or_none()
        return found

    # changes

    def create(
        self, connection: Connection, owner: Actor, name: str, values: dict[str, Any], detail: str
    ) -> int:
        """Insert one and return its id; raises InvalidInput when the owner has one of that name."""
        self._refuse_taken(connection, owner.user_id, name)
        keys = {"owner_id": owner.user_id, "name": name, "name_key": name_key(name)}
        query = insert(self.table).values(**keys, **values).returning(self.table.c.id)
        thing_id = int(connection.execute(query).scalar_one())
        self.note(connection, "create", owner, thing_id, detail)
        return thing_id

    def change(
        self,
        connection: Connection,
        actor: Actor,
        thing_id: int,
        owner_id: int,
        name: str,
        values: dict[str, Any],
        detail: str,
    ) -> None:
        """Give one another name and other values; raises InvalidInput as :meth:`create`, NotFound if it is gone."""
        self._refuse_taken(connection, owner_id, name, besides=thing_id)
        self.set(connection, thing_id, name=name, name_key=name_key(name), **values)
        self.note(connection, "change", actor, thing_id, detail)

    def set(self, connection: Connection, thing_id: int, **values: Any) -> None:
        """Change columns of one; raises NotFound when it is gone."""
        query = update(self.table).where(self.table.c.id == thing_id)
        if not connection.execute(query.values(**values)).rowcount:
            raise self.not_found(thing_id)

    def delete(self, connection: Connection, actor: Actor, thing_id: int, name: str) -> None:
        """Delete one; raises NotFound when it is gone."""
        gone = connection.execute(delete(self.table).where(self.table.c.id == thing_id))
        if not gone.rowcount:
            raise self.not_found(thing_id)
        self.note(connection, "delete", actor, thing_id, name)

    def note(self, connection: Connection, verb: str, actor: Actor, thing_id: int, detail: str) -> None:
        """Write down what was done to one."""
        kind = self.noun.replace(" ", "-")
        insert_event(connection, NewEvent(f"{kind}.{verb}", actor, f"{self.noun} {thing_id}", detail))

    def _refuse_taken(
        self, connection: Connection, owner_id: int, name: str, besides: int | None = None
    ) -> None:
        if self.named(connection, owner_id, name) not in (None, besides):
            raise InvalidInput(f"there is a {self.noun} {name} already", fix="choose another name")
