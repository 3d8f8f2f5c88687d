"""What every test may use: the lab (see tests/lab/plugin.py), short names of tests, new databases quickly."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from netmon_tui.cli.main import main
from netmon_tui.config.logging import LOGGER_NAME
from netmon_tui.storage.database import Database
from netmon_tui.storage.schema_version import open_database

pytest_plugins = ["tests.lab.plugin"]

LONGEST_ID = 200
PASSWORD = "correct horse battery staple"
"""Of ada, wherever the command line is called."""
MIGRATED = Path(__file__).parent / "unit" / "storage"
"""What is tested here is how a database comes to its schema."""


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name ten million characters by their number: a name goes along with every report of its test."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        return f"{len(val)} {'bytes' if isinstance(val, bytes) else 'characters'}"
    return None


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database as the migrations make it."""
    folder = tmp_path_factory.mktemp("new")
    open_database(f"sqlite:///{folder}/new.db", backups=folder).close()
    return (folder / "new.db").read_bytes()


@pytest.fixture(scope="session")
def data_of_ada(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an administrator, ada, who is logged in; made once and copied."""
    directory = tmp_path_factory.mktemp("ada")
    file = directory / "password"
    file.write_text(PASSWORD + "\n")
    options = ["--data-dir", str(directory / "data"), "--user", "ada", "--password-file", str(file)]
    assert main([*options, "user", "add", "ada"]) == 0
    assert main([*options, "login"]) == 0
    return directory / "data"


@pytest.fixture(autouse=True)
def told_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test see what is logged, though another one before it has opened the application's log."""
    monkeypatch.setattr(logging.getLogger(LOGGER_NAME), "propagate", True)


@pytest.fixture(autouse=True)
def copied_databases(
    request: pytest.FixtureRequest, new_database: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let a database that this process creates begin as a copy: the migrations take most of a short test."""
    if MIGRATED in request.path.parents:
        return
    create_file = Database.create_file

    def create_copy(database: Database) -> bool:
        created = create_file(database)
        if created and database.path is not None:
            database.path.write_bytes(new_database)
        return created

    monkeypatch.setattr(Database, "create_file", create_copy)
