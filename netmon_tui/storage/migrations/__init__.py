"""Alembic migrations, run by :mod:`netmon_tui.storage.database`."""
