"""Bringing a database to this program's schema: create, back up and upgrade, or refuse.

Alembic is imported only when there is something to do: comparing one word costs a millisecond, Alembic 400.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from netmon_tui.config.files import create_private
from netmon_tui.errors import DatabaseDamaged, DatabaseTooNew, StorageError
from netmon_tui.storage.database import Database, translated

HEAD_REVISION = "0027"
"""The newest migration; a test compares it with the scripts."""


def open_database(
    url: str, *, backups: Path, evidence: Path | None = None, unneeded: Sequence[Path] = ()
) -> Database:
    """Open a database at this program's schema, creating or upgrading it.

    Args:
        url: SQLAlchemy URL.
        backups: Directory for the copy made before an upgrade.
        unneeded: Further directories of ours with files that the program does not need.
        evidence: Directory of job results. An empty database file beside results is damage, not a first run.

    Raises:
        DatabaseTooNew: A newer version of the program wrote it.
        DatabaseDamaged: It is not a database, or an empty file where there was one.
        DatabaseLocked, DiskFull, StorageError: As they say.
    """
    database = Database(url, unneeded=(*unneeded, backups), results=evidence)
    try:
        created = database.create_file()
        _refuse_emptied(database, created, evidence)
        revision = _revision(database)
        if revision != HEAD_REVISION:
            _bring_to_head(database, revision, backups)
        database.set_aside()
    except BaseException:
        database.close()
        raise
    return database


def _refuse_emptied(database: Database, created: bool, evidence: Path | None) -> None:
    path = database.path
    if path is None or evidence is None or not evidence.is_dir():
        return
    empty = created or path.stat().st_size == 0
    if empty and any(evidence.iterdir()):
        if created:
            path.unlink(missing_ok=True)
        raise DatabaseDamaged(
            f"the database {path} is {'missing' if created else 'empty'}, but there are results beside it",
            fix=f"restore a copy from the backups folder, or move {evidence} away to start anew",
        )


def _revision(database: Database) -> str | None:
    """Return the schema revision, or None for a database without any table."""
    with database.read() as connection:
        names = inspect(connection).get_table_names()
        if "alembic_version" in names:
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    if names:
        raise DatabaseDamaged(f"{database.url.database} is a database, but not one of this program")
    return None


def _bring_to_head(database: Database, revision: str | None, backups: Path) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = _alembic_config()
    if revision is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(revision)
        except CommandError as error:
            raise DatabaseTooNew(
                f"the database has schema {revision}, this program knows up to {HEAD_REVISION}",
                fix="use the newer program that wrote it, or restore a copy from the backups folder",
            ) from error
        back_up(database, backups / f"before-{HEAD_REVISION}-{int(time.time())}.sqlite3")

    def upgrade(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    database.write(upgrade)


def _alembic_config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def back_up(database: Database, target: Path, create: Callable[[Path], None] = create_private) -> None:
    """Write a consistent copy of a SQLite database to a new file with mode 0600.

    Args:
        database: The database.
        target: The file.
        create: Makes the file, and refuses what exists; raises in its own way.

    Raises:
        StorageError: Another kind of database (use its own tools), or the copy failed.
    """
    if database.path is None:
        raise StorageError("only SQLite databases are copied here", fix="use your database's own tools")
    create(target)  # SQLite writes into an empty file, which nobody else could ever read
    try:
        with translated(database.path), database.engine.connect() as connection:
            raw = connection.connection.cursor()
            try:
                raw.execute("VACUUM INTO ?", (str(target),))
            finally:
                raw.close()
    except (sqlite3.Error, StorageError) as error:
        target.unlink()
        raise StorageError(f"the database could not be copied to {target}", why=str(error)) from error


def check_integrity(database: Database) -> tuple[str, ...]:
    """Return what SQLite's own check complains about; empty when the database is whole."""
    if database.path is None:
        return ()
    with database.read() as connection:
        rows = connection.execute(text("PRAGMA integrity_check"))
        found = [str(row[0]) for row in rows if row[0] != "ok"]
        found += [f"foreign key of {row[0]}" for row in connection.execute(text("PRAGMA foreign_key_check"))]
    return tuple(found)
