"""The tables of what a scan found, and what all tables share; the others are in :mod:`records`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from netmon_tui.storage.column_types import JsonText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only for a column declared INTEGER."""

hosts = Table(
    "hosts",
    metadata,
    Column("scan_id", ID, ForeignKey("scans.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("address_key", LargeBinary(33), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("reason_ttl", Integer, nullable=False),
    Column("lladdr", String(17), nullable=False),
    Column("vendor", Text, nullable=False),
    Column("hostnames", JsonText, nullable=False),
    Column("os_name", Text, nullable=False),
    Column("open_ports", Integer, nullable=False),
    Column("distance", Integer),
    Column("uptime", Integer),
    Column("started", Float),
    Column("finished", Float),
    Column("timed_out", Boolean, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
    Column("last_boot", Text, nullable=False, server_default=""),
    Column("trace_protocol", Text, nullable=False, server_default=""),
    Column("smurf_responses", Integer),
    Column("trace_port", Integer),
    Column("rtt_smoothed", BigInteger),
    Column("rtt_variance", BigInteger),
    Column("rtt_timeout", BigInteger),
    PrimaryKeyConstraint("scan_id", "ordinal"),
    Index(None, "address_key"),
    Index(None, "scan_id", "address_key"),
    Index(None, "lladdr", sqlite_where=text("lladdr != ''"), postgresql_where=text("lladdr != ''")),
    sqlite_with_rowid=False,
)


def _host_child(name: str, *columns: Any, key: tuple[str, ...], long_rows: bool = False) -> Table:
    """Return a table of rows that belong to a host and go with it.

    Short rows are kept in the key's own tree; SQLite advises against that for rows of kilobytes.
    """
    return Table(
        name,
        metadata,
        Column("scan_id", ID, nullable=False),
        Column("ordinal", Integer, nullable=False),
        *columns,
        PrimaryKeyConstraint("scan_id", "ordinal", *key),
        ForeignKeyConstraint(["scan_id", "ordinal"], ["hosts.scan_id", "hosts.ordinal"], ondelete="CASCADE"),
        sqlite_with_rowid=long_rows,
    )


addresses = _host_child(
    "addresses",
    Column("address", Text, nullable=False),
    Column("kind", String(4), nullable=False),
    Column("vendor", Text, nullable=False),
    key=("address",),
)

ports = _host_child(
    "ports",
    Column("protocol", String(4), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("reason_ttl", Integer, nullable=False),
    Column("service", Text),
    Column("product", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("extrainfo", Text, nullable=False),
    Column("tunnel", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("confidence", Integer, nullable=False),
    Column("cpe", JsonText, nullable=False),
    Column("hostname", Text, nullable=False),
    Column("ostype", Text, nullable=False),
    Column("devicetype", Text, nullable=False),
    Index(None, "number", "state", "scan_id"),
    Index(None, "service", "scan_id"),
    key=("protocol", "number"),
)

extraports = _host_child(
    "extraports",
    Column("position", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("reasons", JsonText, nullable=False),
    Column("places", JsonText, nullable=False, server_default="[]"),
    key=("position",),
)
"""``places`` are (protocol, digest in ``port_lists``), one for each reason."""

port_lists = Table(
    "port_lists",
    metadata,
    Column("scan_id", ID, ForeignKey("scans.id", ondelete="CASCADE"), nullable=False),
    Column("digest", String(16), nullable=False),
    Column("ports", Text, nullable=False),
    PrimaryKeyConstraint("scan_id", "digest"),
)
"""Texts such as ``1-21,23``, kilobytes long and mostly the same for all hosts of a scan: kept once."""

port_details = _host_child(
    "port_details",
    Column("protocol", String(4), nullable=False),
    Column("number", Integer, nullable=False),
    Column("reason_ip", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("rpc", Text, nullable=False),
    Column("rpc_number", BigInteger),
    Column("rpc_lowest", BigInteger),
    Column("rpc_highest", BigInteger),
    Column("fingerprint", Text, nullable=False),
    key=("protocol", "number"),
    long_rows=True,
)
"""What few ports have, away from the million rows of those that have not."""

os_matches = _host_child(
    "os_matches",
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("accuracy", Integer, nullable=False),
    Column("cpe", JsonText, nullable=False),
    Column("classes", JsonText, nullable=False),
    Column("line", Integer, nullable=False, server_default="0"),
    key=("position",),
)

os_ports = _host_child(
    "os_ports",
    Column("position", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("protocol", String(4), nullable=False),
    Column("number", Integer, nullable=False),
    key=("position",),
)

os_fingerprints = _host_child(
    "os_fingerprints",
    Column("position", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    key=("position",),
    long_rows=True,
)

sequences = _host_child(
    "sequences",
    Column("kind", String(5), nullable=False),
    Column("grade", Text, nullable=False),
    Column("samples", Text, nullable=False),
    Column("tcp_index", BigInteger),
    key=("kind",),
)

hops = _host_child(
    "hops",
    Column("position", Integer, nullable=False),
    Column("ttl", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("hostname", Text, nullable=False),
    Column("rtt", Float),
    key=("position",),
)

scripts = _host_child(
    "scripts",
    Column("protocol", String(4), nullable=False),
    Column("number", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("script", Text, nullable=False),
    Column("output", Text, nullable=False),
    Column("data", JsonText),
    key=("protocol", "number", "position"),
    long_rows=True,
)
"""Port scripts by (protocol, number); host scripts have an empty protocol and the number -1."""
