"""Taking pictures: the application on a copy of the prepared store, at both sizes, with nothing that moves."""

from __future__ import annotations

import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher, profiles
from textual.css.query import QueryError
from textual.pilot import Pilot
from textual.widgets import Input

from netmon_tui.app import NetmonApp, build_app
from netmon_tui.domain.user import Actor
from netmon_tui.security.passwords import Passwords
from tests.snapshots.world import ADA, paths_as_shown, prepare, standing_still

PATIENCE = 30.0
"""Seconds after which a fact that should be on the screen is missing."""
STILL = 4
"""So many looks that find the screen unchanged, and it is."""
Step = str | Callable[[Pilot[Any]], Awaitable[None]]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with something of everything; made once and copied."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    with standing_still():
        prepare(data)
    return data


@pytest.fixture(params=[(80, 24), (120, 40)], ids=["80x24", "120x40"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Columns and rows."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def still() -> Iterator[pytest.MonkeyPatch]:
    """Time and machine stand still."""
    with standing_still() as patch:
        yield patch


@pytest.fixture
def picture(
    snap_compare: Any, size: tuple[int, int], prepared: Path, tmp_path: Path, still: pytest.MonkeyPatch
) -> Callable[..., bool]:
    """``picture("3", shows("tcp port 443"))``: whether the screen looks as it did after these steps.

    A step is a key, or a coroutine function that is called with the pilot. ``empty`` begins with an empty data
    directory; ``actor`` is who is logged in, None for nobody.
    """

    def compare(*steps: Step, empty: bool = False, actor: Actor | None = ADA) -> bool:
        if not empty:
            shutil.copytree(prepared, tmp_path / "data")
        app = build_app(data_dir=tmp_path / "data")
        app.animation_level = "none"

        async def pose(pilot: Pilot[Any]) -> None:
            await begin(app, pilot, actor, empty=empty)
            for step in steps:
                await (pilot.press(step) if isinstance(step, str) else step(pilot))
            await stand_still(pilot)

        return bool(snap_compare(app, terminal_size=size, run_before=pose))

    return compare


async def begin(app: NetmonApp, pilot: Pilot[Any], actor: Actor | None, *, empty: bool) -> None:
    """Open the store, and log in."""
    services = await app.open_services()
    paths_as_shown(services)
    services.accounts._hashing._passwords = Passwords(PasswordHasher.from_parameters(profiles.CHEAPEST))
    if actor is None:
        return
    if empty:
        await services.accounts.create_first_admin(actor.name, "walnut-koala-lantern")
    app.enter(actor)
    await until(pilot, lambda: app.screen.id == "main" and app.screen.pane() is not None)


async def until(pilot: Pilot[Any], fact: Callable[[], Any]) -> Any:
    """Wait until ``fact()`` is true and return it; what it raises meanwhile counts as not yet."""
    end = time.monotonic() + PATIENCE
    while True:
        await pilot.pause(0.02)
        try:
            if found := fact():
                return found
        except (QueryError, LookupError, AttributeError):
            pass
        assert time.monotonic() < end, "\n".join(lines(pilot))


async def stand_still(pilot: Pilot[Any]) -> None:
    """Wait until nothing changes any more, cursors included."""
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
    looks, before = 0, None
    end = time.monotonic() + PATIENCE
    while looks < STILL:
        await pilot.pause(0.05)
        now = pilot.app.screen._compositor.render_strips()
        looks = looks + 1 if now == before else 0
        before = now
        assert time.monotonic() < end, "the screen never stands still\n" + "\n".join(lines(pilot))


def lines(pilot: Pilot[Any]) -> list[str]:
    """The screen as text."""
    return [strip.text for strip in pilot.app.screen._compositor.render_strips()]
