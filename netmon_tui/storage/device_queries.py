"""The list of devices by the window that is looked at, and what one device is found by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Row,
    Select,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from netmon_tui.domain.address import is_private_lladdr
from netmon_tui.domain.device import (
    ALL_DEVICES,
    LATELY,
    DeviceFilter,
    DeviceLine,
    DeviceMarks,
    SeenAt,
    main_address,
)
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.selection import contains_text

_MARKS, _HISTORY, _NOW = records.neighbour_devices.c, records.neighbour_history.c, records.neighbours.c
_PRESENCE = records.neighbour_presence.c
_LATEST_PLACES = 8
"""Of a device, among which the address to speak to it at is chosen."""
_AT_ONCE = 500
"""Devices whose addresses are read with one query."""

_ONLY_MARKED = select(_MARKS.lladdr, null(), null(), literal(0)).where(
    ~exists(select(_HISTORY.lladdr).where(_HISTORY.lladdr == _MARKS.lladdr))
)
_DEVICE = union_all(
    select(
        _HISTORY.lladdr,
        func.min(_HISTORY.first_seen).label("first_seen"),
        func.max(_HISTORY.last_seen).label("last_seen"),
        func.count().label("addresses"),
    ).group_by(_HISTORY.lladdr),
    _ONLY_MARKED,
).subquery("device")
"""Every lladdr that was ever seen, or of which somebody says something."""

_KNOWN = func.coalesce(_MARKS.known, False, type_=Boolean)
_SORTS: dict[str, ColumnElement[Any]] = {
    "lladdr": _DEVICE.c.lladdr,
    "name": func.nullif(func.lower(_MARKS.name), ""),
    "addresses": _DEVICE.c.addresses,
    "first_seen": _DEVICE.c.first_seen,
    "last_seen": _DEVICE.c.last_seen,
    "present": _DEVICE.c.last_seen,
    "marks": _MARKS.known,
    "vendor": func.nullif(func.netmon_vendor(_DEVICE.c.lladdr), ""),
}


class _Facts(NamedTuple):
    """What is known of some devices, by lladdr, besides their rows."""

    marks: dict[str, DeviceMarks]
    places: dict[str, list[SeenAt]]
    """The latest of each."""
    present: set[str]


class DeviceQueries:
    """Reads devices.

    Args:
        database: Where they are.
        vendor_of: Names the vendor of a lladdr; SQLite asks it too, to sort and filter by it.
    """

    def __init__(self, database: Database, vendor_of: Callable[[str], str]) -> None:
        self._database = database
        self._vendor_of = vendor_of
        self._knows_vendors = database.url.get_backend_name() == "sqlite"

    def count(self, text: str = "", wanted: DeviceFilter = ALL_DEVICES) -> int:
        """Return how many lines :meth:`lines` has."""
        with self._database.read() as connection:
            if not text and wanted == ALL_DEVICES:
                seen = connection.execute(select(func.count(_HISTORY.lladdr.distinct()))).scalar_one()
                return int(
                    seen
                    + connection.execute(
                        _ONLY_MARKED.with_only_columns(func.count(_MARKS.lladdr))
                    ).scalar_one()
                )
            self._teach_vendors(connection)
            return int(connection.execute(self._chosen(text, wanted, func.count())).scalar_one())

    def lines(self, window: Window = FIRST, wanted: DeviceFilter = ALL_DEVICES) -> list[DeviceLine]:
        """Return a window of the devices; their own order is the one seen last first."""
        with self._database.read() as connection:
            self._teach_vendors(connection)
            rows = connection.execute(self._in_order(window, wanted)).all()
            lines: list[DeviceLine] = []
            for start in range(0, len(rows), _AT_ONCE):
                some = rows[start : start + _AT_ONCE]
                facts = _facts(connection, [row.lladdr for row in some])
                lines += [self._line(row, facts) for row in some]
            return lines

    def marks_of(self, lladdrs: Sequence[str]) -> dict[str, DeviceMarks]:
        """Return what is said of devices, by lladdr; those of which nothing is said are left out."""
        found: dict[str, DeviceMarks] = {}
        with self._database.read() as connection:
            for start in range(0, len(lladdrs), _AT_ONCE):
                found |= _marks(connection, lladdrs[start : start + _AT_ONCE])
        return found

    def held(self, address: str) -> list[tuple[str, str]]:
        """Return (interface, lladdr) of whoever has an address, or had it last, by interface."""
        query = select(_NOW.interface, _NOW.lladdr).where(_NOW.address == address).order_by(_NOW.interface)
        with self._database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield (name, lladdr) of all devices that have a name."""
        query = select(_MARKS.name, _MARKS.lladdr).where(_MARKS.name != "").order_by(_MARKS.lladdr)
        with self._database.read() as connection:
            for row in connection.execute(query):
                yield row[0], row[1]

    def is_present(self, lladdr: str) -> bool:
        """Whether a device was seen lately, and is neither gone nor replaced."""
        with self._database.read() as connection:
            return bool(_present(connection, [lladdr]))

    def _teach_vendors(self, connection: Connection) -> None:
        if self._knows_vendors:
            driver: Any = connection.connection.driver_connection
            driver.create_function("netmon_vendor", 1, self._vendor_of, deterministic=True)

    def _chosen(self, text: str, wanted: DeviceFilter, *columns: Any) -> Select[Any]:
        joined = _DEVICE.outerjoin(records.neighbour_devices, _MARKS.lladdr == _DEVICE.c.lladdr)
        query = select(*columns).select_from(joined).where(self._matching(text))
        if wanted.known is not None:
            query = query.where(_KNOWN.is_(wanted.known))
        if wanted.present:
            present = select(_PRESENCE.lladdr).where(_PRESENCE.open_mark == 0, _PRESENCE.ended >= _lately())
            query = query.where(_DEVICE.c.lladdr.in_(present))
        return query

    def _matching(self, text: str) -> ColumnElement[bool]:
        """Return the condition that a text is in what is seen of a device, ``!`` in front inverting it."""
        needle, inverted = (text[1:], True) if text.startswith("!") else (text, False)
        if not needle:
            return true()
        columns = [_DEVICE.c.lladdr, *(func.coalesce(column, "") for column in (_MARKS.name, _MARKS.note))]
        if self._knows_vendors:
            columns.append(func.netmon_vendor(_DEVICE.c.lladdr))
        at = select(_HISTORY.lladdr).where(_HISTORY.address.icontains(needle, autoescape=True))
        found = or_(contains_text(needle, columns), _DEVICE.c.lladdr.in_(at))
        return ~found if inverted else found

    def _in_order(self, window: Window, wanted: DeviceFilter) -> Select[Any]:
        query = self._chosen(window.text, wanted, *_DEVICE.c)
        column = _SORTS.get(window.sort)
        if column is not None and (window.sort != "vendor" or self._knows_vendors):
            query = query.order_by((column.desc() if window.reverse else column.asc()).nulls_last())
        own = _DEVICE.c.last_seen.desc().nulls_last(), _DEVICE.c.lladdr
        return query.order_by(*own).offset(window.offset).limit(window.limit)

    def _line(self, row: Row[Any], facts: _Facts) -> DeviceLine:
        lladdr = row.lladdr
        place = main_address(facts.places.get(lladdr, ()))
        return DeviceLine(
            lladdr=lladdr,
            vendor=self._vendor_of(lladdr),
            private=is_private_lladdr(lladdr),
            marks=facts.marks.get(lladdr) or DeviceMarks(lladdr),
            interface=place.interface if place else "",
            address=place.address if place else "",
            addresses=row.addresses,
            present=lladdr in facts.present,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
        )


