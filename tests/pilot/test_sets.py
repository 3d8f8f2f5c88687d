"""Sets of targets and ports on the screen, and the limits of users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Button, Input, Static

from netmon_tui.domain.named_set import SaveSet, SetKind
from netmon_tui.domain.user import Actor, Role
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.named_form import NamedForm
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.modals.set_list import SetList
from netmon_tui.ui.modals.user import UserLimitsForm
from netmon_tui.ui.widgets.table import Table

from .conftest import PASSWORD


async def pressed(app: Any, pilot: Any, until: Any, key: str, dialog: type, part: str) -> Any:
    """Press a key and wait for the dialog that it opens."""
    await pilot.press(key)
    return await until(
        pilot, lambda: isinstance(app.screen, dialog) and app.screen.query_one(part) and app.screen
    )


def fill(form: Any, **fields: str) -> None:
    for name, text in fields.items():
        form.query_one(f"#set-{name}", Input).value = text


def names(dialog: Any) -> list[str]:
    source = dialog.query_one(Table).source
    return [row.cells[0] for row in source.window(0, source.count)]


def said(dialog: Any, part: str) -> str:
    return str(dialog.query_one(part, Static).visual)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_sets_are_made_changed_and_deleted(
    logged_in: Any, until: Any, screen_text: Callable[[Any], str], size: tuple[int, int]
) -> None:
    async with logged_in(size=size) as (app, pilot):
        sets = await pressed(app, pilot, until, "@", SetList, "Table")
        assert "No sets yet" in screen_text(app)
        form = await pressed(app, pilot, until, "n", NamedForm, "#save")
        assert form.query_one("#save").region.bottom <= size[1]
        fill(form, name="[b]x", targets="10.0.0.1")
        await pilot.press("enter")
        await until(pilot, lambda: "no name of a set" in said(form, "#set-error"))
        fill(form, name="servers", targets="10.0.0.1 -oN")
        await pilot.press("enter")
        await until(pilot, lambda: "never begins with '-'" in said(form, "#set-error"))
        fill(form, targets="10.0.0.1,10.0.0.0/30", description="[@click=app.quit]x")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is sets and names(sets) == ["@servers"])
        form = await pressed(app, pilot, until, "p", NamedForm, "#save")
        fill(form, name="web", ports="80, 443")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is sets and names(sets) == ["@servers", "@web"])
        assert sets.query_one(Table).cursor_row.cells[1:3] == ("ports", "80,443")
        assert all(
            word in screen_text(app)
            for word in ("n Targets", "p Ports", "e Edit", "c New copy", "s Share", "Delete")
        )
        await pilot.press("s")
        await until(pilot, lambda: sets.query_one(Table).cursor_row.cells[4] == "yes")
        form = await pressed(app, pilot, until, "enter", NamedForm, "#save")
        fill(form, ports="8080")
        await pilot.press("enter")
        await until(pilot, lambda: sets.query_one(Table).cursor_row.cells[2] == "8080")
        await pressed(app, pilot, until, "delete", Confirm, "#yes")
        await pilot.click("#yes")
        await until(pilot, lambda: app.screen is sets and names(sets) == ["@servers"])


async def test_the_form_takes_sets_and_judges_names_while_they_are_typed(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        kept = app.services.sets
        await kept.of(SetKind.TARGETS).create(app.actor, SaveSet("servers", "127.0.0.1 127.0.0.2"))
        await kept.of(SetKind.PORTS).create(app.actor, SaveSet("web", "80,443"))
        form = await pressed(app, pilot, until, "n", ScanForm, "#start")
        form.query_one("#targets", Input).value = "@servrs"
        await until(pilot, lambda: "did you mean 'servers'" in said(form, "#preview"))
        assert form.query_one("#start", Button).disabled
        form.query_one("#targets", Input).value = "127.0.0.9"
        for keys in (("enter",), ("down", "enter")):
            sets = await pressed(app, pilot, until, "ctrl+n", SetList, "Table")
            await until(pilot, lambda: sets.query_one(Table).row_count == 2)  # noqa: B023
            await pilot.press(*keys)
            await until(pilot, lambda: app.screen is form)
        assert form.query_one("#targets", Input).value == "127.0.0.9 @servers"
        assert form.query_one("#options", Input).value == "-T4 -p@web"
        await until(pilot, lambda: "-p80,443" in said(form, "#preview").replace("\n", ""))
        assert form._request().targets == ("127.0.0.9", "@servers")


async def test_an_operator_changes_no_set_of_others(logged_in: Any, until: Any) -> None:
    async with logged_in(role="operator") as (app, pilot):
        ada = await app.services.accounts.login("ada", PASSWORD)
        made = await app.services.sets.of(SetKind.PORTS).create(ada, SaveSet("web", "80"), shared=True)
        sets = await pressed(app, pilot, until, "@", SetList, "Table")
        await until(pilot, lambda: names(sets) == ["@ada/web"])
        await until(pilot, lambda: sets.check_action("copy", ()) is True)
        assert [sets.check_action(name, ()) for name in ("edit", "share", "delete")] == [None] * 3
        await pilot.press("enter", "e", "s", "delete")
        await pilot.pause()
        assert app.screen is sets
        await app.services.sets.of(SetKind.PORTS).delete(ada, made)
        form = await pressed(app, pilot, until, "c", NamedForm, "#save")
        assert form.query_one("#set-name", Input).value == "web-copy"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is sets and names(sets) == ["@web-copy"])


async def test_an_administrator_sets_the_limits_of_a_user(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        user = await app.services.accounts.add_user(app.actor, "bo", PASSWORD, role=Role.OPERATOR)
        await pilot.press("6")
        users = await until(pilot, lambda: app.screen.query_one("#users", Table))
        await until(pilot, lambda: users.row_count == 2)
        users.move_to_key("bo")
        users.focus()
        form = await pressed(app, pilot, until, "m", UserLimitsForm, "#save")
        never, rate = form.query(Input)
        never.value, rate.value = "10.0.0.1 [b]", "50"
        await pilot.press("enter")
        await until(pilot, lambda: "'[' is not allowed" in said(form, "#limits-error"))
        never.value = "10.0.0.1, 127.0.0.1"
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, UserLimitsForm))
        bo = Actor(user.id, user.name, user.role)
        limits = (await app.services.limits.find(bo, "bo")).limits
        assert (limits.never_scan, limits.maximum_rate) == ("10.0.0.1 127.0.0.1", 50)
        await until(pilot, lambda: users.cursor_row and "50/s, 2 never" in users.cursor_row.cells)
        form = await pressed(app, pilot, until, "m", UserLimitsForm, "#save")
        form.query_one("#maximum-rate", Input).value = ""
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, UserLimitsForm))
        assert (await app.services.limits.find(bo, "bo")).limits.maximum_rate == 0


async def test_the_form_says_what_is_never_scanned(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await app.services.limits.set(
            app.actor, "ada", never_scan="10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5"
        )
        form = await pressed(app, pilot, until, "n", ScanForm, "#start")
        form.query_one("#targets", Input).value = "10.0.0.0/29"
        line = "Never scanned: 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 and 1 more"
        await until(pilot, lambda: line in said(form, "#preview"))
