"""What is typed into a form is not lost by one key."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input

from netmon_tui.ui.modals.form import LOST
from netmon_tui.ui.modals.scan_form import ScanForm


async def test_escape_asks_before_it_throws_away_what_was_typed(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ScanForm))
        await pilot.press("escape")  # nothing was typed
        await until(pilot, lambda: not isinstance(app.screen, ScanForm))

        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ScanForm) and app.focused is not None)
        await pilot.press(*"10.9")
        await until(pilot, lambda: app.screen.query_one("#targets", Input).value == "10.9")
        form = app.screen
        await pilot.press("escape")
        box = form.query_one(".dialog--box")
        await until(pilot, lambda: str(box.border_subtitle) == LOST)
        await pilot.press("1")
        await until(pilot, lambda: "o profiles" in str(box.border_subtitle))
        await pilot.press("escape")  # who has typed on is asked again
        await until(pilot, lambda: form.query_one("#targets", Input).value == "10.91")
        assert app.screen is form
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not form)
