"""Edits of the kernel's neighbour table, each with the entries that undo it and its audit event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from netmon_tui.domain.neighbour import NudState
from netmon_tui.domain.neighbour_edit import EditKind, EditPlan, KeptEdit, NeighbourEdit, TableEntry
from netmon_tui.domain.neighbour_event import NeighbourEvent
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import NotFound
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.database import Database

KEPT = 1_000
"""Edits that are kept, the latest of all users and machines; the audit trail has the others."""
LISTED = 200
_EFFECT = timedelta(seconds=10)
"""So long after an edit began, what the table tells of its entries is its doing."""
_EDITS = records.neighbour_edits.c
_SHOWN = (
    _EDITS.id,
    _EDITS.time,
    _EDITS.kind,
    _EDITS.subject,
    _EDITS.command,
    _EDITS.entries,
    _EDITS.result,
    _EDITS.undoes,
    _EDITS.undone_by,
)
Entries = Sequence[TableEntry]


class NeighbourEditRepository:
    """The edits that were done on one machine.

    Args:
        database: Where they are kept.
        machine: Names this machine: another one's table is not ours to restore.
    """

    def __init__(self, database: Database, machine: str) -> None:
        self._database = database
        self._machine = machine

    def begin(
        self, actor: Actor, plan: EditPlan, command: str, before: Entries, after: Entries, undoes: int | None
    ) -> int:
        """Keep what there was before anything is changed, so that even a program that is killed can be undone.

        Returns:
            The number of the edit.
        """
        values = {
            "owner_id": actor.user_id,
            "machine": self._machine,
            "time": datetime.now(UTC),
            "kind": plan.kind.value,
            "subject": plan.subject,
            "command": command,
            "entries": len(plan.writes),
            "before": [list(entry) for entry in before],
            "after": [list(entry) for entry in after],
            "undoes": undoes,
        }

        def work(connection: Connection) -> int:
            query = insert(records.neighbour_edits).values(values).returning(_EDITS.id)
            edit_id = int(connection.execute(query).scalar_one())
            connection.execute(delete(records.neighbour_edits).where(_EDITS.id <= edit_id - KEPT))
            return edit_id

        return self._database.write(work)

    def finish(
        self, actor: Actor, edit_id: int, result: str, done: tuple[int, Entries, Entries]
    ) -> NeighbourEdit:
        """Note how an edit came out, and write the audit event.

        Args:
            actor: Who did it.
            edit_id: What :meth:`begin` returned.
            result: Empty, or what the kernel refused and why.
            done: How many entries were changed, what they were before and what they are.
        """
        entries, before, after = done
        values = {
            "result": result,
            "entries": entries,
            "before": [list(entry) for entry in before],
            "after": [list(entry) for entry in after],
        }

        def work(connection: Connection) -> NeighbourEdit:
            connection.execute(update(records.neighbour_edits).where(_EDITS.id == edit_id).values(values))
            edit = _edit(connection.execute(_select().where(_EDITS.id == edit_id)).one())
            if edit.undoes is not None and not result:
                _note_undone(connection, edit.undoes, edit_id)
            told = f"{'; '.join(edit.command.splitlines())} -> {result or 'done'}"
            insert_event(connection, NewEvent(f"neighbour.{edit.kind}", actor, edit.subject, told))
            return edit

        return self._database.write(work)

    def find(self, actor: Actor) -> list[NeighbourEdit]:
        """Return the latest edits that the actor may see, the newest first."""
        query = self._visible(_select(), actor).order_by(_EDITS.id.desc()).limit(LISTED)
        with self._database.read() as connection:
            return [_edit(row) for row in connection.execute(query)]

    def get(self, actor: Actor, edit_id: int) -> KeptEdit:
        """Return an edit with its entries; raises NotFound when there is none, or it is not the actor's to see."""
        query = self._visible(_select(_EDITS.before, _EDITS.after), actor).where(_EDITS.id == edit_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"no neighbour edit {edit_id}", fix="netmon-tui neighbour edits")
        return KeptEdit(_edit(row), _entries(row.before), _entries(row.after))

    def _visible(self, query: Select[Any], actor: Actor) -> Select[Any]:
        query = query.where(_EDITS.machine == self._machine)
        return query if actor.may(Permission.SEE_ALL) else query.where(_EDITS.owner_id == actor.user_id)


def name_editors(connection: Connection, events: Sequence[NeighbourEvent]) -> list[NeighbourEvent]:
    """Return events with the name of whoever made them happen by an edit of the table."""
    if not events:
        return []
    times = [event.time for event in events]
    query = select(_EDITS.time, _EDITS.after, records.users.c.name).join(
        records.users, records.users.c.id == _EDITS.owner_id
    )
    recent = query.where(_EDITS.time >= min(times) - _EFFECT, _EDITS.time <= max(times)).order_by(_EDITS.id)
    made = {
        (entry.interface, entry.address, entry.lladdr): (time, name)
        for time, after, name in connection.execute(recent)
        for entry in _entries(after)
    }
    return [_with_editor(event, made.get((event.interface, event.address, event.lladdr))) for event in events]


def _with_editor(event: NeighbourEvent, editor: tuple[datetime, str] | None) -> NeighbourEvent:
    if editor is None or not timedelta() <= event.time - editor[0] <= _EFFECT:
        return event
    return replace(event, editor=editor[1])


def _note_undone(connection: Connection, edit_id: int, by: int) -> None:
    """Mark an edit as undone; if it had undone another one itself, that one is in force again."""
    edits = records.neighbour_edits
    connection.execute(update(edits).where(_EDITS.id == edit_id).values(undone_by=by))
    connection.execute(update(edits).where(_EDITS.undone_by == edit_id).values(undone_by=None))


def _select(*more: Any) -> Select[Any]:
    owner = records.users.c
    return select(*_SHOWN, owner.name.label("owner_name"), *more).join(
        records.users, owner.id == _EDITS.owner_id
    )


def _edit(row: Row[Any]) -> NeighbourEdit:
    return NeighbourEdit(
        id=row.id,
        time=row.time,
        owner=row.owner_name,
        kind=EditKind(row.kind),
        subject=row.subject,
        command=row.command,
        entries=row.entries,
        result=row.result,
        undoes=row.undoes,
        undone_by=row.undone_by,
    )


def _entries(kept: list[list[Any]]) -> tuple[TableEntry, ...]:
    return tuple(
        TableEntry(interface, address, lladdr, NudState(state), router)
        for interface, address, lladdr, state, router in kept
    )
