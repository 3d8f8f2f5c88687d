"""A logged-in application on a fresh data directory, and waiting for facts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from argon2 import PasswordHasher, profiles
from textual.app import ScreenStackError
from textual.css.query import QueryError
from textual.pilot import Pilot

from netmon_tui.app import NetmonApp
from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import Settings, load_settings
from netmon_tui.domain.user import Role
from netmon_tui.security.passwords import Passwords
from netmon_tui.services.accounts import AccountService

ADMIN, PASSWORD = "ada", "walnut-koala-lantern"
LoggedIn = Callable[..., AbstractAsyncContextManager[tuple[NetmonApp, Pilot[int]]]]


async def until(pilot: Pilot[Any], fact: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait until ``fact()`` is true and return it; what it raises meanwhile counts as not yet."""
    end = time.monotonic() + seconds
    while True:
        await pilot.pause(0.02)
        try:
            if is_built(pilot.app) and (found := fact()):
                return found
        except (QueryError, LookupError, AttributeError) as error:
            said: object = error
        else:
            said = ""
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s {said}\n{screen_text(pilot.app)}")


def is_built(app: Any) -> bool:
    """Whether the screen has its parts, so that the next line finds them: it is shown before it has any."""
    try:
        return bool(app.screen.is_mounted)
    except ScreenStackError:
        return True  # the application has ended


def screen_text(app: Any) -> str:
    """What is on the screen, line by line."""
    return "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())


async def accounts_of(app: NetmonApp) -> AccountService:
    """The accounts of an application, with hashes that cost nothing."""
    accounts: AccountService = (await app.open_services()).accounts
    accounts._passwords = accounts._hashing._passwords = Passwords(
        PasswordHasher.from_parameters(profiles.CHEAPEST)
    )
    return accounts


async def _create_admin(data_dir: Path) -> None:
    """Make ``ada`` in a store before an application looks at it: which form its login shows depends on that."""
    app = NetmonApp(load_settings(environ={}), find_paths(data_dir=data_dir))
    accounts = await accounts_of(app)
    if await accounts.needs_first_user():
        await accounts.create_first_admin(ADMIN, PASSWORD)
    assert app.services is not None
    await app.services.close()


@asynccontextmanager
async def _at_login(
    data_dir: Path,
    size: tuple[int, int] = (80, 24),
    *,
    first_run: bool = False,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[tuple[NetmonApp, Pilot[int]]]:
    if not first_run:
        await _create_admin(data_dir)
    app = NetmonApp(load_settings(environ=environ), find_paths(data_dir=data_dir))
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await accounts_of(app)
        await until(pilot, lambda: app.screen.query_one("#login-box"))
        yield app, pilot


@asynccontextmanager
async def _logged_in(
    data_dir: Path,
    size: tuple[int, int] = (120, 40),
    role: str = "admin",
    settings: Settings | None = None,
) -> AsyncIterator[tuple[NetmonApp, Pilot[int]]]:
    await _create_admin(data_dir)
    app = NetmonApp(settings or load_settings(environ={}), find_paths(data_dir=data_dir))
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        accounts = await accounts_of(app)
        actor = await accounts.login(ADMIN, PASSWORD)
        if role != "admin":
            name = f"{role}-{len(await accounts.list_users(actor))}"
            await accounts.add_user(actor, name, PASSWORD, role=Role(role))
            actor = await accounts.login(name, PASSWORD)
        app.enter(actor)
        await until(pilot, lambda: app.screen.id == "main" and app.screen.pane() is not None)
        yield app, pilot


@pytest.fixture(autouse=True)
def toasts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the application told until a test has looked: it goes after 5 s, however slow the machine is."""
    monkeypatch.setattr(NetmonApp, "NOTIFICATION_TIMEOUT", 120.0)


@pytest.fixture
def logged_in(tmp_path: Path) -> LoggedIn:
    """``async with logged_in(size=(80, 24)) as (app, pilot)``: the frame, on its first tab, as an administrator."""
    return partial(_logged_in, tmp_path / "data")


@pytest.fixture
def at_login(tmp_path: Path) -> LoggedIn:
    """``async with at_login() as (app, pilot)``: before the login; ``ada`` exists unless ``first_run=True``."""
    return partial(_at_login, tmp_path / "data")


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Awaitable[Any]]:
    """``await until(pilot, lambda: ...)``."""
    return until


@pytest.fixture(name="screen_text")
def screen_text_fixture() -> Callable[[Any], str]:
    """``screen_text(app)``."""
    return screen_text


@pytest.fixture(name="last_line_tells")
def last_line_tells_fixture() -> Callable[..., bool]:
    """Whether the last line of what an app shows has all of some words."""
    return lambda app, *words: all(word in screen_text(app).splitlines()[-1] for word in words)
