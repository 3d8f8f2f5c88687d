"""Deleting what a scan found, piece by piece: what one unit of work changes stays in memory until its end."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection, delete, select

from netmon_tui.errors import DiskFull
from netmon_tui.storage import records
from netmon_tui.storage.database import Database

HOSTS_AT_ONCE = 5_000
"""Hosts of one unit of work: 675,000 in one took 1 GB of memory, and kept all other writers waiting for 30 s."""
_FEWEST = 16
"""No less is tried on a full disk."""


def delete_hosts(database: Database, scan_id: int, *, from_ordinal: int | None = None) -> None:
    """Delete the hosts of a scan with all that belongs to them; when it is broken off, the last ones are left.

    Args:
        database: Where.
        scan_id: The scan.
        from_ordinal: The first one; None for all.
    """
    hosts = records.hosts.c
    of_scan = select(hosts.ordinal).where(hosts.scan_id == scan_id)
    if from_ordinal is not None:
        of_scan = of_scan.where(hosts.ordinal >= from_ordinal)

    def delete_some(connection: Connection, count: int) -> int:
        first = of_scan.order_by(hosts.ordinal).limit(count)
        query = delete(records.hosts).where(hosts.scan_id == scan_id, hosts.ordinal.in_(first))
        return connection.execute(query).rowcount

    count = HOSTS_AT_ONCE
    while True:
        try:
            deleted = database.write(partial(delete_some, count=count))
        except DiskFull:  # the journal takes every page that changes: fewer at once may fit
            if count < _FEWEST:
                raise
            count //= 8
        else:
            if deleted < count:
                return
