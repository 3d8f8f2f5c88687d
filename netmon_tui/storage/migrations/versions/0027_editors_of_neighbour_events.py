"""Who made an event of the neighbour table happen by an edit: such a one alarms nobody"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("neighbour_events", sa.Column("editor", sa.Text(), nullable=False, server_default=""))
