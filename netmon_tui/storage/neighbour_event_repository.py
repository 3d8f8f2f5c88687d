"""Events of the neighbour table: listed, acknowledged and muted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.neighbour_event import EventFilter, Mute, NeighbourEvent, NeighbourEventKind, Tally
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.database import Database
from netmon_tui.storage.selection import contains_text, in_window

_OPEN = EventFilter(unacknowledged=True)
MOST_MUTES = 1_000
_IDS_AT_ONCE = 500
T = TypeVar("T")

_EVENTS, _MUTES = records.neighbour_events, records.neighbour_mutes
_NAMES = records.neighbour_devices.c


def _name_of(lladdr: ColumnElement[Any]) -> ColumnElement[Any]:
    """What people call the device with a lladdr by now; null for one that has no marks."""
    return select(_NAMES.name).where(_NAMES.lladdr == lladdr).scalar_subquery()


_NAME, _PREVIOUS_NAME = _name_of(_EVENTS.c.lladdr), _name_of(_EVENTS.c.previous_lladdr)
_SORTS = {
    "severity": _EVENTS.c.rank,
    "last": _EVENTS.c.last,
    "count": _EVENTS.c.occurrences,
    "name": _NAME,
    **{
        name: _EVENTS.c[name]
        for name in ("kind", "address", "interface", "lladdr", "previous_lladdr", "acknowledged_by")
    },
}
_TEXTS: list[ColumnElement[Any]] = [
    *(
        _EVENTS.c[name]
        for name in ("kind", "address", "interface", "lladdr", "previous_lladdr", "detail", "acknowledged_by")
    ),
    func.replace(_EVENTS.c.kind, "_", " "),
    func.coalesce(_NAME, ""),
    func.coalesce(_PREVIOUS_NAME, ""),
    case({severity.rank: severity.value for severity in Severity}, value=_EVENTS.c.rank),
]
"""What a filter text is looked for in: also what is read in place of the columns."""


class NeighbourEventRepository:
    """The events of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def events(self, wanted: EventFilter, window: Window = FIRST) -> list[NeighbourEvent]:
        """Return a window of the events; their own order is what happened last first."""
        query = select(_EVENTS, _NAME.label("name"), _PREVIOUS_NAME.label("previous_name"))
        query = query.where(*_conditions(wanted, window.text))
        query = in_window(query, window, _SORTS, _EVENTS.c.last.desc(), _EVENTS.c.id.desc())
        with self._database.read() as connection:
            return [_event(row) for row in connection.execute(query)]

    def count(self, wanted: EventFilter, text: str = "") -> int:
        """Return how many there are."""
        query = select(func.count()).select_from(_EVENTS).where(*_conditions(wanted, text))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def tally(self) -> Tally:
        """Return how many are neither acknowledged nor muted, and the greatest id of all."""
        query = select(_EVENTS.c.rank, func.count()).where(*_conditions(_OPEN, "")).group_by(_EVENTS.c.rank)
        with self._database.read() as connection:
            counts = {row[0]: row[1] for row in connection.execute(query)}
            newest = connection.execute(select(func.max(_EVENTS.c.id))).scalar_one() or 0
        return Tally({severity: counts.get(severity.rank, 0) for severity in Severity}, newest)

    def acknowledge_all(self, actor: Actor, wanted: EventFilter, text: str) -> int:
        """Mark all events that a list has as seen to; return how many were not yet."""
        open_ones = wanted._replace(unacknowledged=True)

        def work(connection: Connection) -> int:
            values = {"acknowledged": datetime.now(UTC), "acknowledged_by": actor.name}
            query = update(_EVENTS).where(*_conditions(open_ones, text))
            changed = connection.execute(query.values(**values)).rowcount
            if changed:
                insert_event(
                    connection, NewEvent("neighbour.acknowledge", actor, f"{changed} neighbour events")
                )
            return changed

        return self._database.write(work)

    def acknowledge(self, actor: Actor, ids: Sequence[int]) -> int:
        """Mark events as seen to; return how many were not yet.

        Raises:
            NotFound: There is no such event; nothing is marked then.
        """

        def work(connection: Connection) -> int:
            _require(connection, ids)
            changed = 0
            for part in parts(ids):
                open_ones = _EVENTS.c.id.in_(part), _EVENTS.c.acknowledged.is_(None)
                values = {"acknowledged": datetime.now(UTC), "acknowledged_by": actor.name}
                changed += connection.execute(update(_EVENTS).where(*open_ones).values(**values)).rowcount
            if changed:
                subject = f"neighbour event {ids[0]}" if len(ids) == 1 else f"{changed} neighbour events"
                insert_event(connection, NewEvent("neighbour.acknowledge", actor, subject))
            return changed

        return self._database.write(work)

    def mutes(self) -> list[Mute]:
        """Return the rules by number, also those whose time is over."""
        with self._database.read() as connection:
            return mutes_in(connection)

    def mute(self, actor: Actor, mute: Mute) -> Mute:
        """Add a rule, or let one that says the same hold for longer; what it covers and is open becomes muted.

        Raises:
            InvalidInput: There is a rule already that says so for as long, or there are too many.
        """

        def work(connection: Connection) -> Mute:
            known = mutes_in(connection)
            same = next((rule for rule in known if _covered(rule) == _covered(mute)), None)
            if same is not None and (not same.until or (mute.until and mute.until <= same.until)):
                raise InvalidInput(f"rule {same.id} says so already", why=str(same))
            if same is not None:
                kept = replace(same, until=mute.until)
                connection.execute(update(_MUTES).where(_MUTES.c.id == same.id).values(until=mute.until))
            elif len(known) >= MOST_MUTES:
                raise InvalidInput(f"there are {MOST_MUTES} rules", fix="delete some of them first")
            else:
                kept = _insert_mute(
                    connection, replace(mute, created_by=actor.name, created=datetime.now(UTC))
                )
            insert_event(connection, NewEvent("neighbour.mute", actor, f"mute rule {kept.id}", str(mute)))
            _mute_open_events(connection, mute)
            return kept

        return self._database.write(work)

    def unmute(self, actor: Actor, number: int) -> None:
        """Delete a rule; events that are muted stay so.

        Raises:
            NotFound: There is no such rule.
        """

        def work(connection: Connection) -> None:
            if not connection.execute(delete(_MUTES).where(_MUTES.c.id == number)).rowcount:
                raise NotFound(f"no mute rule {number}")
            insert_event(connection, NewEvent("neighbour.unmute", actor, f"mute rule {number}"))

        self._database.write(work)


