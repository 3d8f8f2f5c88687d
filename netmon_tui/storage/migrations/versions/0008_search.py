"""Indexes for searches over all scans, and saved searches"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_ports_number_state_scan_id"), "ports", ["number", "state", "scan_id"])
    op.create_index(op.f("ix_ports_service_scan_id"), "ports", ["service", "scan_id"])
    op.create_index(op.f("ix_hosts_scan_id_address_key"), "hosts", ["scan_id", "address_key"])
    op.create_table(
        "searches",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_searches_owner_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
        sa.UniqueConstraint("owner_id", "name_key", name=op.f("uq_searches_owner_id_name_key")),
        sqlite_autoincrement=True,
    )
