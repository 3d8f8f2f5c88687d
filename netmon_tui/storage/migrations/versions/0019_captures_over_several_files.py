"""Captures: over several files, each with the times of its packets"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind, default in (
        ("file_bytes", sa.BigInteger(), "0"),
        ("file_seconds", sa.Float(), "0"),
        ("ring_files", sa.Integer(), "0"),
        ("file_count", sa.Integer(), "1"),
        ("overwritten", sa.BigInteger(), "0"),
    ):
        op.add_column("captures", sa.Column(name, kind, nullable=False, server_default=default))
    for name in ("first_packet", "last_packet"):
        op.add_column("capture_files", sa.Column(name, sa.Float()))
