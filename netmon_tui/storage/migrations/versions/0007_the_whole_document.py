"""Everything that a scan's document says, and which document it was"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scans", _text("document_sha256", sa.String(64)))
    for name in ("comment", "last_boot", "trace_protocol"):
        op.add_column("hosts", _text(name, sa.Text()))
    for name in ("smurf_responses", "trace_port"):
        op.add_column("hosts", sa.Column(name, sa.Integer()))
    for name in ("rtt_smoothed", "rtt_variance", "rtt_timeout"):
        op.add_column("hosts", sa.Column(name, sa.BigInteger()))
    op.add_column("extraports", sa.Column("places", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("os_matches", sa.Column("line", sa.Integer(), nullable=False, server_default="0"))
    _of_hosts()
    _of_scans()


def _of_hosts() -> None:
    port = (sa.Column("protocol", sa.String(4), nullable=False), _number("number"))
    _child_of_host(
        "port_details",
        *port,
        *_texts("reason_ip", "owner", "rpc"),
        *(sa.Column(name, sa.BigInteger()) for name in ("rpc_number", "rpc_lowest", "rpc_highest")),
        *_texts("fingerprint"),
        key=("protocol", "number"),
        long_rows=True,
    )
    state = (_number("position"), sa.Column("state", sa.String(16), nullable=False))
    port = (sa.Column("protocol", sa.String(4), nullable=False), _number("number"))
    _child_of_host("os_ports", *state, *port, key=("position",))
    _child_of_host(
        "os_fingerprints", _number("position"), *_texts("fingerprint"), key=("position",), long_rows=True
    )
    kind = sa.Column("kind", sa.String(5), nullable=False)
    index = sa.Column("tcp_index", sa.BigInteger())
    _child_of_host("sequences", kind, *_texts("grade", "samples"), index, key=("kind",))


def _of_scans() -> None:
    digest = sa.Column("digest", sa.String(16), nullable=False)
    _child_of_scan("port_lists", digest, *_texts("ports"), key=("digest",))
    _child_of_scan(
        "scan_runs",
        *_texts("scanner", "version", "arguments", "profile", "format"),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("verbosity", "debugging")),
        sa.Column("elapsed", sa.Float()),
        *_texts("summary", "exit", "error", "output"),
        key=(),
    )
    times = (sa.Column(name, sa.Float()) for name in ("began", "ended"))
    _child_of_scan(
        "scan_phases", _number("position"), *_texts("task", "extrainfo"), *times, key=("position",)
    )
    told = _texts("specification", "status", "reason")
    _child_of_scan("skipped_targets", _number("position"), *told, key=("position",))


def _text(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default="")


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _scan_id() -> sa.Column[Any]:
    return sa.Column("scan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _child_of_host(
    name: str, *columns: sa.Column[Any], key: tuple[str, ...], long_rows: bool = False
) -> None:
    op.create_table(
        name,
        _scan_id(),
        _number("ordinal"),
        *columns,
        sa.ForeignKeyConstraint(
            ["scan_id", "ordinal"],
            ["hosts.scan_id", "hosts.ordinal"],
            name=op.f(f"fk_{name}_scan_id_ordinal_hosts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("scan_id", "ordinal", *key, name=op.f(f"pk_{name}")),
        sqlite_with_rowid=long_rows,
    )


def _child_of_scan(name: str, *columns: sa.Column[Any], key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        _scan_id(),
        *columns,
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scans.id"], name=op.f(f"fk_{name}_scan_id_scans"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scan_id", *key, name=op.f(f"pk_{name}")),
    )
