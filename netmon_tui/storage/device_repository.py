"""Devices: lladdrs with all their addresses, and what people say about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from netmon_tui.domain.device import DeviceAddress, DeviceMarks, MarksChange
from netmon_tui.domain.device_list import MarksBefore
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NotFound
from netmon_tui.storage import records
from netmon_tui.storage.audit_repository import NewEvent, insert_event
from netmon_tui.storage.database import Database

_DEVICES, _HISTORY, _NEIGHBOURS = records.neighbour_devices, records.neighbour_history, records.neighbours
_MARKS = ("lladdr", "name", "note", "known", "must_be_up", "shares_addresses", "changed_by", "changed")
_ROWS_AT_ONCE = 5_000
"""Of a long list, so that memory does not hold all of it a third time."""


class DeviceRepository:
    """The devices of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def marks(self) -> dict[str, DeviceMarks]:
        """Return what people say, by lladdr."""
        query = select(*(_DEVICES.c[name] for name in _MARKS))
        with self._database.read() as connection:
            return {row.lladdr: DeviceMarks(*row) for row in connection.execute(query)}

    def must_be_up(self) -> frozenset[str]:
        """Return the lladdrs of devices that must be up."""
        query = select(_DEVICES.c.lladdr).where(_DEVICES.c.must_be_up.is_(True))
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def down(self) -> set[str]:
        """Return the lladdrs that were told to be down."""
        with self._database.read() as connection:
            return set(
                connection.execute(select(_DEVICES.c.lladdr).where(_DEVICES.c.down.is_(True))).scalars()
            )

    def lladdrs(self) -> list[tuple[str, datetime | None, datetime | None, int]]:
        """Return (lladdr, first seen, last seen, addresses) of every device, the one seen last first.

        One that is only marked has no times.
        """
        seen = select(
            _HISTORY.c.lladdr,
            func.min(_HISTORY.c.first_seen).label("first"),
            func.max(_HISTORY.c.last_seen).label("last"),
            func.count().label("addresses"),
        ).group_by(_HISTORY.c.lladdr)
        only_marked = select(_DEVICES.c.lladdr).where(_DEVICES.c.lladdr.not_in(select(_HISTORY.c.lladdr)))
        with self._database.read() as connection:
            found = [
                tuple(row) for row in connection.execute(seen.order_by(func.max(_HISTORY.c.last_seen).desc()))
            ]
            marked = connection.execute(only_marked.order_by(_DEVICES.c.lladdr)).scalars()
            return [*found, *((lladdr, None, None, 0) for lladdr in marked)]

    def addresses(self, lladdr: str) -> list[DeviceAddress]:
        """Return the addresses that a lladdr has or had, the latest first."""
        history, now = _HISTORY.c, _NEIGHBOURS.c
        same = (now.interface == history.interface) & (now.address == history.address)
        query = (
            select(
                history.interface,
                history.address,
                history.first_seen,
                history.last_seen,
                (now.lladdr == history.lladdr) & now.gone.is_(False),
            )
            .join(_NEIGHBOURS, same)
            .where(history.lladdr == lladdr)
            .order_by(history.last_seen.desc(), history.address)
        )
        with self._database.read() as connection:
            return [DeviceAddress(*row) for row in connection.execute(query)]

    def mark(self, actor: Actor, changes: Mapping[str, MarksChange], told: str = "") -> list[MarksBefore]:
        """Change what is said about devices, as it is said by then, in one transaction with one audit event.

        Nothing is stored for a device whose marks stay as they are, and what says nothing any more is forgotten.

        Args:
            actor: Who says it.
            changes: What is said of each lladdr.
            told: What the audit trail says of it; empty for what becomes of the first one.

        Returns:
            The marks of each device before and after.
        """

        def work(connection: Connection) -> list[MarksBefore]:
            marked = [
                MarksBefore(before, change.of(before or DeviceMarks(lladdr)))
                for before, (lladdr, change) in zip(_said(connection, changes), changes.items(), strict=True)
            ]
            changed = [one for one in marked if not one.is_same]
            _store_marks(connection, actor, [one.after for one in changed])
            if changed:
                insert_event(connection, _told(actor, changed, told))
            return marked

        return self._database.write(work)

    def unmark(self, actor: Actor, lladdr: str) -> None:
        """Forget what was said about a device.

        Raises:
            NotFound: Nothing was.
        """

        def work(connection: Connection) -> None:
            if not connection.execute(delete(_DEVICES).where(_DEVICES.c.lladdr == lladdr)).rowcount:
                raise NotFound(f"nothing is said about {lladdr}")
            insert_event(connection, NewEvent("neighbour.unmark", actor, f"device {lladdr}"))

        self._database.write(work)


def _told(actor: Actor, changed: Sequence[MarksBefore], told: str) -> NewEvent:
    """Return what the audit trail says of changed marks."""
    first = changed[0]
    subject = f"device {first.after.lladdr}" if len(changed) == 1 else f"{len(changed)} devices"
    if not any(one.after.says_something for one in changed):
        return NewEvent("neighbour.unmark", actor, subject, told)
    return NewEvent("neighbour.mark", actor, subject, told or first.words.removeprefix("new: "))


def _said(connection: Connection, lladdrs: Iterable[str]) -> Iterator[DeviceMarks | None]:
    """Yield what is said of each lladdr, in their order."""
    wanted = list(lladdrs)
    query = select(*(_DEVICES.c[name] for name in _MARKS))
    for start in range(0, len(wanted), _ROWS_AT_ONCE):
        some = wanted[start : start + _ROWS_AT_ONCE]
        found = connection.execute(query.where(_DEVICES.c.lladdr.in_(some)))
        said = {row.lladdr: DeviceMarks(*row) for row in found}
        yield from map(said.get, some)


def _store_marks(connection: Connection, actor: Actor, marks: Sequence[DeviceMarks]) -> None:
    by = {"changed_by": actor.name, "changed": datetime.now(UTC)}
    query = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_DEVICES)
    changing = {name: query.excluded[name] for name in _MARKS if name != "lladdr"}
    query = query.on_conflict_do_update(index_elements=["lladdr"], set_=changing)
    for start in range(0, len(marks), _ROWS_AT_ONCE):
        some = marks[start : start + _ROWS_AT_ONCE]
        if kept := [_row(mark) | by for mark in some if mark.says_something]:
            connection.execute(query, kept)
        if forgotten := [mark.lladdr for mark in some if not mark.says_something]:
            connection.execute(delete(_DEVICES).where(_DEVICES.c.lladdr.in_(forgotten)))


def _row(marks: DeviceMarks) -> dict[str, Any]:
    return {name: getattr(marks, name) for name in _MARKS}


def store_down(connection: Connection, down: Mapping[str, bool]) -> None:
    """Keep which devices were told to be down, or up again; one of which nobody said anything is nobody's."""
    for lladdr, is_down in down.items():
        connection.execute(update(_DEVICES).where(_DEVICES.c.lladdr == lladdr).values(down=is_down))
