"""Alembic's environment: the connection is handed in, there is no ini file."""

from alembic import context
from sqlalchemy import Connection

from netmon_tui.storage.records import metadata

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
