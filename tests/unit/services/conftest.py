"""A fresh store for the services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.user import Actor
from netmon_tui.services.container import open_services
from tests.unit.services.made_scans import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    settings, paths = load_settings(environ={}), find_paths(data_dir=tmp_path / "data")
    services = await asyncio.to_thread(open_services, settings, paths)
    user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
    yield Store(services, Actor(user.id, user.name, user.role))
    await services.close()
