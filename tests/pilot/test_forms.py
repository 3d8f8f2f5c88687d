"""What is typed into a form is not lost by one key."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Input, Static
from textual.widgets._toast import Toast

from netmon_tui.ui.modals.capture_form import CaptureForm
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.file_picker import FilePicker
from netmon_tui.ui.modals.form import LOST
from netmon_tui.ui.modals.help import Help
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.widgets.frame_header import FrameHeader


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
        await until(pilot, lambda: str(box.border_subtitle) != LOST)
        await pilot.press("escape")  # who has typed on is asked again
        await until(pilot, lambda: form.query_one("#targets", Input).value == "10.91")
        assert app.screen is form
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not form)


async def test_a_form_shows_its_own_keys_and_the_clock_goes_on(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        header = app.screen.query_one(FrameHeader)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ScanForm))
        await until(pilot, lambda: "esc Cancel" in screen_text(app).splitlines()[-1])
        assert "Quit" not in screen_text(app).splitlines()[-1]
        header.show_time("99:99 ")
        clock = header.query_one("#header-clock", Static)
        await until(pilot, lambda: "99:99" not in str(clock.content))


async def test_the_last_line_of_a_form_tells_how_it_is_accepted_and_left_and_all_its_own_keys(
    logged_in: Any, until: Any, last_line_tells: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        told = partial(last_line_tells, app)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ScanForm))
        own = ("Save", "Switches", "Profiles", "Sets", "Schedule", "Help")
        await until(pilot, lambda: told("Start", "esc Cancel", *own))
        await pilot.press("escape", "3", "n")
        await until(pilot, lambda: isinstance(app.screen, CaptureForm))
        own = ("Filters", "Save filter", "More", "Schedule")
        await until(pilot, lambda: told("Start", "esc Cancel", *own))
        app.screen.query_one("#interface").focus()
        await until(pilot, lambda: told("Choose", "esc Cancel", *own))
        app.screen.query_one("#cancel").focus()
        await until(pilot, lambda: told("Cancel esc Cancel", *own))


async def test_f1_shows_all_keys_of_a_form_and_leaves_it_as_it_was(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await pilot.press("3", "n")
        await until(pilot, lambda: isinstance(app.screen, CaptureForm) and app.focused.id == "filter")
        form = app.screen
        await pilot.press(*"udp?", "f1")
        await until(pilot, lambda: isinstance(app.screen, Help))
        await until(pilot, lambda: "Take a filter from the library" in screen_text(app))
        assert "Help: New capture" in screen_text(app)
        await pilot.press("f1")
        await until(pilot, lambda: app.screen is form)
        assert form.query_one("#filter", Input).value == "udp?"


async def test_the_help_of_a_dialog_is_called_as_the_dialog_is(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        app.push_screen(Confirm("Delete [a] [b]x[/b]", "It is gone then.", verb="Delete"))
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, Help))
        await until(pilot, lambda: "Help: Delete [a] [b]x[/b]" in screen_text(app))


async def test_a_toast_leaves_the_buttons_of_a_dialog_free(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        text = "\n".join(["a line of what is lost"] * 15)
        app.push_screen(Confirm("Delete", text, verb="Delete"))
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        app.notify("a few words")
        toast = await until(pilot, lambda: app.screen.query_one(Toast).region)
        buttons = [button.region for button in app.screen.query(Button)]
        assert len(buttons) == 2 and not any(toast.overlaps(button) for button in buttons)


@pytest.mark.parametrize(
    ("keys", "form"), [(("n",), ScanForm), (("3", "n"), CaptureForm), (("3", "i"), FilePicker)]
)
async def test_a_toast_leaves_every_field_and_button_free(
    logged_in: Any, until: Any, keys: tuple[str, ...], form: type[Screen[Any]]
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.screen, form) and app.focused is not None)
        app.notify("Saved as a name")
        toast = await until(pilot, lambda: app.screen.query_one(Toast).region)
        assert not [one for one in app.screen.focus_chain if one.region.overlaps(toast)]


async def test_a_toast_goes_where_the_cursor_is_not(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await pilot.press("3", "i")
        await until(pilot, lambda: isinstance(app.screen, FilePicker) and app.focused is not None)
        path = app.focused
        app.notify("\n".join(["a few words"] * 4), title="Failed", severity="error")

        def is_free(widget: Widget) -> bool:
            return app.focused is widget and not app.screen.query_one(Toast).region.overlaps(widget.region)

        await until(pilot, lambda: app.screen.query_one(Toast).region and is_free(path))
        button = app.screen.query_one("#import", Button)
        button.focus()
        await until(pilot, lambda: is_free(button))


async def test_a_toast_is_shown_once_also_when_a_dialog_opens_over_it(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        beneath = app.screen

        def racks() -> list[bool]:
            return [screen.query("ToastRack").first().display for screen in (beneath, app.screen)]

        app.notify("a few words")
        await until(pilot, lambda: app.screen.query(Toast))
        app.push_screen(Confirm("Delete", "It is gone then.", verb="Delete"))
        await until(pilot, lambda: app.screen is not beneath and app.screen.query(Toast))
        assert racks() == [False, True]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is beneath and racks() == [True, True])
