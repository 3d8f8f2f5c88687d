"""Events that nobody has acknowledged, by time"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = ["acknowledged", "muted", "last"]
    op.create_index("ix_neighbour_events_open_last", "neighbour_events", columns)
