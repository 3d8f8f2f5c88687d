"""The tables, in portable SQL.

Plain tables and not mapped classes: results go in as tuples, and the mapper would only cost start-up time.

Results of a scan are keyed by (scan, ordinal of the host in nmap's document), so that rows are written
without asking the database for ids, and a document that is read twice gives the same keys. Hosts known only
from live output have negative ordinals until their element arrives.

Ids with ``sqlite_autoincrement`` are never used twice: the audit trail and job directories speak of them later.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from netmon_tui.storage.capture_records import capture_parents, capture_tags
from netmon_tui.storage.column_types import JsonText, Moment
from netmon_tui.storage.host_records import (
    ID,
    addresses,
    extraports,
    hops,
    hosts,
    metadata,
    os_fingerprints,
    os_matches,
    os_ports,
    port_details,
    port_lists,
    ports,
    scripts,
    sequences,
)
from netmon_tui.storage.ignore_records import ignore_rules, ignore_rules_off
from netmon_tui.storage.named_records import (
    capture_filters,
    display_filters,
    packet_columns,
    port_sets,
    profiles,
    recent_capture_filters,
    recent_display_filters,
    schedules,
    searches,
    target_sets,
)
from netmon_tui.storage.neighbour_edit_records import neighbour_edits
from netmon_tui.storage.neighbour_records import (
    neighbour_devices,
    neighbour_events,
    neighbour_history,
    neighbour_mutes,
    neighbour_presence,
    neighbours,
)

users = Table(
    "users",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(32), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("email", String(320), nullable=False, default=""),
    Column("created", Moment, nullable=False),
    Column("last_login", Moment),
    Column("failures", Integer, nullable=False, default=0),
    Column("failed_at", Moment),
    Column("locked_until", Moment),
    Column("never_scan", Text, nullable=False, default="", server_default=""),
    Column("maximum_rate", Integer, nullable=False, default=0, server_default="0"),
    UniqueConstraint("name"),
    sqlite_autoincrement=True,
)

login_sessions = Table(
    "login_sessions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("created", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    UniqueConstraint("token_hash"),
)

scans = Table(
    "scans",
    metadata,
    Column("id", ID, primary_key=True),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("targets", JsonText, nullable=False),
    Column("profile", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("command", JsonText, nullable=False),
    Column("state", String(16), nullable=False),
    Column("directory", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("started", Moment),
    Column("finished", Moment),
    Column("percent", Float, nullable=False, default=0.0),
    Column("phase", Text, nullable=False, default=""),
    Column("remaining", Float),
    Column("hosts_up", Integer, nullable=False, default=0),
    Column("hosts_down", Integer, nullable=False, default=0),
    Column("hosts_total", Integer, nullable=False, default=0),
    Column("ports_open", Integer, nullable=False, default=0),
    Column("hosts_stored", Integer, nullable=False, default=0),
    Column("scaninfo", JsonText, nullable=False, default=list),
    Column("nmap_version", Text, nullable=False, default=""),
    Column("warnings", JsonText, nullable=False, default=list),
    Column("error", Text, nullable=False, default=""),
    Column("imported", Boolean, nullable=False, default=False),
    Column("pinned", Boolean, nullable=False, default=False, server_default=false()),
    Column("compared_with", ID),
    Column("changes", JsonText),
    Column("claimed", Moment),
    Column("detached", Boolean, nullable=False, default=True, server_default=true()),
    Column("staged", Boolean, nullable=False, default=True, server_default=true()),
    Column("skipped", JsonText, nullable=False, default=list, server_default="[]"),
    Column("document_sha256", String(64), nullable=False, default="", server_default=""),
    Column("sets", JsonText, nullable=False, default=list, server_default="[]"),
    Index(None, "owner_id"),
    sqlite_autoincrement=True,
)
"""``changes`` are the lines (added, removed, changed) since the scan ``compared_with``; NULL without one.
``document_sha256`` is of the document, unpacked: the same file comes in once."""


run_scripts = Table(
    "run_scripts",
    metadata,
    Column("scan_id", ID, ForeignKey("scans.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("stage", String(4), nullable=False),
    Column("script", Text, nullable=False),
    Column("output", Text, nullable=False),
    Column("data", JsonText),
    PrimaryKeyConstraint("scan_id", "position"),
)
"""Scripts that ran before (``pre``) or after (``post``) all hosts."""

scan_runs = Table(
    "scan_runs",
    metadata,
    Column("scan_id", ID, ForeignKey("scans.id", ondelete="CASCADE"), nullable=False),
    Column("scanner", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("verbosity", BigInteger, nullable=False),
    Column("debugging", BigInteger, nullable=False),
    Column("elapsed", Float),
    Column("summary", Text, nullable=False),
    Column("exit", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("output", Text, nullable=False),
    PrimaryKeyConstraint("scan_id"),
)
"""What a scan's document says of the run itself."""

