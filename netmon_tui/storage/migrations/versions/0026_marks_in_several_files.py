"""Packets that users have marked: the file of the capture that each is in"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # names of indexes are the schema's there, not the table's
        op.execute("ALTER INDEX pk_packet_marks RENAME TO pk_packet_marks_of_one_file")
    op.rename_table("packet_marks", "packet_marks_of_one_file")
    op.create_table(
        "packet_marks",
        sa.Column("capture_id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["capture_id"],
            ["captures.id"],
            name=op.f("fk_packet_marks_capture_id_captures"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_packet_marks_owner_id_users")),
        sa.PrimaryKeyConstraint("capture_id", "owner_id", "file", "number", name=op.f("pk_packet_marks")),
    )
    op.execute(
        "INSERT INTO packet_marks (capture_id, owner_id, file, number, comment)"
        " SELECT capture_id, owner_id, 1, number, comment FROM packet_marks_of_one_file"
    )
    op.drop_table("packet_marks_of_one_file")
