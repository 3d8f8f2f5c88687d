"""Captures: what was asked for, so that it can be asked for again"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("captures", sa.Column("request", sa.Text(), nullable=True))
