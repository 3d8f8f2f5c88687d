"""An index that holds all that the list of devices is made of"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_neighbour_history_lladdr", "neighbour_history")
    op.create_index("ix_neighbour_history_device", "neighbour_history", ["lladdr", "last_seen", "first_seen"])