def _mute_open_events(connection: Connection, mute: Mute) -> None:
    table = _EVENTS.c
    conditions: list[ColumnElement[bool]] = [table.acknowledged.is_(None), table.muted.is_(False)]
    for name in ("kind", "interface", "address"):
        if value := getattr(mute, name):
            conditions.append(table[name] == value)
    if mute.lladdr:
        conditions.append(_about(mute.lladdr))
    connection.execute(update(_EVENTS).where(*conditions).values(muted=True))


def _about(lladdr: str) -> ColumnElement[bool]:
    return or_(_EVENTS.c.lladdr == lladdr, _EVENTS.c.previous_lladdr == lladdr)


def _conditions(wanted: EventFilter, text: str) -> list[ColumnElement[bool]]:
    table = _EVENTS.c
    conditions = [contains_text(text, _TEXTS)]
    if wanted.unacknowledged:
        conditions.append(table.acknowledged.is_(None))
    if not wanted.muted:
        conditions.append(table.muted.is_(False))
    if wanted.least is not Severity.INFO:
        conditions.append(table.rank <= wanted.least.rank)
    if wanted.kind:
        conditions.append(table.kind == wanted.kind)
    if wanted.address:
        conditions.append(table.address == wanted.address)
    if wanted.lladdr:
        conditions.append(_about(wanted.lladdr))
    if wanted.after is not None:
        conditions.append(table.last >= wanted.after)
    if wanted.newer_than:
        conditions.append(table.id > wanted.newer_than)
    if wanted.up_to is not None:
        conditions.append(table.id <= wanted.up_to)
    return conditions


def _require(connection: Connection, ids: Sequence[int]) -> None:
    found: set[int] = set()
    for part in parts(ids):
        found |= set(connection.execute(select(_EVENTS.c.id).where(_EVENTS.c.id.in_(part))).scalars())
    if missing := [number for number in ids if number not in found]:
        raise NotFound(f"no neighbour event {missing[0]}")


def parts(ids: Sequence[T]) -> list[Sequence[T]]:
    """Return a list in parts that fit into one statement."""
    return [ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE)]


def _event(row: Row[Any]) -> NeighbourEvent:
    return NeighbourEvent(
        time=row.time,
        kind=NeighbourEventKind(row.kind),
        address=row.address,
        interface=row.interface,
        lladdr=row.lladdr,
        previous_lladdr=row.previous_lladdr,
        detail=row.detail,
        id=row.id,
        last=row.last,
        count=row.occurrences,
        acknowledged_by=row.acknowledged_by,
        acknowledged=row.acknowledged,
        muted=row.muted,
        editor=row.editor,
        name=row.name or "",
        previous_name=row.previous_name or "",
    )


def mutes_in(connection: Connection) -> list[Mute]:
    """Return the rules by number."""
    return [_mute(row) for row in connection.execute(select(_MUTES).order_by(_MUTES.c.id))]


def _mute(row: Row[Any]) -> Mute:
    return Mute(
        row.kind, row.interface, row.address, row.lladdr, row.until, row.id, row.created_by, row.created
    )


def _covered(mute: Mute) -> tuple[str, str, str, str]:
    return mute.kind, mute.interface, mute.address, mute.lladdr


def _insert_mute(connection: Connection, mute: Mute) -> Mute:
    columns = ("kind", "interface", "address", "lladdr", "until", "created_by", "created")
    values = {name: getattr(mute, name) for name in columns}
    query = insert(_MUTES).values(**values).returning(_MUTES.c.id)
    return replace(mute, id=int(connection.execute(query).scalar_one()))
