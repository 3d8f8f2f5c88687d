"""Events of the neighbour table: kept, folded when they happen again, acknowledged and muted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.neighbour_event import EventFilter, Mute, NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.database import Database
from netmon_tui.storage.selection import contains_text, in_window

_OPEN = EventFilter(unacknowledged=True)
REPEAT = timedelta(hours=1)
"""What happens again within so long, and nobody has acknowledged, is the same event once more."""
_SAME_MOMENT = timedelta(seconds=1)
MOST_EVENTS = 100_000
"""That are kept; the oldest go first."""
MOST_MUTES = 1_000
_IDS_AT_ONCE = 500
T = TypeVar("T")

_EVENTS, _MUTES = records.neighbour_events, records.neighbour_mutes
_SORTS = {
    "severity": _EVENTS.c.rank,
    "last": _EVENTS.c.last,
    "count": _EVENTS.c.occurrences,
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
    case({severity.rank: severity.value for severity in Severity}, value=_EVENTS.c.rank),
]
"""What a filter text is looked for in: also what is read in place of the columns."""


class _Stored(NamedTuple):
    """What tells whether an event is the same one again."""

    id: int
    last: datetime
    acknowledged: bool
    muted: bool
    """One that is muted does not stand for one that is to be told."""


class NeighbourEventRepository:
    """The events of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def events(self, wanted: EventFilter, window: Window = FIRST) -> list[NeighbourEvent]:
        """Return a window of the events; their own order is what happened last first."""
        query = select(_EVENTS).where(*_conditions(wanted, window.text))
        query = in_window(query, window, _SORTS, _EVENTS.c.last.desc(), _EVENTS.c.id.desc())
        with self._database.read() as connection:
            return [_event(row) for row in connection.execute(query)]

    def count(self, wanted: EventFilter, text: str = "") -> int:
        """Return how many there are."""
        query = select(func.count()).select_from(_EVENTS).where(*_conditions(wanted, text))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def open_counts(self) -> dict[Severity, int]:
        """Return how many are neither acknowledged nor muted, by severity."""
        query = select(_EVENTS.c.rank, func.count()).where(*_conditions(_OPEN, "")).group_by(_EVENTS.c.rank)
        with self._database.read() as connection:
            counts = {row[0]: row[1] for row in connection.execute(query)}
        return {severity: counts.get(severity.rank, 0) for severity in Severity}

    def newest(self) -> int:
        """Return the greatest id; 0 without any event."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.max(_EVENTS.c.id))).scalar_one() or 0)

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
            for part in _parts(ids):
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
            return _mutes(connection)

    def mute(self, actor: Actor, mute: Mute) -> Mute:
        """Add a rule; what it covers and is not acknowledged becomes muted at once.

        Raises:
            InvalidInput: There is the same rule already, or there are too many.
        """

        def work(connection: Connection) -> Mute:
            known = _mutes(connection)
            if same := next((rule for rule in known if _says(rule) == _says(mute)), None):
                raise InvalidInput(f"rule {same.id} says so already", why=str(mute))
            if len(known) >= MOST_MUTES:
                raise InvalidInput(f"there are {MOST_MUTES} rules", fix="delete some of them first")
            values = dict(zip(("kind", "interface", "address", "lladdr", "until"), _says(mute), strict=True))
            now = datetime.now(UTC)
            query = insert(_MUTES).values(**values, created_by=actor.name, created=now).returning(_MUTES.c.id)
            number = int(connection.execute(query).scalar_one())
            insert_event(connection, NewEvent("neighbour.mute", actor, f"mute rule {number}", str(mute)))
            _mute_open_events(connection, mute)
            return replace(mute, id=number, created_by=actor.name, created=now)

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


def store_events(connection: Connection, events: Sequence[NeighbourEvent]) -> list[NeighbourEvent]:
    """Store events; one that happens again is counted. Return those that are new and not muted, with their ids."""
    if not events:
        return []
    mutes = _mutes(connection)
    recent = _recent(connection, events)
    again: list[dict[str, Any]] = []
    fresh: dict[tuple[str, ...], NeighbourEvent] = {}
    for event in events:
        muted, known = any(mute.covers(event) for mute in mutes), recent.get(event.subject)
        if known is not None and not known.acknowledged and known.muted == muted:
            again.append({"its_id": known.id, "its_last": event.last or event.time, "more": event.count})
        elif (first := fresh.get(event.subject)) is not None:
            fresh[event.subject] = replace(first, last=event.time, count=first.count + event.count)
        else:
            fresh[event.subject] = replace(event, muted=muted)
    if again:
        more = {"occurrences": _EVENTS.c.occurrences + bindparam("more"), "last": bindparam("its_last")}
        connection.execute(update(_EVENTS).where(_EVENTS.c.id == bindparam("its_id")).values(**more), again)
    stored = _insert(connection, list(fresh.values()))
    return [event for event in stored if not event.muted]


def unknown_events(connection: Connection, doubtful: Sequence[NeighbourEvent]) -> list[NeighbourEvent]:
    """Return the events that nobody has stored; what two programs saw they tell within a second."""
    known = _recent(connection, doubtful)
    return [
        event
        for event in doubtful
        if (stored := known.get(event.subject)) is None or stored.last < event.time - _SAME_MOMENT
    ]


def _recent(connection: Connection, events: Sequence[NeighbourEvent]) -> dict[tuple[str, ...], _Stored]:
    """Return what is stored and about the same as these events, by their subject; the newest of each."""
    if not events:
        return {}
    table = _EVENTS.c
    since = min(event.time for event in events) - REPEAT
    subject = (table.kind, table.interface, table.address, table.lladdr, table.previous_lladdr)
    query = select(table.id, *subject, table.last, table.acknowledged, table.muted).where(table.last >= since)
    found: dict[tuple[str, ...], _Stored] = {}
    for part in _parts(list({event.address for event in events})):
        for row in connection.execute(query.where(table.address.in_(part)).order_by(table.id)):
            found[tuple(row[1:6])] = _Stored(row.id, row.last, row.acknowledged is not None, row.muted)
    return found


def _insert(connection: Connection, events: Sequence[NeighbourEvent]) -> list[NeighbourEvent]:
    if not events:
        return []
    query = insert(_EVENTS).returning(_EVENTS.c.id, sort_by_parameter_order=True)
    ids = connection.execute(query, [_values(event) for event in events]).scalars()
    stored = [replace(event, id=number) for number, event in zip(ids, events, strict=True)]
    connection.execute(delete(_EVENTS).where(_EVENTS.c.id <= stored[-1].id - MOST_EVENTS))
    return stored


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
    for part in _parts(ids):
        found |= set(connection.execute(select(_EVENTS.c.id).where(_EVENTS.c.id.in_(part))).scalars())
    if missing := [number for number in ids if number not in found]:
        raise NotFound(f"no neighbour event {missing[0]}")


def _parts(ids: Sequence[T]) -> list[Sequence[T]]:
    return [ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE)]


def _values(event: NeighbourEvent) -> dict[str, Any]:
    return {
        "time": event.time,
        "last": event.last or event.time,
        "occurrences": event.count,
        "kind": event.kind.value,
        "rank": event.severity.rank,
        "interface": event.interface,
        "address": event.address,
        "lladdr": event.lladdr,
        "previous_lladdr": event.previous_lladdr,
        "detail": event.detail,
        "muted": event.muted,
    }


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
    )


def _mutes(connection: Connection) -> list[Mute]:
    return [_mute(row) for row in connection.execute(select(_MUTES).order_by(_MUTES.c.id))]


def _mute(row: Row[Any]) -> Mute:
    return Mute(
        row.kind, row.interface, row.address, row.lladdr, row.until, row.id, row.created_by, row.created
    )


def _says(mute: Mute) -> tuple[Any, ...]:
    return mute.kind, mute.interface, mute.address, mute.lladdr, mute.until
