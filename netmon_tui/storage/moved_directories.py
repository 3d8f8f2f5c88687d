"""Directories of results that were moved, or copied, with their database: rows name them by their former path."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Table, func, select, update

from netmon_tui.errors import DatabaseLocked, DiskFull
from netmon_tui.storage import records
from netmon_tui.storage.database import Database

_TABLES = (records.scans, records.captures, records.jobs)


def follow_move(database: Database, jobs: Path) -> None:
    """Let rows name the directories that are here, where they name ones of the same name elsewhere.

    A row whose directory is not here keeps it, as does one that names it by another way, such as a symbolic link:
    programs that run know it by that. Where the disk is full or the database locked all stay for another time.

    Args:
        database: The database.
        jobs: Directory of the job directories.
    """
    moved = [(table, *row) for table in _TABLES for row in _moved(database, table, jobs)]

    def work(connection: Connection) -> None:
        for table, row_id, directory in moved:
            connection.execute(update(table).where(table.c.id == row_id).values(directory=directory))

    if moved:
        with suppress(DatabaseLocked, DiskFull):
            database.write(work)


def _moved(database: Database, table: Table, jobs: Path) -> list[tuple[int, str]]:
    """Return the ids of the rows of a table with another path, and the path here."""
    here = f"{jobs}/"
    elsewhere = func.substr(table.c.directory, 1, len(here)) != here
    query = select(table.c.id, table.c.directory).where(elsewhere, table.c.directory != "")
    with database.read() as connection:
        rows = [(row.id, Path(row.directory)) for row in connection.execute(query)]
    return [(row_id, str(jobs / path.name)) for row_id, path in rows if _is_other(jobs / path.name, path)]


def _is_other(found: Path, named: Path) -> bool:
    """Whether there is a directory, and it is not the one that a row names."""
    if not found.is_dir():
        return False
    try:
        return not found.samefile(named)
    except OSError:  # there is none where the row says
        return True
