"""Stores for the services: one of four users, copied, and a fresh one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.user import Actor, Role, UserState
from netmon_tui.services.container import open_services
from netmon_tui.storage.account_repository import AccountRepository, NewUser
from netmon_tui.storage.audit_repository import NewEvent
from tests.unit.services.made_scans import Store

USERS = {"ada": Role.ADMIN, "bo": Role.OPERATOR, "cy": Role.OPERATOR, "eve": Role.VIEWER}


@pytest.fixture(scope="session")
def data_of_four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an administrator, two operators and a viewer; made once and copied."""
    data = tmp_path_factory.mktemp("template") / "data"
    services = open_services(load_settings(environ={}), find_paths(data_dir=data), reading=False)
    accounts = AccountRepository(services.database)
    for name, role in USERS.items():
        user = NewUser(name, "no hash", role, UserState.ACTIVE, "", datetime.now(UTC))
        accounts.create(user, NewEvent("user.create"))
    asyncio.run(services.close())
    return data


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A fresh store with an administrator."""
    settings, paths = load_settings(environ={}), find_paths(data_dir=tmp_path / "data")
    services = await asyncio.to_thread(open_services, settings, paths)
    user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
    yield Store(services, Actor(user.id, user.name, user.role))
    await services.close()
