"""What changed between scans"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scans", sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column(
        "scans",
        sa.Column("compared_with", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    op.add_column("scans", sa.Column("changes", sa.Text(), nullable=True))
