"""Rules for what comparisons leave out. Every change is one transaction with its audit event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select

from netmon_tui.domain.comparison import Kind
from netmon_tui.domain.ignoring import BUILT_IN, IgnorePattern, IgnoreRule
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.database import Database

_RULES = records.ignore_rules.c
_OFF = records.ignore_rules_off.c


class IgnoreRepository:
    """The rules of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rules_for(self, user_id: int) -> list[IgnoreRule]:
        """Return the built-in rules, as the user has switched them, then the user's and everybody's by number."""
        off = select(_OFF.name).where(_OFF.owner_id == user_id)
        query = _select().where(or_(_RULES.owner_id == user_id, _RULES.everybody.is_(True)))
        with self._database.read() as connection:
            switched_off = set(connection.execute(off).scalars())
            found = [_rule(row) for row in connection.execute(query.order_by(_RULES.id))]
        return [*(replace(rule, on=rule.name not in switched_off) for rule in BUILT_IN), *found]

    def create(self, owner: Actor, pattern: IgnorePattern, note: str, *, everybody: bool) -> IgnoreRule:
        """Insert a rule.

        Raises:
            InvalidInput: The owner has the same one already.
        """
        values = _values(pattern) | {"owner_id": owner.user_id, "everybody": everybody}

        def work(connection: Connection) -> IgnoreRule:
            same = select(_RULES.id).where(*(_RULES[name] == value for name, value in values.items()))
            if (known := connection.execute(same).scalars().first()) is not None:
                raise InvalidInput(f"rule {known} says so already", why=str(pattern))
            query = insert(records.ignore_rules).values(**values, note=note, created=datetime.now(UTC))
            rule_id = int(connection.execute(query.returning(_RULES.id)).scalar_one())
            told = f"{pattern}{' for everybody' if everybody else ''}"
            insert_event(connection, NewEvent("ignore.create", owner, f"ignore rule {rule_id}", told))
            return _rule(connection.execute(_select().where(_RULES.id == rule_id)).one())

        return self._database.write(work)

    def delete(self, actor: Actor, rule: IgnoreRule) -> None:
        """Delete a rule; raises NotFound when it is gone."""

        def work(connection: Connection) -> None:
            gone = connection.execute(delete(records.ignore_rules).where(_RULES.id == rule.id))
            if not gone.rowcount:
                raise NotFound(f"no ignore rule {rule.id}")
            subject = f"ignore rule {rule.id}"
            insert_event(connection, NewEvent("ignore.delete", actor, subject, str(rule.pattern)))

        self._database.write(work)

    def switch(self, actor: Actor, name: str, *, on: bool) -> None:
        """Switch a built-in rule on or off for one user."""
        mine = {"owner_id": actor.user_id, "name": name}

        def work(connection: Connection) -> None:
            connection.execute(
                delete(records.ignore_rules_off).where(*(_OFF[k] == v for k, v in mine.items()))
            )
            if not on:
                connection.execute(insert(records.ignore_rules_off).values(**mine))
            action = "ignore.on" if on else "ignore.off"
            insert_event(connection, NewEvent(action, actor, f"ignore rule {name}"))

        self._database.write(work)


def _values(pattern: IgnorePattern) -> dict[str, Any]:
    return pattern._asdict() | {"kind": pattern.kind or ""}


def _select() -> Select[Any]:
    owner = records.users.c
    return select(records.ignore_rules, owner.name.label("owner_name")).join(
        records.users, owner.id == _RULES.owner_id
    )


def _rule(row: Row[Any]) -> IgnoreRule:
    kind = Kind(row.kind) if row.kind else None
    return IgnoreRule(
        IgnorePattern(row.address, row.subject, kind, row.service, row.unanswered, row.script),
        note=row.note,
        id=row.id,
        owner_id=row.owner_id,
        owner=row.owner_name,
        everybody=row.everybody,
        created=row.created,
    )
