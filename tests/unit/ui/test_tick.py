"""The check box."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Button

from netmon_tui.ui.widgets.tick import Tick


class Form(App[None]):
    pressed = 0

    def compose(self) -> ComposeResult:
        yield Tick("Replace addresses")
        yield Button("Cancel")
        yield Button("Export", variant="primary")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        assert str(event.button.label) == "Export"
        self.pressed += 1


async def test_enter_accepts_the_form_and_leaves_what_was_ticked() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.query_one(Tick).focus()
        await pilot.press("space", "enter")
        await pilot.pause()
        assert app.query_one(Tick).value
        assert app.pressed == 1
