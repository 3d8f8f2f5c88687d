"""What is remembered of neighbours: first and last seen, and every lladdr an address had."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from netmon_tui.storage import records
from netmon_tui.storage.database import Database


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


class NeighbourRepository:
    """The memory of the neighbour table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, sightings: Sequence[Sighting]) -> None:
        """Store sightings in one transaction."""

        def work(connection: Connection) -> None:
            for sighting in sightings:
                _upsert(connection, records.neighbours, sighting, {"family", "lladdr", "router", "last_seen"})
                _upsert(connection, records.neighbour_history, sighting, {"last_seen"})

        if sightings:
            self._database.write(work)

    def remembered(self) -> dict[tuple[str, str], Remembered]:
        """Return everything remembered by (interface, address)."""
        table = records.neighbours.c
        query = select(
            table.interface,
            table.address,
            table.family,
            table.lladdr,
            table.router,
            table.first_seen,
            table.last_seen,
        )
        with self._database.read() as connection:
            return {(row[0], row[1]): Remembered(*row[2:]) for row in connection.execute(query)}

    def history(self, interface: str, address: str) -> list[tuple[str, datetime, datetime]]:
        """Return every (lladdr, first seen, last seen) of an address, latest first."""
        table = records.neighbour_history.c
        query = (
            select(table.lladdr, table.first_seen, table.last_seen)
            .where(table.interface == interface, table.address == address)
            .order_by(table.last_seen.desc())
        )
        with self._database.read() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def _upsert(connection: Connection, table: Table, sighting: Sighting, changing: set[str]) -> None:
    """Insert a sighting, or move an existing row forward; both SQLite and PostgreSQL spell it alike."""
    values = sighting._asdict()
    time = values.pop("time")
    values = {name: value for name, value in values.items() if name in table.c}
    values |= {"first_seen": time, "last_seen": time}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    query = dialect.insert(table).values(**values)
    connection.execute(
        query.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={name: query.excluded[name] for name in changing},
        )
    )
