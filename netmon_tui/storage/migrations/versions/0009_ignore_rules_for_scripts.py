"""Ignore rules about what a script says"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ignore_rules", sa.Column("script", sa.Text(), nullable=False, server_default=""))
