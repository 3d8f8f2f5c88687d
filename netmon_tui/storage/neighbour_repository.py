"""What is remembered of neighbours: first and last seen, every lladdr an address had, and when it had it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Insert,
    Table,
    and_,
    bindparam,
    case,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from netmon_tui.domain.device import Presence
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.noticing import Held
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.device_repository import store_down
from netmon_tui.storage.neighbour_edit_repository import name_editors
from netmon_tui.storage.neighbour_event_folding import store_events, unknown_events

QUIET = timedelta(hours=1)
"""A neighbour that was not seen for so long begins a new time of presence when it is seen again."""
MOST_PRESENCES = 10_000
"""Of a lladdr or an address, that are read for a page."""

_NEIGHBOURS, _HISTORY, _PRESENCE = records.neighbours, records.neighbour_history, records.neighbour_presence


Pair = tuple[str, str, str]
"""(interface, address, lladdr)."""


class Sighting(NamedTuple):
    """One address that resolved to one lladdr at one time."""

    interface: str
    address: str
    family: str
    lladdr: str
    router: bool
    time: datetime


class Remembered(NamedTuple):
    """What is stored of one (interface, address)."""

    family: str
    lladdr: str
    router: bool
    first_seen: datetime
    last_seen: datetime
    gone: bool = False


@dataclass(slots=True)
class NeighbourNews:
    """What is to be stored together."""

    gone: list[Pair] = field(default_factory=list)
    """What was told to be gone; a sighting is later than that."""
    sightings: list[Sighting] = field(default_factory=list)
    events: list[NeighbourEvent] = field(default_factory=list)
    doubtful: list[NeighbourEvent] = field(default_factory=list)
    """Events that another program may have stored already."""
    down: dict[str, bool] = field(default_factory=dict)
    """Devices that were told to be down (True), or up again."""

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.gone or self.sightings or self.events or self.doubtful or self.down)


class NeighbourRepository:
    """The memory of the neighbour table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, sightings: Sequence[Sighting]) -> None:
        """Store sightings in one transaction. One that is older than what is stored changes no lladdr."""
        if sightings:
            self._database.write(lambda connection: _store_sightings(connection, sightings))

    def store(self, news: NeighbourNews) -> list[NeighbourEvent]:
        """Store all of it in one transaction; return the events that are new and not muted, with their ids."""

        def work(connection: Connection) -> list[NeighbourEvent]:
            unknown = unknown_events(connection, news.doubtful)
            _end_gone(connection, [*_gone_in(unknown), *news.gone])
            _store_sightings(connection, news.sightings)
            store_down(connection, news.down)
            return store_events(connection, name_editors(connection, [*unknown, *news.events]))

        return self._database.write(work)

    def with_editors(self, events: Sequence[NeighbourEvent]) -> list[NeighbourEvent]:
        """Return events with the name of whoever made them happen by an edit of the table."""
        with self._database.read() as connection:
            return name_editors(connection, events)

    def remembered(self, after: int = -1) -> dict[tuple[str, str], Remembered]:
        """Return what is remembered by (interface, address).

        Args:
            after: Only what was stored after this revision, by whichever program.
        """
        table = _NEIGHBOURS.c
        query = select(
            table.interface,
            table.address,
            table.family,
            table.lladdr,
            table.router,
            table.first_seen,
            table.last_seen,
            table.gone,
        ).where(table.revision > after)
        with self._database.read() as connection:
            return {(row[0], row[1]): Remembered(*row[2:]) for row in connection.execute(query)}

    def revision(self) -> int:
        """Return the revision that was stored last; 0 without any."""
        with self._database.read() as connection:
            return _revision(connection)

    def each_held(self) -> Iterator[Held]:
        """Yield every lladdr that an address ever had, that in force last; moments are POSIX seconds."""
        history, now = _HISTORY.c, _NEIGHBOURS.c
        here = and_(now.interface == history.interface, now.address == history.address)
        in_force = now.lladdr == history.lladdr
        moments = (
            type_coerce(column, Float) for column in (history.first_seen, history.last_seen, now.first_seen)
        )
        query = select(history.interface, history.address, history.lladdr, *moments, now.gone)
        query = query.join(_NEIGHBOURS, here).order_by(in_force, history.last_seen)
        with self._database.read() as connection:
            yield from map(Held._make, connection.execute(query))

    def history(self, interface: str, address: str) -> list[tuple[str, datetime, datetime]]:
        """Return every (lladdr, first seen, last seen) of an address, latest first."""
        table = _HISTORY.c
        query = (
            select(table.lladdr, table.first_seen, table.last_seen)
            .where(table.interface == interface, table.address == address)
            .order_by(table.last_seen.desc())
        )
        with self._database.read() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(query)]

    def presences_of_device(self, lladdr: str) -> list[Presence]:
        """Return when a lladdr was where, latest first, at most ``MOST_PRESENCES``."""
        return self._presences(_PRESENCE.c.lladdr == lladdr)

    def presences_at(self, interface: str, address: str) -> list[Presence]:
        """Return which lladdr an address had when, latest first, at most ``MOST_PRESENCES``."""
        table = _PRESENCE.c
        return self._presences(and_(table.interface == interface, table.address == address))

    def _presences(self, condition: ColumnElement[bool]) -> list[Presence]:
        table = _PRESENCE.c
        query = (
            select(table.interface, table.address, table.lladdr, table.started, table.ended, table.ending)
            .where(condition)
            .order_by(table.ended.desc(), table.id.desc())
            .limit(MOST_PRESENCES)
        )
        with self._database.read() as connection:
            return [Presence(*row) for row in connection.execute(query)]


