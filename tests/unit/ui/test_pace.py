"""What belongs together is painted at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from netmon_tui.ui.widgets.pace import PacedScreen

FRAME = 1 / 60
"""Textual's, where it does not run over SSH."""


class Paced(PacedScreen[None]):
    """Two lines."""

    def __init__(self) -> None:
        super().__init__()
        self.paints = 0

    def compose(self) -> ComposeResult:
        yield Static("", id="first")
        yield Static("", id="second")

    def _compositor_refresh(self) -> None:
        self.paints += 1
        super()._compositor_refresh()

    def say(self, where: str, text: str) -> None:
        self.query_one(f"#{where}", Static).update(text, layout=False)


@pytest.fixture
async def paced() -> AsyncIterator[tuple[Paced, Pilot[None]]]:
    app: App[None] = App()
    async with app.run_test() as pilot:
        screen = Paced()
        await app.push_screen(screen)
        await pilot.pause()
        await asyncio.sleep(3 * FRAME)
        screen.paints = 0
        yield screen, pilot


def shown(screen: Paced) -> list[str]:
    return ["".join(part.text for part in line).strip() for line in screen._compositor.render_strips()[:2]]


async def test_two_steps_are_painted_once(paced: tuple[Paced, Pilot[None]]) -> None:
    screen, _ = paced
    screen.hold_paint("a", 30)
    screen.say("first", "a")
    await asyncio.sleep(4 * FRAME)  # nothing tells that something was not painted
    screen.say("second", "b")
    assert screen.paints == 0
    await screen.paint_held("a")
    assert screen.paints == 1 and shown(screen) == ["a", "b"]


async def test_nobody_waits_longer_than_was_said(paced: tuple[Paced, Pilot[None]]) -> None:
    screen, _ = paced
    screen.hold_paint("a", 2 * FRAME)
    screen.say("first", "a")
    async with asyncio.timeout(10):
        while not screen.paints:
            await asyncio.sleep(FRAME)
    assert shown(screen)[0] == "a"


async def test_the_second_of_two_changes_does_not_wait_for_a_frame(paced: tuple[Paced, Pilot[None]]) -> None:
    screen, _ = paced
    for text in ("a", "b", "c"):
        screen.say("first", text)
        await screen.paint_held("a")
        assert shown(screen)[0] == text
    assert screen.paints == 3


async def test_what_one_lets_go_another_may_still_hold(paced: tuple[Paced, Pilot[None]]) -> None:
    screen, _ = paced
    screen.hold_paint("a", 30)
    screen.hold_paint("b", 30)
    screen.say("first", "a")
    await screen.paint_held("a")
    assert screen.paints == 0
    await screen.paint_held("b")
    assert screen.paints == 1


async def test_what_changes_places_does_not_wait_for_a_frame(paced: tuple[Paced, Pilot[None]]) -> None:
    """Though no widget is to be painted for it: only the layout is another."""
    screen, _ = paced
    screen.say("second", "b")
    await screen.paint_held("a")
    screen.hold_paint("a", 30)
    screen.query_one("#first").display = False
    await screen.paint_held("a")
    assert shown(screen)[0] == "b"
