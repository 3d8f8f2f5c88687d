"""Captures: lineage, notes, tags and the mark that keeps one"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name, kind, default in (
        ("origin", sa.String(8), "live"),
        ("source", sa.Text(), ""),
        ("source_sha256", sa.String(64), ""),
        ("note", sa.Text(), ""),
        ("kept", sa.Boolean(), sa.false()),
    ):
        op.add_column("captures", sa.Column(name, kind, nullable=False, server_default=default))
    op.create_index("ix_captures_source_sha256", "captures", ["source_sha256"])
    op.create_table(
        "capture_tags",
        sa.Column("capture_id", ID, nullable=False),
        sa.Column("tag", sa.String(32), nullable=False),
        _of_a_capture("capture_tags"),
        sa.PrimaryKeyConstraint("capture_id", "tag", name=op.f("pk_capture_tags")),
    )
    op.create_index("ix_capture_tags_tag", "capture_tags", ["tag"])
    op.create_table(
        "capture_parents",
        sa.Column("capture_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parent_id", ID, nullable=False),
        _of_a_capture("capture_parents"),
        sa.PrimaryKeyConstraint("capture_id", "position", name=op.f("pk_capture_parents")),
    )


def _of_a_capture(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["capture_id"], ["captures.id"], name=op.f(f"fk_{table}_capture_id_captures"), ondelete="CASCADE"
    )
