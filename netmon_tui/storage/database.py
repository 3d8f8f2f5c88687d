"""The engine: connections, the one writer, migrations and the words for what goes wrong.

SQLite is opened with the busy timeout first (switching to WAL can itself be busy), WAL, foreign keys and
``synchronous=NORMAL``. Reads run in short deferred transactions on any thread. Writes are units of work that
one thread carries out: those that wait together share one ``BEGIN IMMEDIATE`` transaction, each inside its
own savepoint, and a unit is acknowledged only when it is on disk.
"""

from __future__ import annotations

import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from shutil import disk_usage
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, Table, TextClause, create_engine, event, insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from netmon_tui.errors import (
    DatabaseDamaged,
    DatabaseLocked,
    DiskFull,
    NetmonError,
    StorageError,
)
from netmon_tui.storage.reserve import JOURNAL_PAGES, Reserve

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Work = Callable[[Connection], T]
"""A unit of work: runs inside the writer's transaction and returns plain values. On a full disk it may run again,
after what it did was rolled back."""


class _Attempt(Protocol[T_co]):
    """What may be done again: sparing, when the disk is full."""

    def __call__(self, *, sparing: bool) -> T_co:
        """Do it."""


_Queue = queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None]
"""Units of work with what becomes of them; None after the last."""
BUSY_TIMEOUT_MS = 5_000
_log = logging.getLogger(__name__)
_BATCH = 64
"""Units that share one transaction at most, so that no unit waits long for its commit."""
_SPARING_PAGES = 8
"""By so many the database may grow on a full disk, in all: what deletes fits, what comes in does not."""


