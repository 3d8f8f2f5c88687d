"""What is a defect, and what only comes of an end at any moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Select

from netmon_tui.ui.defects import ReportsDefects


class Form(Screen[None]):
    """A form with a field that looks for its own parts when it is mounted."""

    def compose(self) -> ComposeResult:
        yield Select([("one", 1)], value=1, allow_blank=False)


class Program(ReportsDefects):
    """An application that writes no log."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.log_file = directory / "log"

    def open_log(self) -> None:
        """There is none."""


@pytest.mark.parametrize("turns", range(10))
async def test_an_end_while_a_form_is_being_built_is_no_defect(tmp_path: Path, turns: int) -> None:
    app = Program(tmp_path)
    async with app.run_test():
        app.push_screen(Form())
        for _ in range(turns):
            await asyncio.sleep(0)
    assert not app.return_code


async def test_a_part_that_is_missing_at_any_other_time_is_one(tmp_path: Path) -> None:
    app = Program(tmp_path)
    with pytest.raises(NoMatches):
        async with app.run_test() as pilot:
            app.call_later(app.query_one, "#nowhere")
            await pilot.pause()
    assert app.return_code == 1
