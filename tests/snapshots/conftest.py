"""Taking pictures: the application on a copy of the prepared store, at both sizes, with nothing that moves."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher, profiles
from pytest_textual_snapshot import SVGImageExtension, normalize_svg
from textual.css.query import QueryError
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Input

from netmon_tui.app import NetmonApp, build_app
from netmon_tui.domain.user import Actor
from netmon_tui.security.passwords import Passwords
from tests.snapshots.world import ADA, paths_as_shown, prepare, standing_still

PATIENCE = 30.0
"""Seconds after which a fact that should be on the screen is missing."""
STILL = 4
"""So many looks that find the screen unchanged, and it is."""
SOON = 10.0
"""Seconds after which a screen that is not as stored is different."""
Step = str | Callable[[Pilot[Any], "Album"], Awaitable[None]]


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


class Album:
    """Compares the screen of one application with pictures that somebody has looked at.

    Args:
        snapshot: syrupy's, for this test.
        directory: Where the stored pictures are.
        stem: The test's name, with which theirs begin.
        updating: Whether pictures are being taken anew.
        actual: Where a picture goes that differs.
    """

    def __init__(self, snapshot: Any, directory: Path, stem: str, *, updating: bool, actual: Path) -> None:
        self._snapshot = snapshot.use_extension(SVGImageExtension)
        self._directory = directory
        self._stem = stem
        self._updating = updating
        self._actual = actual
        self.different: list[str] = []
        """Names of the pictures that differ, and where to look at what is there now."""

    async def compare(self, pilot: Pilot[Any], name: str) -> None:
        """Wait until the screen is as stored, or else until it stands still, and note how that came out."""
        stored = self._directory / f"{self._stem}[{name}].svg"
        if self._updating or not stored.exists() or not await self._becomes(pilot, stored.read_text()):
            await stand_still(pilot)
        svg = screenshot(pilot)
        if self._snapshot(name=name) != svg:
            path = self._actual / f"{self._stem}[{name}].svg"
            path.write_text(svg)
            self.different.append(f"{stored.name}: now {path}\n" + "\n".join(lines(pilot)))

    async def _becomes(self, pilot: Pilot[Any], stored: str) -> bool:
        """Whether the screen soon looks as stored: it is the fact to wait for, however busy the machine is."""
        wanted, seen = normalize_svg(stored), None
        end = time.monotonic() + SOON
        while time.monotonic() < end:
            now = steady(pilot)
            if now != seen and normalize_svg(screenshot(pilot)) == wanted:
                return True
            seen = now  # drawing the picture costs ten times as much as looking
            await pilot.pause(0.05)
        return False


def steady(pilot: Pilot[Any]) -> list[Strip]:
    """The screen as styled lines, its cursors visible."""
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
    strips: list[Strip] = pilot.app.screen._compositor.render_strips()
    return strips


def screenshot(pilot: Pilot[Any]) -> str:
    """The screen as SVG."""
    svg: str = pilot.app.export_screenshot(title=pilot.app.title, simplify=True)
    return svg


@pytest.fixture
def tour(
    snapshot: Any,
    request: pytest.FixtureRequest,
    size: tuple[int, int],
    prepared: Path,
    tmp_path: Path,
    still: pytest.MonkeyPatch,
) -> Callable[..., None]:
    """``tour("3", shows("tcp port 443"), picture("listed"))``: goes through the program and compares pictures.

    A step is a key, or a coroutine function that is called with the pilot and the album. ``empty`` begins with
    an empty data directory; ``actor`` is who is logged in, None for nobody. One application serves many
    pictures, because each start costs a second.
    """

    def go(*steps: Step, empty: bool = False, actor: Actor | None = ADA) -> None:
        if not empty:
            shutil.copytree(prepared, tmp_path / "data")
        app = build_app(data_dir=tmp_path / "data")
        app.animation_level = "none"
        directory = request.path.parent / "__snapshots__" / request.path.stem
        updating = bool(request.config.option.update_snapshots)
        album = Album(snapshot, directory, request.node.name, updating=updating, actual=tmp_path)

        async def walk() -> None:
            async with app.run_test(size=size) as pilot:
                await begin(app, pilot, actor, empty=empty)
                for step in steps:
                    await (pilot.press(step) if isinstance(step, str) else step(pilot, album))

        asyncio.run(walk())
        assert not album.different, "\n".join(album.different)

    return go


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
    """Wait until nothing changes any more."""
    looks, before = 0, None
    end = time.monotonic() + PATIENCE
    while looks < STILL:
        await pilot.pause(0.1)
        now = steady(pilot)
        looks = looks + 1 if now == before else 0
        before = now
        assert time.monotonic() < end, "the screen never stands still\n" + "\n".join(lines(pilot))


def lines(pilot: Pilot[Any]) -> list[str]:
    """The screen as text."""
    return [strip.text for strip in pilot.app.screen._compositor.render_strips()]
