"""Own scan profiles on the screen: saved from the form, chosen, copied, changed, shared, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Input, Select, Static

from netmon_tui.domain.profile import SaveProfile
from netmon_tui.domain.user import Actor, Role
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.profile_form import ProfileForm
from netmon_tui.ui.modals.profile_list import ProfileList
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.tick import Tick

from .conftest import PASSWORD


async def open_form(app: Any, pilot: Any, until: Any) -> ScanForm:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, ScanForm) and app.screen.query_one("#start"))
    form: ScanForm = app.screen
    return form


async def open_list(app: Any, pilot: Any, until: Any) -> ProfileList:
    await pilot.press("ctrl+o")
    await until(pilot, lambda: isinstance(app.screen, ProfileList) and app.screen.query_one(Table).cursor_key)
    found: ProfileList = app.screen
    return found


async def profile_form(app: Any, pilot: Any, until: Any, key: str) -> ProfileForm:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, ProfileForm) and app.screen.query_one("#save"))
    found: ProfileForm = app.screen
    return found


def state(form: Any) -> tuple[str, str]:
    return str(form.query_one("#profile", Select).value), form.query_one("#options", Input).value


def fill(form: ProfileForm, **fields: str) -> None:
    for name, text in fields.items():
        form.query_one(f"#profile-{name}", Input).value = text


def offered(form: ScanForm) -> list[str]:
    return [value for _, value in form.query_one("#profile", Select)._options]


async def of_bo(app: Any, *profiles: tuple[str, str]) -> Actor:
    """Profiles that bo, an operator, shares."""
    user = await app.services.accounts.add_user(app.actor, "bo", PASSWORD, role=Role.OPERATOR)
    bo = Actor(user.id, user.name, user.role)
    for name, arguments in profiles:
        await app.services.profiles.create(bo, SaveProfile(name, arguments), shared=True)
    return bo


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_options_are_saved_from_the_form_and_chosen_there(
    logged_in: Any, until: Any, size: tuple[int, int]
) -> None:
    async with logged_in(size=size) as (app, pilot):
        form = await open_form(app, pilot, until)
        form.query_one("#options", Input).value = "-sT  -F"
        dialog = await profile_form(app, pilot, until, "ctrl+s")
        assert dialog.query_one("#profile-options", Input).value == "-sT -F"
        assert dialog.query_one("#save").region.bottom <= size[1]
        fill(dialog, name="quick SCAN")
        await pilot.press("enter")
        await until(pilot, lambda: "Zenmap" in str(dialog.query_one("#profile-error", Static).visual))
        fill(dialog, name="[b]Mine", options="-oN /tmp/x")
        await pilot.press("enter")
        await until(pilot, lambda: "-oN writes" in str(dialog.query_one("#profile-error", Static).visual))
        fill(dialog, options="-sT -F -v", description="[@click=app.quit]x")
        dialog.query_one("#profile-shared", Tick).value = True
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is form and state(form) == ("[b]Mine", "-sT -F -v"))
        assert "[@click=app.quit]x" in str(form.query_one("#profile-description", Static).visual)
        (saved,) = [p for p in await app.services.profiles.usable(app.actor) if not p.is_built_in]
        assert (saved.name, saved.arguments, saved.shared) == ("[b]Mine", "-sT -F -v", True)
        form.query_one("#profile", Select).value = "Ping scan"
        await until(pilot, lambda: state(form) == ("Ping scan", "-sn"))
        form.query_one("#options", Input).value = " -sT -F  -v"
        await until(pilot, lambda: state(form)[0] == "[b]Mine")


async def test_shared_profiles_of_others_are_offered_after_ones_own(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        await of_bo(app, ("Night", "-sn -T2"))
        await app.services.profiles.create(app.actor, SaveProfile("night", "-sL"))
        form = await open_form(app, pilot, until)
        assert offered(form)[-3:] == ["night", "bo/Night", ""]
        form.query_one("#profile", Select).value = "bo/Night"
        await until(pilot, lambda: state(form) == ("bo/Night", "-sn -T2"))
        assert form._request().profile == "bo/Night"


async def test_the_list_copies_changes_shares_deletes_and_chooses(
    logged_in: Any, until: Any, screen_text: Callable[[Any], str]
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await open_form(app, pilot, until)
        profiles = await open_list(app, pilot, until)
        table = profiles.query_one(Table)
        assert table.cursor_key == "Intense scan"
        assert [profiles.check_action(name, ()) for name in ("edit", "copy", "share", "delete")] == [
            None, True, None, None,
        ]  # fmt: skip
        dialog = await profile_form(app, pilot, until, "c")
        await pilot.press("enter")
        await until(pilot, lambda: table.cursor_key == "Intense scan copy")
        dialog = await profile_form(app, pilot, until, "e")
        fill(dialog, name="Mine", options="-sT")
        await pilot.press("enter")
        await until(pilot, lambda: table.cursor_key == "Mine")
        await pilot.press("s")
        await until(pilot, lambda: table.cursor_row.cells[:4] == ("Mine", "-sT", "ada", "yes"))
        assert all(
            word in screen_text(app) for word in ("e Edit", "c New copy", "s Share", "del Delete", "esc")
        )
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is form and state(form) == ("Mine", "-sT"))
        profiles = await open_list(app, pilot, until)
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: profiles.query_one(Table).row_count == 10)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is form and state(form) == ("", "-sT"))
        assert "Mine" not in offered(form)


async def test_an_administrator_changes_what_others_share_an_operator_does_not(
    logged_in: Any, until: Any
) -> None:
    async with logged_in(role="operator") as (app, pilot):
        ada = await app.services.accounts.login("ada", PASSWORD)
        await app.services.profiles.create(ada, SaveProfile("Night", "-sn"), shared=True)
        await open_form(app, pilot, until)
        profiles = await open_list(app, pilot, until)
        assert profiles.query_one(Table).cursor_key == "ada/Night"
        assert [profiles.check_action(name, ()) for name in ("edit", "share", "delete")] == [None] * 3
        await pilot.press("s", "e", "delete")
        await pilot.pause()
        assert app.screen is profiles
        assert (await app.services.profiles.find(ada, "Night")).shared


async def test_a_profile_that_is_gone_meanwhile_is_a_message(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        made = await app.services.profiles.create(app.actor, SaveProfile("Mine", "-sT"))
        form = await open_form(app, pilot, until)
        profiles = await open_list(app, pilot, until)
        await app.services.profiles.delete(app.actor, made)
        await pilot.press("s")
        await until(pilot, lambda: any("no profile" in note.message for note in app._notifications))
        assert app.screen is profiles
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is form and state(form) == ("", "-sT"))
