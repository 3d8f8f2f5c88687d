"""Deleting what a scan found, in pieces: SQLite keeps every page that one statement changes until it ends."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from netmon_tui.storage import records

HOSTS_AT_ONCE = 1_000
"""Hosts that one statement deletes: 675,000 by one take 1 GB of memory."""


def delete_hosts(connection: Connection, scan_id: int) -> None:
    """Delete the hosts of a scan with all that belongs to them, within the caller's transaction."""
    hosts = records.hosts.c
    first = select(hosts.ordinal).where(hosts.scan_id == scan_id).order_by(hosts.ordinal).limit(HOSTS_AT_ONCE)
    some = delete(records.hosts).where(hosts.scan_id == scan_id, hosts.ordinal.in_(first))
    while connection.execute(some).rowcount:
        pass
