"""Scans that wait for their turn, and hosts that were given up"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scans", sa.Column("claimed", sa.Float(), nullable=True))
    op.add_column("scans", sa.Column("detached", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("scans", sa.Column("staged", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("scans", sa.Column("skipped", sa.Text(), nullable=False, server_default="[]"))
