"""Sets of targets and ports, and what a user may never scan"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name in ("target_sets", "port_sets"):
        op.create_table(
            name,
            sa.Column("id", ID, nullable=False),
            sa.Column("owner_id", ID, nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("name_key", sa.Text(), nullable=False),
            sa.Column("content", sa.Text(), nullable=False),
            sa.Column("description", sa.Text(), nullable=False),
            sa.Column("shared", sa.Boolean(), nullable=False),
            sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f(f"fk_{name}_owner_id_users")),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
            sa.UniqueConstraint("owner_id", "name_key", name=op.f(f"uq_{name}_owner_id_name_key")),
            sqlite_autoincrement=True,
        )
    op.add_column("scans", sa.Column("sets", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("users", sa.Column("never_scan", sa.Text(), nullable=False, server_default=""))
    op.add_column("users", sa.Column("maximum_rate", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("schedules", sa.Column("staged", sa.Boolean(), nullable=False, server_default=sa.true()))
