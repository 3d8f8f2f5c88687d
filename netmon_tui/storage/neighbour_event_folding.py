"""Events of the neighbour table on their way into the store: what happens again is counted, too many are shed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, delete, func, insert, or_, select, update

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.storage import records
from netmon_tui.storage.neighbour_event_repository import mutes_in, parts

REPEAT = timedelta(hours=1)
"""What happens again within so long, and nobody has acknowledged, is the same event once more."""
_SAME_MOMENT = timedelta(seconds=1)
MOST_EVENTS = 100_000
"""That are kept; what is seen to, light and old goes first."""
_SHED_PART = 100
"""When there are too many, one in so many goes at once: to find those that go takes long."""

_EVENTS = records.neighbour_events
_ORIGIN = ("kind", "interface", "address", "lladdr", "previous_lladdr", "editor")
"""Columns of an event's subject, in its order."""


class _Stored(NamedTuple):
    """What tells whether an event is the same one again."""

    id: int
    last: datetime
    acknowledged: bool
    muted: bool
    """One that is muted does not stand for one that is to be told."""


@dataclass(slots=True)
class _Recent:
    """What was told of late."""

    stored: dict[tuple[str, ...], _Stored] = field(default_factory=dict)
    """The newest event of each subject."""
    told: dict[tuple[str, ...], str] = field(default_factory=dict)
    """How things are since."""

    def stands_for(self, event: NeighbourEvent, *, muted: bool) -> _Stored | None:
        """Return the event that this one is once more, if it is."""
        known = self.stored.get(event.subject)
        if known is None or known.acknowledged or known.muted != muted or self.has_turned(event):
            return None
        return known

    def has_turned(self, event: NeighbourEvent) -> bool:
        """Whether the opposite was told since such an event was told last."""
        return event.kind.turns and any(
            self.told.get(subject, what) != what for subject, what in event.tells.items()
        )


def store_events(connection: Connection, events: Sequence[NeighbourEvent]) -> list[NeighbourEvent]:
    """Store events; one that happens again is counted. Return those that are new and not muted, with their ids."""
    if not events:
        return []
    mutes, recent = mutes_in(connection), _recent(connection, events)
    again: list[dict[str, Any]] = []
    fresh: list[NeighbourEvent] = []
    newest: dict[tuple[str, ...], int] = {}
    """Subject -> which of the fresh ones it is of."""
    for event in events:
        muted, place = any(mute.covers(event) for mute in mutes), newest.get(event.subject)
        if place is not None and not recent.has_turned(event):
            first = fresh[place]
            fresh[place] = replace(first, last=event.time, count=first.count + event.count)
        elif place is None and (known := recent.stands_for(event, muted=muted)) is not None:
            again.append({"its_id": known.id, "its_last": event.last or event.time, "more": event.count})
        else:
            newest[event.subject] = len(fresh)
            fresh.append(replace(event, muted=muted))
        recent.told |= event.tells
    if again:
        more = {"occurrences": _EVENTS.c.occurrences + bindparam("more"), "last": bindparam("its_last")}
        connection.execute(update(_EVENTS).where(_EVENTS.c.id == bindparam("its_id")).values(**more), again)
    return [event for event in _insert(connection, fresh) if not event.muted]


def unknown_events(connection: Connection, doubtful: Sequence[NeighbourEvent]) -> list[NeighbourEvent]:
    """Return the events that nobody has stored; what two programs saw they tell within a second."""
    known = _recent(connection, doubtful).stored if doubtful else {}
    editors = {stored[:-1]: one for stored, one in known.items()}
    return [
        event
        for event in doubtful
        if (stored := editors.get(event.subject[:-1])) is None or stored.last < event.time - _SAME_MOMENT
    ]


def _recent(connection: Connection, events: Sequence[NeighbourEvent]) -> _Recent:
    """Return what is stored of the addresses and devices of these events."""
    table = _EVENTS.c
    since = min(event.time for event in events) - REPEAT
    columns = (table[name] for name in _ORIGIN)
    query = select(table.id, *columns, table.last, table.acknowledged, table.muted).where(table.last >= since)
    rows: dict[int, Any] = {}
    for part in parts(list(dict.fromkeys((event.address, event.lladdr) for event in events))):
        addresses, lladdrs = ({pair[place] for pair in part} for place in (0, 1))
        about = or_(table.address.in_(addresses), table.lladdr.in_(lladdrs))
        rows |= {row.id: row for row in connection.execute(query.where(about))}
    recent, turning = _Recent(), any(event.kind.turns for event in events)
    for row in sorted(rows.values(), key=lambda row: (row.last, row.id)):
        stored = _Stored(row.id, row.last, row.acknowledged is not None, row.muted)
        recent.stored.pop(tuple(row[1:7]), None)  # the latest stands last, whoever made it happen
        recent.stored[tuple(row[1:7])] = stored
        if turning:
            recent.told |= _told(row._mapping)
    return recent


def _told(row: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    kind, others = NeighbourEventKind(row["kind"]), ("address", "interface", "lladdr", "previous_lladdr")
    return NeighbourEvent(row["last"], kind, *(row[name] for name in others)).tells


def _insert(connection: Connection, events: Sequence[NeighbourEvent]) -> list[NeighbourEvent]:
    if not events:
        return []
    query = insert(_EVENTS).returning(_EVENTS.c.id, sort_by_parameter_order=True)
    ids = connection.execute(query, [_values(event) for event in events]).scalars()
    stored = [replace(event, id=number) for number, event in zip(ids, events, strict=True)]
    if stored[-1].id > MOST_EVENTS:
        _shed(connection)
    return stored


def _shed(connection: Connection) -> None:
    """Delete what is too much: what nobody waits for and what is light first, and of that the oldest."""
    table = _EVENTS.c
    excess = connection.execute(select(func.count(table.id))).scalar_one() - MOST_EVENTS
    if excess <= 0:
        return
    is_open = and_(table.acknowledged.is_(None), table.muted.is_(False))
    weight = case((is_open, table.rank), else_=Severity.INFO.rank)
    goes = select(table.id).order_by(weight.desc(), table.id).limit(excess + MOST_EVENTS // _SHED_PART)
    connection.execute(delete(_EVENTS).where(table.id.in_(goes)))


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
        "editor": event.editor,
    }
