"""Neighbours: presence, devices, events and mutes"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("neighbours", sa.Column("gone", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_neighbour_history_lladdr", "neighbour_history", ["lladdr"])
    _presence()
    _devices()
    _events()


def _presence() -> None:
    name = "neighbour_presence"
    op.create_table(
        name,
        sa.Column("id", ID, nullable=False),
        sa.Column("interface", sa.String(15), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("lladdr", sa.String(17), nullable=False),
        sa.Column("started", sa.Float(), nullable=False),
        sa.Column("ended", sa.Float(), nullable=False),
        sa.Column("ending", sa.String(8), nullable=False),
        sa.Column("open_mark", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint(
            "interface",
            "address",
            "lladdr",
            "open_mark",
            name=op.f(f"uq_{name}_interface_address_lladdr_open_mark"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(f"ix_{name}_lladdr_ended", name, ["lladdr", "ended"])
    op.create_index(f"ix_{name}_open_mark_ended", name, ["open_mark", "ended"])


def _devices() -> None:
    op.create_table(
        "neighbour_devices",
        sa.Column("lladdr", sa.String(17), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("must_be_up", sa.Boolean(), nullable=False),
        sa.Column("shares_addresses", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed", sa.Float(), nullable=False),
        sa.Column("down", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("lladdr", name=op.f("pk_neighbour_devices")),
    )


def _events() -> None:
    name = "neighbour_events"
    op.create_table(
        name,
        sa.Column("id", ID, nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("interface", sa.String(15), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("lladdr", sa.String(17), nullable=False),
        sa.Column("previous_lladdr", sa.String(17), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("acknowledged_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("acknowledged", sa.Float()),
        sa.Column("muted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sqlite_autoincrement=True,
    )
    for column in ("last", "address", "lladdr"):
        op.create_index(f"ix_{name}_{column}", name, [column])
    op.create_index(f"ix_{name}_open", name, ["acknowledged", "muted", "rank"])
    op.create_table(
        "neighbour_mutes",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("interface", sa.String(15), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("lladdr", sa.String(17), nullable=False),
        sa.Column("until", sa.Float()),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_neighbour_mutes")),
        sqlite_autoincrement=True,
    )
