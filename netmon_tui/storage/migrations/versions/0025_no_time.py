"""Hosts of which nmap kept no time were stored as of 1970"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE hosts SET started = NULL WHERE started = 0")
    op.execute("UPDATE hosts SET finished = NULL WHERE finished = 0")
