"""A number that changes when the database does, whoever changed it."""

from __future__ import annotations

import threading

from sqlalchemy import Connection

from netmon_tui.storage.database import Database, translated


class RevisionWatch:
    """Watches a SQLite database through a connection of its own (blocking, 20 microseconds a look).

    SQLite's ``data_version`` tells a connection that some other connection has committed since it last looked,
    also from another process. Other databases have no such thing: every look says that something changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._looks = 0

    def current(self) -> int:
        """Return the number."""
        with self._lock:
            if self._database.path is None:
                self._looks += 1
                return self._looks
            with translated(self._database.path):
                if self._connection is None:
                    self._connection = self._database.connect()
                # Each look ends its read transaction, or it would see one version for ever.
                number = int(self._connection.exec_driver_sql("PRAGMA data_version").scalar_one())
                self._connection.rollback()
                return number

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
