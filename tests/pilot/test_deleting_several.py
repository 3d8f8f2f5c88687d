"""Deleting several captures at once."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import Static

from netmon_tui.domain.job import JobState
from netmon_tui.errors import InvalidInput
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.ui.widgets.table import Table
from tests.unit.services.tsharks import keep
from tests.unit.tools.exchanges import exchanges


def told(app: Any) -> list[str]:
    return [one.message for one in app._notifications]


async def mark_three(app: Any, pilot: Any, until: Any) -> Table:
    """Show three captures, all marked; return their table."""
    for _ in range(3):
        keep(app.services, app.actor, exchanges().data())
    await pilot.press("3")
    table = await until(pilot, lambda: app.screen.pane().query_one(Table))
    await until(pilot, lambda: table.row_count == 3 and table.grid.has_focus)
    for at in range(3):
        await pilot.press(*(["down"] if at else []), "space")
        await until(pilot, lambda marked=at + 1: len(table.selected_keys) == marked)
    return table


async def test_with_one_that_runs_among_them_nothing_is_asked_and_nothing_is_lost(
    logged_in: Any, until: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        table = await mark_three(app, pilot, until)
        CaptureRepository(app.services.database).update(2, state=JobState.RUNNING.value)
        await pilot.press("delete")
        await until(pilot, lambda: "capture 2 still runs (stop it first)" in told(app))
        assert app.screen.id == "main" and table.row_count == 3


async def test_what_can_be_deleted_is_and_the_rest_is_told_with_its_reason(
    logged_in: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        table = await mark_three(app, pilot, until)
        delete = app.services.capturing.delete

        async def one_less(actor: Any, number: int) -> None:
            if number == 2:
                raise InvalidInput("capture 2 is held")
            await delete(actor, number)

        monkeypatch.setattr(app.services.capturing, "delete", one_less)
        await pilot.press("delete")
        await until(pilot, lambda: app.screen.query_one("#confirm-text", Static).visual)
        await pilot.click("#yes")
        await until(pilot, lambda: "2 of 3 deleted. capture 2 is held" in told(app))
        await until(pilot, lambda: table.row_count == 1)
        assert table.selected_keys == {2}
