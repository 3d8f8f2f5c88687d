"""A number that rises with every change of what is remembered of a neighbour"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("neighbours", sa.Column("revision", ID, nullable=False, server_default="0"))
    op.create_index("ix_neighbours_revision", "neighbours", ["revision"])
