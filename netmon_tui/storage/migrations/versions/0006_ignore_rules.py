"""Rules for what comparisons leave out"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "ignore_rules",
        sa.Column("id", number, nullable=False),
        sa.Column("owner_id", number, nullable=False),
        sa.Column("everybody", sa.Boolean(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("unanswered", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_ignore_rules_owner_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ignore_rules")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_ignore_rules_owner_id"), "ignore_rules", ["owner_id"])
    op.create_table(
        "ignore_rules_off",
        sa.Column("owner_id", number, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_ignore_rules_off_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "name", name=op.f("pk_ignore_rules_off")),
    )
