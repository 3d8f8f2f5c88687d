"""The audit trail: rows are added and read, and nothing here changes or deletes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from netmon_tui.domain.user import Actor, AuditEvent
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.selection import contains_text, in_window

_EVENTS = records.audit_events.c
_TEXTS = (_EVENTS.actor, _EVENTS.action, _EVENTS.subject, _EVENTS.detail)
_SORTS = {
    "id": _EVENTS.id,
    "time": _EVENTS.time,
    "actor": _EVENTS.actor,
    "action": _EVENTS.action,
    "subject": _EVENTS.subject,
}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is not written yet. Never holds a password or a token."""

    action: str
    """Dotted, such as ``scan.start``."""
    actor: Actor | None = None
    """Who did it; None for somebody who is not logged in."""
    subject: str = ""
    """What it was done to, such as ``scan 42``."""
    detail: str = ""
    time: datetime = field(default_factory=lambda: datetime.now(UTC))


def insert_event(connection: Connection, event: NewEvent) -> None:
    """Add an event within a transaction, so that it is written exactly if what it tells of is."""
    connection.execute(
        insert(records.audit_events).values(
            time=event.time,
            actor_id=event.actor.user_id if event.actor else None,
            actor=event.actor.name if event.actor else "",
            action=event.action,
            subject=event.subject,
            detail=event.detail,
        )
    )


class AuditRepository:
    """The events of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, actor: Actor | None, action: str, subject: str = "", detail: str = "") -> None:
        """Add an event that happens now; the arguments are the fields of :class:`NewEvent`."""
        event = NewEvent(action, actor, subject, detail)
        self._database.write(lambda connection: insert_event(connection, event))

    def find(self, window: Window = FIRST) -> list[AuditEvent]:
        """Return events, newest first unless asked otherwise.

        Args:
            window: Sorted by ``id``, ``time``, ``actor``, ``action`` or ``subject``; ``!`` inverts its text.
        """
        query = select(records.audit_events).where(contains_text(window.text, _TEXTS))
        query = in_window(query, window, _SORTS, _EVENTS.id.desc())
        with self._database.read() as connection:
            return [_event(row) for row in connection.execute(query)]

    def count(self, text: str = "") -> int:
        """Return how many events :meth:`find` would find."""
        query = select(func.count()).select_from(records.audit_events).where(contains_text(text, _TEXTS))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())


def _event(row: Row[Any]) -> AuditEvent:
    return AuditEvent(
        id=row.id,
        time=row.time,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
    )
