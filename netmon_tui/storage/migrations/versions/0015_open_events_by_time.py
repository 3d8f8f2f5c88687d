"""Events that nobody has acknowledged, by time"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = ["acknowledged", "muted", "last"]
    op.create_index("ix_neighbour_events_open_last", "neighbour_events", columns)