def _facts(connection: Connection, lladdrs: Sequence[str]) -> _Facts:
    return _Facts(_marks(connection, lladdrs), _places(connection, lladdrs), _present(connection, lladdrs))


def _marks(connection: Connection, lladdrs: Sequence[str]) -> dict[str, DeviceMarks]:
    columns = [column for column in _MARKS if column.name != "down"]
    found = connection.execute(select(*columns).where(_MARKS.lladdr.in_(lladdrs)))
    return {row.lladdr: DeviceMarks(*row) for row in found}


def _places(connection: Connection, lladdrs: Sequence[str]) -> dict[str, list[SeenAt]]:
    order = func.row_number().over(partition_by=_HISTORY.lladdr, order_by=_HISTORY.last_seen.desc())
    ranked = (
        select(
            _HISTORY.lladdr, _HISTORY.interface, _HISTORY.address, _HISTORY.last_seen, order.label("place")
        )
        .where(_HISTORY.lladdr.in_(lladdrs))
        .subquery()
    )
    found: dict[str, list[SeenAt]] = {}
    for row in connection.execute(select(ranked).where(ranked.c.place <= _LATEST_PLACES)):
        found.setdefault(row.lladdr, []).append(SeenAt(row.interface, row.address, row.last_seen))
    return found


def _present(connection: Connection, lladdrs: Sequence[str]) -> set[str]:
    """Return those of some devices that are present.

    The addition keeps SQLite from reading all that are present in order to find these among them.
    """
    lasting = (_PRESENCE.open_mark + 0 == 0, _PRESENCE.ended >= _lately())
    query = select(_PRESENCE.lladdr).where(_PRESENCE.lladdr.in_(lladdrs), *lasting)
    return set(connection.execute(query).scalars())


def _lately() -> datetime:
    return datetime.now(UTC) - LATELY
