"""The columns of packet lists that each user has chosen"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "packet_columns",
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("by_tshark", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_packet_columns_owner_id_users")),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_packet_columns")),
    )
