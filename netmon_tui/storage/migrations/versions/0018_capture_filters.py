"""Capture filters that users keep, and those that they captured with last"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "capture_filters",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_capture_filters_owner_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capture_filters")),
        sa.UniqueConstraint("owner_id", "name_key", name=op.f("uq_capture_filters_owner_id_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "recent_capture_filters",
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("used", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_recent_capture_filters_owner_id_users")
        ),
        sa.PrimaryKeyConstraint("owner_id", "query", name=op.f("pk_recent_capture_filters")),
    )
