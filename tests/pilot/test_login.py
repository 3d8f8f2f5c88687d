"""First run, login, registration, lock and logout, as somebody at the keyboard meets them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from netmon_tui.app import NetmonApp, build_app
from netmon_tui.domain.user import Role
from netmon_tui.ui import guarded_app
from netmon_tui.ui.modals.help import Help
from netmon_tui.ui.screens.login import LoginScreen
from netmon_tui.ui.screens.main import MainScreen

ADMIN, PASSWORD = "ada", "walnut-koala-lantern"


async def type_in(pilot: Any, **fields: str) -> None:
    """Fill fields of the login screen."""
    for name, value in fields.items():
        pilot.app.screen.query_one(f"#{name}", Input).value = value
    await pilot.pause()


async def log_in(pilot: Any, until: Any, name: str = ADMIN, password: str = PASSWORD) -> None:
    """Log in and wait for the frame."""
    await type_in(pilot, name=name, password=password)
    pilot.app.screen.query_one("#password").focus()
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen.id == "main" and pilot.app.screen.pane() is not None)


def said(app: NetmonApp) -> str:
    """What the login screen says went wrong, or well."""
    return str(app.screen.query_one("#login-error").visual)


async def test_first_run_creates_the_administrator(at_login, until, screen_text) -> None:
    async with at_login(first_run=True) as (app, pilot):
        assert "Create the administrator" in screen_text(app)
        assert "15 characters or more" in screen_text(app)
        await pilot.press(*ADMIN, "enter", *"short", "enter")
        assert "5 of 15 characters" in screen_text(app)
        await pilot.press(*"other", "enter", "enter")
        await until(pilot, lambda: "The two passwords differ" in said(app))
        await type_in(pilot, again="short")
        await pilot.press("enter")
        await until(pilot, lambda: "15" in said(app))
        await type_in(pilot, password=PASSWORD, again=PASSWORD)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.id == "main")
        assert app.actor is not None
        assert (app.actor.name, app.actor.role) == (ADMIN, Role.ADMIN)


async def test_nothing_behind_the_login_exists_before_it_succeeds(
    at_login, until, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[MainScreen] = []
    original = MainScreen.__init__
    monkeypatch.setattr(MainScreen, "__init__", lambda self, s: (made.append(self), original(self, s))[1])
    async with at_login() as (app, pilot):
        await type_in(pilot, name=ADMIN, password="not my password")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: said(app) == "Wrong name or password")
        assert made == []
        assert app.actor is None
        assert [type(screen) for screen in app.screen_stack] == [LoginScreen]
        await log_in(pilot, until)
        assert len(made) == 1


def test_the_login_screen_loads_nothing_heavy() -> None:
    script = (
        "import sys, netmon_tui.app\n"
        "heavy = {'sqlalchemy', 'alembic', 'argon2', 'pyshark', 'nmap', 'netifaces',"
        " 'netmon_tui.services.container', 'netmon_tui.ui.screens.main', 'netmon_tui.ui.widgets.table'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


async def test_wrong_password_is_refused_and_may_be_typed_again(at_login, until) -> None:
    async with at_login() as (app, pilot):
        await pilot.press(*ADMIN, "enter", *"wrong", "enter")
        await until(pilot, lambda: said(app) == "Wrong name or password")
        password = app.screen.query_one("#password", Input)
        assert password.value == ""
        assert password.has_focus
        await pilot.press("x")
        assert said(app) == "", "what was wrong is gone when something new is typed"
        await log_in(pilot, until)


async def test_an_unknown_name_is_answered_with_the_same_words(at_login, until) -> None:
    async with at_login() as (app, pilot):
        await pilot.press(*"nobody", "enter", *PASSWORD, "enter")
        await until(pilot, lambda: said(app) == "Wrong name or password")


async def test_five_failures_lock_for_a_while(at_login, until) -> None:
    async with at_login() as (app, pilot):
        for _ in range(5):
            await type_in(pilot, name=ADMIN, password="wrong")
            app.screen.query_one("#password").focus()
            await pilot.press("enter")
            await until(pilot, lambda: not app.screen._busy and said(app) not in ("", "Checking ..."))
        assert said(app).startswith("Locked for ")
        assert "after 5 failures" in said(app)


async def test_registration_is_closed_by_default(at_login, screen_text) -> None:
    async with at_login() as (app, _pilot):
        assert not app.screen.query("#register")


async def test_open_registration_lets_in_at_once(at_login, until) -> None:
    async with at_login(environ={"NETMON_TUI_ACCOUNTS_REGISTRATION": "open"}) as (app, pilot):
        await until(pilot, lambda: app.screen.query("#register"))
        await pilot.click("#register")
        await until(pilot, lambda: app.screen.query_one("#email"))
        await type_in(pilot, name="bo", password=PASSWORD, again=PASSWORD, email="bo@example.org")
        app.screen.query_one("#email").focus()
        await pilot.press("enter")
        await until(pilot, lambda: said(app) == "Registered. Log in")
        assert app.screen.query_one("#password", Input).value == ""
        await log_in(pilot, until, "bo")
        assert app.actor is not None and app.actor.role is Role.VIEWER


async def test_registration_may_wait_for_approval(at_login, until) -> None:
    async with at_login(environ={"NETMON_TUI_ACCOUNTS_REGISTRATION": "approval"}) as (app, pilot):
        await until(pilot, lambda: app.screen.query("#register"))
        await pilot.click("#register")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.mode == "login")
        assert not app.screen.query("#email")
        await pilot.click("#register")
        await until(pilot, lambda: app.screen.query_one("#email"))
        await type_in(pilot, name="bo", password=PASSWORD, again=PASSWORD)
        app.screen.query_one("#email").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "administrator must approve" in said(app))
        await type_in(pilot, name="bo", password=PASSWORD)
        app.screen.query_one("#password").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "approv" in said(app) and "first" not in said(app))


async def test_the_lock_covers_everything_until_the_password_comes(at_login, until, screen_text) -> None:
    async with at_login() as (app, pilot):
        await log_in(pilot, until)
        main = app.screen
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, LoginScreen))
        app.notify("10.0.0.1 has an open port", markup=False)
        await pilot.pause()
        assert "Scans" not in screen_text(app)
        assert "10.0.0.1" not in screen_text(app)
        assert "Locked" in screen_text(app)
        await pilot.press("ctrl+p", "ctrl+l", "escape")
        assert len(app.screen_stack) == 3
        await pilot.press(*"wrong", "enter")
        await until(pilot, lambda: said(app) == "Wrong name or password")
        await pilot.press(*PASSWORD, "enter")
        await until(pilot, lambda: app.screen is main and not app.locked)


async def test_the_lock_closes_by_itself_when_nobody_is_there(at_login, until) -> None:
    async with at_login() as (app, pilot):
        await log_in(pilot, until)
        app.last_presence = time.monotonic() - 9 * 60
        app.lock_when_idle()
        assert not app.locked
        app.last_presence = time.monotonic() - 11 * 60
        await pilot.press("j")  # somebody is there
        app.lock_when_idle()
        assert not app.locked
        app.last_presence = time.monotonic() - 11 * 60
        app.lock_when_idle()
        await until(pilot, lambda: isinstance(app.screen, LoginScreen))


async def test_a_role_that_changed_behind_the_lock_changes_the_screens(at_login, until) -> None:
    async with at_login() as (app, pilot):
        accounts = (await app.open_services()).accounts
        ada = await accounts.login(ADMIN, PASSWORD)
        await accounts.add_user(ada, "bo", PASSWORD, role=Role.ADMIN)
        await log_in(pilot, until, "bo")
        main = app.screen
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, LoginScreen))
        await accounts.set_role(ada, "bo", Role.VIEWER)
        await pilot.press(*PASSWORD, "enter")
        await until(pilot, lambda: app.screen.id == "main" and app.screen is not main)
        assert app.screen.session.actor.role is Role.VIEWER
        assert main not in app.screen_stack


async def test_an_account_that_changed_changes_the_open_program(at_login, until, monkeypatch) -> None:
    monkeypatch.setattr(guarded_app, "WATCH_SECONDS", 0.02)  # also while the screens are taken away
    async with at_login() as (app, pilot):
        accounts = (await app.open_services()).accounts
        ada = await accounts.login(ADMIN, PASSWORD)
        await accounts.add_user(ada, "bo", PASSWORD, role=Role.ADMIN)
        await log_in(pilot, until, "bo")
        main = app.screen
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        await accounts.set_role(ada, "bo", Role.VIEWER)
        await until(pilot, lambda: app.screen.id == "main" and app.screen is not main)
        assert app.screen.session.actor.role is Role.VIEWER
        assert main not in app.screen_stack
        await accounts.disable(ada, "bo")
        await until(pilot, lambda: isinstance(app.screen, LoginScreen))
        await until(pilot, lambda: said(app) == "Your account was disabled")
        assert app.actor is None
        await accounts.enable(ada, "bo")
        await log_in(pilot, until, "bo")


async def test_logout_goes_back_to_an_empty_login(at_login, until) -> None:
    async with at_login() as (app, pilot):
        await log_in(pilot, until)
        await pilot.press("L")
        await until(pilot, lambda: isinstance(app.screen, LoginScreen))
        assert app.actor is None
        assert len(app.screen_stack) == 1
        assert [field.value for field in app.screen.query(Input)] == ["", ""]
        actor = await app.services.accounts.login(ADMIN, PASSWORD)
        actions = [event.action for event in await app.services.activity.audit(actor)]
        assert "logout" in actions
        await log_in(pilot, until)


async def test_a_store_that_does_not_open_says_why(tmp_path: Path, until) -> None:
    (tmp_path / "data").write_text("no directory")
    app = build_app(data_dir=tmp_path / "data")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "not a directory" in said(app))
        assert app.is_running


async def test_leaving_from_the_login_needs_no_account(at_login) -> None:
    async with at_login() as (app, _pilot):
        app.post_message(events.Key("ctrl+q", None))
        async with asyncio.timeout(30):
            while app.is_running:  # a pilot would wait for the screen
                await asyncio.sleep(0.02)
        assert app.return_code == 0


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (20, 5)])
async def test_any_size_of_terminal(at_login, until, size: tuple[int, int]) -> None:
    async with at_login(size=size, first_run=True) as (app, pilot):
        await type_in(pilot, name=ADMIN, password=PASSWORD, again=PASSWORD)
        app.screen.query_one("#email").focus()
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.id == "main")