def _store_sightings(connection: Connection, sightings: Sequence[Sighting]) -> None:
    """Store sightings, each kind of row with one statement for all of them."""
    if not sightings:
        return
    _end_quiet(connection, min(sighting.time for sighting in sightings) - QUIET)
    revision = {"revision": _revision(connection) + 1}
    for table, brought, extra in _ROWS:
        more = extra | revision if table is _NEIGHBOURS else extra
        rows = [{name: getattr(sighting, name) for name in brought} | more for sighting in sightings]
        first, last = ("started", "ended") if table is _PRESENCE else ("first_seen", "last_seen")
        for row, sighting in zip(rows, sightings, strict=True):
            row[first] = row[last] = sighting.time
        connection.execute(_upsert(connection, table, first, last), rows)
    _end_replaced(connection, sightings)


def _revision(connection: Connection) -> int:
    return int(connection.execute(select(func.max(_NEIGHBOURS.c.revision))).scalar_one() or 0)


_PAIR = ("interface", "address", "lladdr")
_ROWS: tuple[tuple[Table, tuple[str, ...], dict[str, Any]], ...] = (
    (_NEIGHBOURS, (*_PAIR, "family", "router"), {"gone": False}),
    (_HISTORY, _PAIR, {}),
    (_PRESENCE, _PAIR, {"ending": "", "open_mark": 0}),
)
"""Tables that a sighting goes to, what of it they keep, and what they keep besides."""


def _upsert(connection: Connection, table: Table, first: str, last: str) -> Insert:
    """Return the insert that extends an existing row; both SQLite and PostgreSQL spell it alike.

    An older sighting may come after a newer one (from a scan that took long): only the newest says what holds.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    query = dialect.insert(table)
    new, old = query.excluded, table.c
    unique = [*_PAIR[: 2 if table is _NEIGHBOURS else 3], *(["open_mark"] if table is _PRESENCE else [])]
    changing = {
        name: case((new[last] >= old[last], new[name]), else_=old[name])
        for name in old.keys()  # noqa: SIM118 - a collection of columns is not iterated by name
        if name not in (*unique, "id", first)
    }
    changing[first] = case((new[first] < old[first], new[first]), else_=old[first])
    upsert: Insert = query.on_conflict_do_update(index_elements=unique, set_=changing)
    return upsert


def _end_quiet(connection: Connection, before: datetime) -> None:
    _end(connection, "quiet", _PRESENCE.c.ended < before)


def _end_replaced(connection: Connection, sightings: Sequence[Sighting]) -> None:
    """End the presence of every lladdr that is not its address's present one."""
    table, now = _PRESENCE.c, _NEIGHBOURS.c
    here = [table[name] == bindparam(f"its_{name}") for name in ("interface", "address")]
    present = select(now.lladdr).where(now.interface == table.interface, now.address == table.address)
    keys = {sighting[:2] for sighting in sightings}
    rows = [{"its_interface": interface, "its_address": address} for interface, address in keys]
    _end(connection, "replaced", *here, table.lladdr != present.scalar_subquery(), rows=rows)


def _end_gone(connection: Connection, gone: Sequence[Pair]) -> None:
    if not gone:
        return
    rows = [dict(zip(_ITS, pair, strict=True)) for pair in gone]
    _end(connection, "gone", *_is_pair(_PRESENCE), rows=rows)
    connection.execute(update(_NEIGHBOURS).where(*_is_pair(_NEIGHBOURS)).values(gone=True), rows)


def _gone_in(events: Sequence[NeighbourEvent]) -> list[Pair]:
    kind = NeighbourEventKind.GONE
    return [(event.interface, event.address, event.lladdr) for event in events if event.kind is kind]


_ITS = [f"its_{name}" for name in _PAIR]


def _is_pair(table: Table) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(its) for name, its in zip(_PAIR, _ITS, strict=True)]


def _end(
    connection: Connection, ending: str, *where: ColumnElement[bool], rows: list[dict[str, Any]] | None = None
) -> None:
    table = _PRESENCE.c
    query = update(_PRESENCE).where(table.open_mark == 0, *where)
    connection.execute(query.values(ending=ending, open_mark=table.id), rows)