scan_phases = Table(
    "scan_phases",
    metadata,
    Column("scan_id", ID, ForeignKey("scans.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("task", Text, nullable=False),
    Column("extrainfo", Text, nullable=False),
    Column("began", Float),
    Column("ended", Float),
    PrimaryKeyConstraint("scan_id", "position"),
)

skipped_targets = Table(
    "skipped_targets",
    metadata,
    Column("scan_id", ID, ForeignKey("scans.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("specification", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("scan_id", "position"),
)

captures = Table(
    "captures",
    metadata,
    Column("id", ID, primary_key=True),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("interface", Text, nullable=False),
    Column("filter", Text, nullable=False),
    Column("snaplen", Integer, nullable=False),
    Column("linktype", Text, nullable=False, default=""),
    Column("state", String(16), nullable=False),
    Column("command", JsonText, nullable=False),
    Column("directory", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("started", Moment),
    Column("finished", Moment),
    Column("packets", BigInteger, nullable=False, default=0),
    Column("bytes", BigInteger, nullable=False, default=0),
    Column("received", BigInteger, nullable=False, default=0),
    Column("dropped", BigInteger, nullable=False, default=0),
    Column("captured", BigInteger, nullable=False, default=0),
    Column("protocols", JsonText, nullable=False, default=list),
    Column("first_packet", Moment),
    Column("last_packet", Moment),
    Column("end_reason", Text, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("origin", String(8), nullable=False, default="live", server_default="live"),
    Column("source", Text, nullable=False, default="", server_default=""),
    Column("source_sha256", String(64), nullable=False, default="", server_default=""),
    Column("note", Text, nullable=False, default="", server_default=""),
    Column("kept", Boolean, nullable=False, default=False, server_default=false()),
    Column("file_bytes", BigInteger, nullable=False, default=0, server_default="0"),
    Column("file_seconds", Float, nullable=False, default=0.0, server_default="0"),
    Column("ring_files", Integer, nullable=False, default=0, server_default="0"),
    Column("file_count", Integer, nullable=False, default=1, server_default="1"),
    Column("overwritten", BigInteger, nullable=False, default=0, server_default="0"),
    Column("request", JsonText),
    Index(None, "owner_id"),
    Index(None, "source_sha256"),
    sqlite_autoincrement=True,
)

capture_files = Table(
    "capture_files",
    metadata,
    Column("id", ID, primary_key=True),
    Column("capture_id", ID, ForeignKey("captures.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("packets", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("first_packet", Moment),
    Column("last_packet", Moment),
    UniqueConstraint("capture_id", "name"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("subject_id", ID, nullable=False),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("command", JsonText, nullable=False),
    Column("directory", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("started", Moment),
    Column("finished", Moment),
    Column("pid", Integer, nullable=False, default=0),
    Column("start_ticks", BigInteger, nullable=False, default=0),
    Column("boot_id", String(36), nullable=False, default=""),
    Column("lease_holder", String(64), nullable=False, default=""),
    Column("lease_expires", Moment),
    Column("error", Text, nullable=False, default=""),
    UniqueConstraint("kind", "subject_id"),
    Index(None, "state"),
    sqlite_autoincrement=True,
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", ID, primary_key=True),
    Column("time", Moment, nullable=False),
    Column("actor_id", ID),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""No foreign key to users: the trail outlives what it speaks of."""

tables: tuple[Table, ...] = tuple(metadata.sorted_tables)

__all__ = (
    "addresses",
    "audit_events",
    "capture_files",
    "capture_filters",
    "capture_parents",
    "capture_tags",
    "captures",
    "display_filters",
    "extraports",
    "hops",
    "hosts",
    "ignore_rules",
    "ignore_rules_off",
    "jobs",
    "login_sessions",
    "metadata",
    "neighbour_devices",
    "neighbour_edits",
    "neighbour_events",
    "neighbour_history",
    "neighbour_mutes",
    "neighbour_presence",
    "neighbours",
    "os_fingerprints",
    "os_matches",
    "os_ports",
    "packet_columns",
    "port_details",
    "port_lists",
    "port_sets",
    "ports",
    "profiles",
    "recent_capture_filters",
    "recent_display_filters",
    "run_scripts",
    "scan_phases",
    "scan_runs",
    "scans",
    "schedules",
    "scripts",
    "searches",
    "sequences",
    "skipped_targets",
    "tables",
    "target_sets",
    "users",
)
