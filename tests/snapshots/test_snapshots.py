"""Pictures of every screen at 80x24 and 120x40. After a change that is meant: look, then ``--snapshot-update``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from netmon_tui.domain.user import Role
from tests.snapshots.conftest import lines, until
from tests.snapshots.world import BO

Picture = Callable[..., bool]
Step = Callable[[Pilot[Any]], Awaitable[None]]


def shows(text: str) -> Step:
    """Wait until a text is on the screen."""

    async def step(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: any(text in line for line in lines(pilot)))

    return step


def lacks(text: str) -> Step:
    """Wait until a text is no longer on the screen."""

    async def step(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: not any(text in line for line in lines(pilot)))

    return step


def types(selector: str, text: str) -> Step:
    """Put a text into a field and leave the focus there."""

    async def step(pilot: Pilot[Any]) -> None:
        field = await until(pilot, lambda: pilot.app.screen.query_one(selector, Input))
        field.focus()
        field.value = text
        await pilot.pause()

    return step


class TestLogin:
    def test_first_run(self, picture: Picture) -> None:
        assert picture(shows("Create the administrator"), empty=True, actor=None)

    def test_first_run_password_is_weighed(self, picture: Picture) -> None:
        steps = (shows("Create"), types("#name", "ada"), types("#password", "walnut-koala"), shows("12 of 15"))
        assert picture(*steps, empty=True, actor=None)

    def test_login(self, picture: Picture) -> None:
        assert picture(shows("Log in"), actor=None)

    def test_refused(self, picture: Picture) -> None:
        steps = (types("#name", "ada"), types("#password", "a wrong password"), "enter", shows("Wrong"))
        assert picture(*steps, actor=None)

    def test_locked(self, picture: Picture) -> None:
        assert picture(shows("office"), "ctrl+l", shows("Jobs go on"))


class TestScans:
    def test_empty(self, picture: Picture) -> None:
        assert picture(shows("No scans yet"), empty=True)

    def test_listed(self, picture: Picture) -> None:
        assert picture(shows("office.xml"))

    def test_filtered(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), "slash", *"intense", lacks("office.xml"))

    def test_form(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), "n", types("#targets", "192.0.2.0/28"), shows("16 addresses"))

    def test_form_refuses(self, picture: Picture) -> None:
        steps = (types("#targets", "192.0.2.0/28"), types("#options", "-sS -oN /etc/passwd"), shows("-oN"))
        assert picture(shows("office.xml"), "n", *steps)


OPEN_DONE = (shows("office.xml"), *("down",) * 3, "enter", shows("gw.office"))


class TestScanDetail:
    def test_hosts(self, picture: Picture) -> None:
        assert picture(*OPEN_DONE, shows("OpenSSH"))

    def test_services(self, picture: Picture) -> None:
        assert picture(*OPEN_DONE, "2", shows("netbios-ssn"))

    def test_output(self, picture: Picture) -> None:
        assert picture(*OPEN_DONE, "3", shows("Nmap done"))

    def test_about(self, picture: Picture) -> None:
        assert picture(*OPEN_DONE, "4", shows("RTTVAR"))

    def test_running(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), "down", "enter", shows("SYN Stealth"), shows("OpenSSH"))

    def test_hostile_host(self, picture: Picture) -> None:
        assert picture(*OPEN_DONE, *("down",) * 3, shows("click=app.quit"))


class TestDialogs:
    def test_help(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), "question_mark", shows("Help: Scans"))

    def test_palette(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), "ctrl+p", shows("Search"))

    def test_quit_with_jobs(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), "q", shows("2 jobs run"))

    def test_confirm(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), *("down",) * 3, "delete", shows("for good"))

    def test_export(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), *("down",) * 3, "e", shows("Export scan 4"))

    def test_import(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), "i", types("#path", "/nowhere/scan.xml"), "enter", shows("No file"))

    def test_columns(self, picture: Picture) -> None:
        assert picture(shows("office.xml"), "C", shows("space changes"))


class TestNeighbours:
    def test_listed(self, picture: Picture) -> None:
        assert picture("2", shows("INCOMPLETE"))

    def test_history(self, picture: Picture) -> None:
        assert picture("2", shows("INCOMPLETE"), "enter", shows("History of 192.0.2.1"))


class TestCaptures:
    def test_empty(self, picture: Picture) -> None:
        assert picture("3", shows("No captures yet"), empty=True)

    def test_listed(self, picture: Picture) -> None:
        assert picture("3", shows("1 204 331"))

    def test_form(self, picture: Picture) -> None:
        assert picture("3", shows("1 204 331"), "n", types("#host", "192.0.2.7"), shows("host 192.0.2.7"))

    def test_form_refuses(self, picture: Picture) -> None:
        assert picture("3", shows("1 204 331"), "n", types("#port", "99999"), shows("99999"))

    def test_detail(self, picture: Picture) -> None:
        steps = ("down", "down", "enter", shows("36 packets"), "down", "down", "down", "down", shows("0000"))
        assert picture("3", shows("1 204 331"), *steps)

    def test_detail_running(self, picture: Picture) -> None:
        assert picture("3", shows("1 204 331"), "enter", shows("36 packets"), shows("0000"))

    def test_detail_failed(self, picture: Picture) -> None:
        assert picture("3", shows("1 204 331"), "down", "enter", shows("disk is full"), shows("0000"))


class TestHosts:
    def test_listed(self, picture: Picture) -> None:
        assert picture("4", shows("192.0.2.14"))


class TestActivity:
    def test_jobs(self, picture: Picture) -> None:
        assert picture("5", shows("tcpdump"))

    def test_audit(self, picture: Picture) -> None:
        assert picture("5", shows("tcpdump"), "shift+tab", "right", shows("mallory"))

    def test_operator_sees_only_jobs(self, picture: Picture) -> None:
        assert BO.role is Role.OPERATOR
        assert picture("5", shows("tcpdump"), actor=BO)


class TestAdmin:
    def test_users(self, picture: Picture) -> None:
        assert picture("6", shows("eve"))

    def test_new_user(self, picture: Picture) -> None:
        assert picture("6", shows("eve"), "n", shows("at least 15 characters"))

    def test_doctor(self, picture: Picture) -> None:
        assert picture("6", shows("eve"), "shift+tab", "right", shows("schema 0001"))
