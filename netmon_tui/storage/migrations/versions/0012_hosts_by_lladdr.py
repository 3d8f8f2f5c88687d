"""Hosts by lladdr, and remembered neighbours by address"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    seen = sa.text("lladdr != ''")
    op.create_index("ix_hosts_lladdr", "hosts", ["lladdr"], sqlite_where=seen, postgresql_where=seen)
    op.create_index("ix_neighbour_history_address", "neighbour_history", ["address"])