class Database:
    """A database and its one writer.

    Args:
        url: SQLAlchemy URL. For ``sqlite:///PATH`` the file is made with mode 0600.
        busy_timeout_ms: How long to wait for another program's lock.
        unneeded, results: As for :class:`Reserve`.
    """

    def __init__(
        self,
        url: str,
        *,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        unneeded: Sequence[Path] = (),
        results: Path | None = None,
    ) -> None:
        self.url = make_url(url)
        is_file = self.url.get_backend_name() == "sqlite" and self.url.database
        self.path = Path(self.url.database or "") if is_file else None
        """The SQLite file; None for another kind of database."""
        self._busy_timeout_ms = busy_timeout_ms
        self.engine = self._create_engine()
        self._queue = _Queue()
        """What the writer is to do, to the end of its days: another writer has another one."""
        self._writer: threading.Thread | None = None
        self._reserve = Reserve(self.path, unneeded, results) if self.path else None
        self._sets_aside = False
        """Whether the file is known to be a database of ours."""
        self._full_at: int | None = None
        """Pages that it had when the disk became full."""
        self._lock = threading.Lock()

    def _create_engine(self) -> Engine:
        # The connection that was used last knows most pages of the file, and most statements.
        engine = create_engine(self.url, **({"pool_use_lifo": True} if self.path else {}))
        if self.url.get_backend_name() == "sqlite":
            event.listen(engine, "connect", self._configure_sqlite)
            event.listen(engine, "begin", _begin)
        return engine

    def _configure_sqlite(self, connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions are begun by _begin, not by the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={self._busy_timeout_ms:d}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute(f"PRAGMA wal_autocheckpoint={JOURNAL_PAGES:d}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    def create_file(self) -> bool:
        """Make the SQLite file with mode 0600 (its -wal and -shm inherit that). Whether it was new."""
        path = self.path
        if path is None:
            return False
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        except FileExistsError:
            return False
        except OSError as error:
            raise StorageError(
                f"cannot create the database {path}",
                why=error.strerror or str(error),
                fix="choose another place with --data-dir",
            ) from error
        return True

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection in a read transaction."""
        with self.connect() as connection, translated(self.path):
            yield connection

    def connect(self) -> Connection:
        """Return a connection; on a full disk the reserve gives the room for SQLite's index of its journal."""
        return self._with_room(lambda *, sparing: self._connect())

    def _connect(self) -> Connection:
        with translated(self.path):
            return self.engine.connect()

    def _with_room(self, attempt: _Attempt[T]) -> T:
        """Return what an attempt does; on a full disk give the reserve up for it, and let it be sparing."""
        reserve = self._reserve
        try:
            return attempt(sparing=False)
        except DiskFull as error:
            if reserve is None:
                raise
            first = error
        _log.warning("the disk of %s is full: the reserve is given up", self.path)
        try:
            for is_journal_too_long in (False, True):
                reserve.give_up()  # what one program gives up another may take, or set aside again
                if is_journal_too_long:
                    self._merge_journal()
                with suppress(DiskFull):
                    return attempt(sparing=True)
        finally:
            reserve.set_aside(all_there_is=True)  # before anything else takes what is left of it
        by_hand = reserve.removable_by_hand()
        raise DiskFull(
            first.what, why=first.why, fix="; ".join(filter(None, (first.fix, by_hand)))
        ) from first

    def _merge_journal(self) -> None:
        """Let the journal begin anew, unless others read what is before it."""
        with suppress(SQLAlchemyError, sqlite3.Error), self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA busy_timeout=0")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                cursor.execute(f"PRAGMA busy_timeout={self._busy_timeout_ms:d}")
                cursor.close()

    def set_aside(self) -> None:
        """Make the reserve for a full disk, unless it is there or there is no room."""
        self._sets_aside = True
        if self._reserve is not None and self._reserve.set_aside():
            self._full_at = None

    def write(self, work: Work[T]) -> T:
        """Carry out a unit of work in the writer's next transaction; return its result once committed."""
        return self.submit(work).result()

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue a unit of work; the future is done when it is committed."""
        future: Future[T] = Future()
        with self._lock:
            if self._writer is None:
                self._queue = _Queue()
                self._writer = threading.Thread(
                    target=self._run_writer, args=(self._queue,), name="database-writer", daemon=True
                )
                self._writer.start()
            self._queue.put((work, future))
        return future

    def close(self) -> None:
        """Finish what is queued and release the file."""
        with self._lock:
            writer, self._writer = self._writer, None
            if writer is not None:
                self._queue.put(None)
        if writer is not None:
            writer.join()
        self.engine.dispose()
        if self._sets_aside:
            self.set_aside()

    def _run_writer(self, units: _Queue) -> None:
        while (item := units.get()) is not None:
            batch = [item]
            stop = False
            while len(batch) < _BATCH and not units.empty():
                following = units.get()
                if following is None:
                    stop = True
                    break
                batch.append(following)
            self._carry_out(batch)
            if stop:
                return

    def _carry_out(self, batch: Sequence[tuple[Work[Any], Future[Any]]]) -> None:
        """Run a batch in one transaction; on a full disk each unit in its own, as small ones may fit."""
        if not self._acknowledge(batch, lambda: self._commit(batch)):
            for one in batch:
                self._acknowledge([one], partial(self._with_room, partial(self._commit, [one])), last=True)

    def _acknowledge(
        self,
        batch: Sequence[tuple[Work[Any], Future[Any]]],
        commit: Callable[[], list[tuple[Future[Any], Any]]],
        *,
        last: bool = False,
    ) -> bool:
        """Hand out what units gave, once it is committed; False for nothing yet: the disk is full."""
        try:
            done = commit()
        except (NetmonError, SQLAlchemyError) as error:  # a writer that ended would keep everybody waiting
            if isinstance(error, DiskFull) and not last:
                return False
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return True
        for future, result in done:
            future.set_result(result)
        self.set_aside()
        return True

    def _commit(
        self, batch: Sequence[tuple[Work[Any], Future[Any]]], *, sparing: bool = False
    ) -> list[tuple[Future[Any], Any]]:
        """Return what the units of a batch gave that have not failed yet, all committed."""
        done: list[tuple[Future[Any], Any]] = []
        with (
            translated(self.path),
            self.engine.connect().execution_options(netmon_write=True) as connection,
            connection.begin(),
            self._little_growth(connection) if sparing else nullcontext(),
        ):
            for work, future in batch:
                if not future.done():
                    self._carry_out_one(connection, work, future, done)
        return done

    @contextmanager
    def _little_growth(self, connection: Connection) -> Iterator[None]:
        """Let a SQLite database grow by a few pages only: nobody shall fill the disk with the reserve."""
        raw: Any = connection.connection.driver_connection
        ((pages,), (most,)) = (
            raw.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "max_page_count")
        )
        if self._full_at is None:
            self._full_at = pages
        raw.execute(f"PRAGMA max_page_count={max(pages, self._full_at + _SPARING_PAGES):d}")
        try:
            yield
        finally:
            raw.execute(f"PRAGMA max_page_count={most:d}")

    def _carry_out_one(
        self,
        connection: Connection,
        work: Work[Any],
        future: Future[Any],
        done: list[tuple[Future[Any], Any]],
    ) -> None:
        """Run one unit in its savepoint: its failure is its own, a failing database is everybody's."""
        savepoint = connection.begin_nested()
        try:
            result = work(connection)
            savepoint.commit()
        except DBAPIError as error:
            problem = explain(error, self.path)
            if isinstance(problem, DatabaseDamaged | DatabaseLocked | DiskFull):
                raise problem from error  # SQLite has already rolled the whole transaction back
            savepoint.rollback()
            future.set_exception(problem)
        except Exception as error:  # noqa: BLE001 - the unit's own error belongs to whoever submitted it
            savepoint.rollback()
            future.set_exception(error)
        else:
            done.append((future, result))


def _begin(connection: Connection) -> None:
    """Begin for SQLite: a write locks at once, or a read-then-write would fail with BUSY_SNAPSHOT."""
    write = connection.get_execution_options().get("netmon_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def bulk_insert(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert complete rows (every column, in the table's order) at nearly the driver's own speed.

    Values must already be what the database keeps: POSIX seconds, JSON text. SQLite's driver takes them as they
    are; for any other database SQLAlchemy translates the parameters.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insert_text(connection, table), list(rows))
    else:
        connection.execute(
            portable_insert(table), [dict(zip(table.c.keys(), row, strict=True)) for row in rows]
        )


def portable_insert(table: Table) -> TextClause:
    """Return an insert of complete rows with named parameters, past the tables' own types."""
    names = table.c.keys()
    columns, values = ", ".join(names), ", ".join(f":{name}" for name in names)
    return text(f"INSERT INTO {table.name} ({columns}) VALUES ({values})")  # noqa: S608 - names of our own


_insert_texts: dict[tuple[str, str], str] = {}


def _insert_text(connection: Connection, table: Table) -> str:
    key = (connection.dialect.name, table.name)
    if key not in _insert_texts:
        _insert_texts[key] = str(insert(table).compile(dialect=connection.dialect))
    return _insert_texts[key]


@contextmanager
def translated(path: Path | None) -> Iterator[None]:
    """Turn the driver's errors into ours, with what to do about them."""
    try:
        yield
    except DBAPIError as error:
        raise explain(error, path) from error


def _has_no_room(error: DBAPIError, path: Path | None) -> bool:
    """Whether SQLite could not make or extend the files beside its own, which it calls an error of the disk."""
    if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_IOERR_SHMSIZE":
        return True
    return "disk I/O error" in str(error.orig) and path is not None and not disk_usage(path.parent).free


def explain(error: DBAPIError, path: Path | None) -> StorageError:
    """Return the error of ours that says what the driver's error means."""
    words = str(error.orig)
    place = f"the database {path}" if path else "the database"
    if "locked" in words or "busy" in words:
        return DatabaseLocked(f"{place} is locked", why=words, fix="another program holds it; try again")
    if "disk is full" in words or "No space left" in words or _has_no_room(error, path):
        return DiskFull(f"no space left for {place}", fix="free some space; nothing was changed")
    if "not a database" in words or "malformed" in words:
        return DatabaseDamaged(
            f"{place} is damaged",
            why=words,
            fix="restore a file from the backups folder beside it, or move it away",
        )
    if "readonly" in words:
        return StorageError(f"{place} cannot be written", why=words, fix="check owner, mode and file system")
    if "unable to open" in words:
        return StorageError(
            f"{place} cannot be opened", why=words, fix="check owner and mode of its directory"
        )
    return StorageError(f"{place} refused an operation", why=words)
