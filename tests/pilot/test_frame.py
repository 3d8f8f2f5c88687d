"""The frame: tabs, keys, palette, help, columns, quitting, narrow and simple terminals, defects."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import pexpect
import pytest
from textual import events
from textual.command import CommandPalette
from textual.widgets import Input, OptionList

from netmon_tui.config.settings import load_settings
from netmon_tui.domain.scan import StartScan
from netmon_tui.ui import keys_in_turn
from netmon_tui.ui.modals.capture_filters import CaptureFilterList
from netmon_tui.ui.modals.columns import Columns
from netmon_tui.ui.modals.display_filters import DisplayFilterList
from netmon_tui.ui.modals.help import Help
from netmon_tui.ui.modals.ignore_list import IgnoreList
from netmon_tui.ui.modals.quit import Quit
from netmon_tui.ui.modals.record import Record
from netmon_tui.ui.modals.schedule_list import ScheduleList
from netmon_tui.ui.screens.main import TABS
from netmon_tui.ui.widgets.key_line import KeyLine, ShownKey
from netmon_tui.ui.widgets.pane import Pane
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.tick import Tick

NAMES = [name for name, _, _ in TABS]
SLOW_SCAN = StartScan(targets=("127.0.0.1",), arguments="-sT -p 1-1000 --scan-delay 1s")


async def show(pilot: Any, until: Any, name: str) -> Pane:
    """Go to a tab."""
    await pilot.press(str(NAMES.index(name) + 1))
    return await until(pilot, lambda: pilot.app.screen.pane(name))


def keys(app: Any) -> dict[str, ShownKey]:
    """Description -> key, as the last line has them."""
    return {key.description: key for key in app.screen.query_one(KeyLine).keys}


async def test_a_tab_is_built_when_it_is_first_shown(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        assert [pane.id for pane in app.screen.query(Pane)] == ["scans-pane"]
        for number, name in enumerate(NAMES, 1):
            pane = await show(pilot, until, name)
            await until(pilot, lambda pane=pane: pane.has_focus_within)
            assert len(app.screen.query("Room > Pane")) == number


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_last_line_fits_and_always_says_help_and_quit(
    logged_in, until, size: tuple[int, int]
) -> None:
    async with logged_in(size=size) as (app, pilot):
        for name in NAMES:
            pane = await show(pilot, until, name)
            await until(
                pilot, lambda pane=pane: pane.has_focus_within and {"Help", "Quit"} <= keys(app).keys()
            )
            line = app.screen.query_one(KeyLine)
            await until(pilot, lambda line=line: all(word in line.render_line(0).text for word in keys(app)))


async def test_the_last_line_follows_the_width(logged_in, until) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await until(pilot, lambda: "Palette" in keys(app))
        await pilot.resize_terminal(40, 24)
        await until(pilot, lambda: "Palette" not in keys(app) and "Quit" in keys(app))
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: "Palette" in keys(app))


async def test_a_click_on_a_key_presses_it(logged_in, until) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await until(pilot, lambda: "Help" in keys(app))
        line = app.screen.query_one(KeyLine)
        at = line.render_line(0).text.index("Help")
        await pilot.click(line, offset=(at, 0))
        await until(pilot, lambda: isinstance(app.screen, Help))


async def test_a_moving_focus_paints_the_last_line_no_more_than_once(logged_in, until) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await until(pilot, lambda: "Help" in keys(app))
        await pilot.pause()
        before = app.screen.query_one(KeyLine).keys
        for _ in range(5):
            app.screen.refresh_bindings()
        await pilot.pause()
        assert app.screen.query_one(KeyLine).keys is before, "the same keys are the same line"


async def test_a_tab_that_gets_the_focus_late_does_not_come_back(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        focused = app.screen.focused
        app.screen.action_tab("captures")
        await until(pilot, lambda: app.screen.query_one("#captures").has_focus_within)
        tab, tabs, heard = app.screen.query_one("#tab-scans"), app.screen.query_one("#tabs"), asyncio.Event()
        tab.post_message(events.DescendantFocus(focused))
        tab.call_later(tabs.call_later, heard.set)  # after what the tab tells the others
        await heard.wait()
        assert tabs.active == "tab-captures"


async def test_tiny_terminal_shows_every_tab(logged_in, until) -> None:
    async with logged_in(size=(20, 5)) as (app, pilot):
        for name in NAMES:
            await show(pilot, until, name)
        for key, kind in (("question_mark", Help), ("ctrl+p", CommandPalette), ("C", Columns)):
            await pilot.press(key)
            await until(pilot, lambda kind=kind: isinstance(app.screen, kind))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen.id == "main")


# help, palette, columns


async def test_help_lists_keys_of_the_tab_and_of_every_place(logged_in, until, screen_text) -> None:
    async with logged_in(size=(120, 70)) as (app, pilot):
        await show(pilot, until, "neighbours")
        await until(pilot, lambda: "Refresh" in keys(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        text = screen_text(app)
        for words in (
            "Help: Neighbours",
            "Ask the kernel for the whole table again",
            "^r",
            "In every list",
            "^q",
            "^l",
        ):
            assert words in text
        assert "Page Left" not in text, "Textual's own scrolling keys are no help"
        await pilot.press("q")
        await until(pilot, lambda: app.screen.id == "main")


@pytest.mark.parametrize("key", ["ctrl+p", "colon"])
async def test_palette_runs_a_command(logged_in, until, key: str) -> None:
    async with logged_in() as (app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"admin")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.id == "main" and app.screen.pane("admin"))


async def test_palette_changes_the_theme(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        await pilot.press("ctrl+p", *"theme")
        await until(
            pilot, lambda: "Theme" in str(app.screen.query_one(OptionList).get_option_at_index(0).prompt)
        )
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count > 5)
        await pilot.press(*"nord")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: app.theme == "nord" and app.screen.id == "main")


async def test_a_colon_can_be_typed_into_a_field(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        await pilot.press("slash", *"fe80", "colon", "colon", "q", "1")
        await until(pilot, lambda: app.screen.query_one("#scans", Table).filter_text == "fe80::q1")
        assert app.screen.id == "main"


async def test_columns_are_chosen(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        pane = await show(pilot, until, "hosts")
        table = pane.query_one(Table)
        await until(pilot, lambda: table.grid.has_focus)
        before = table.visible_columns
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, Columns))
        await until(pilot, lambda: isinstance(app.focused, Tick))
        await pilot.press("down", "space")
        await until(pilot, lambda: before[1] not in table.visible_columns)
        await pilot.press("space", "escape")
        await until(pilot, lambda: table.visible_columns == before)


async def test_enter_shows_a_line_of_the_trail_in_full(logged_in, until, screen_text) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        pane = await show(pilot, until, "activity")
        pane.query_one("#activity-tabs").active = "activity-audit"
        table = pane.query_one("#audit", Table)
        table.focus()
        await until(pilot, lambda: table.cursor_row)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Record))
        assert "What    login" in screen_text(app)


async def test_the_privilege_word_opens_the_doctor(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        await pilot.click("#header-privilege")
        await until(pilot, lambda: app.screen.query_one("#doctor", Table).grid.has_focus)
        await until(pilot, lambda: "Check" in keys(app) and "Role" not in keys(app))


async def test_jobs_have_one_order_and_offer_no_other(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        pane = await show(pilot, until, "activity")
        await until(pilot, lambda: pane.query_one("#jobs", Table).grid.has_focus)
        actions = {active.binding.action for active in app.screen.active_bindings.values() if active.enabled}
        assert "select" in actions
        assert not {"sort_next", "sort_reverse"} & actions


async def test_keys_of_the_configuration_replace_ours(logged_in, until, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[keys]\n"frame.help" = "f9"\n"table.down" = "n"\n"app.quit" = "ctrl+x"\n')
    async with logged_in(settings=load_settings(environ={}, file=file)) as (app, pilot):
        await until(pilot, lambda: keys(app)["Quit"].display == "^x")
        await pilot.press("question_mark")
        await pilot.pause()
        assert app.screen.id == "main"
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Help))


# quitting


async def test_q_leaves_when_nothing_runs(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: app.return_code == 0 and not app.is_running)


@pytest.mark.lab
async def test_q_asks_while_jobs_run(logged_in, until, screen_text) -> None:
    async with logged_in() as (app, pilot):
        actor, services = app.actor, app.services
        scan = await services.scanning.start(actor, SLOW_SCAN)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Quit))
        assert "1 job runs" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Quit))
        await pilot.press("shift+tab", "enter")  # stop mine and quit
        await until(pilot, lambda: app.return_code == 0 and not app.is_running)
    async with logged_in() as (app, pilot):

        async def state() -> str:
            return (await app.services.scans.get(app.actor, scan.id)).state

        while await state() in ("queued", "running"):
            await pilot.pause(0.05)
        assert await state() == "cancelled"


@pytest.mark.lab
async def test_ctrl_q_leaves_at_once_and_jobs_go_on(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        await app.services.scanning.start(app.actor, SLOW_SCAN)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_code == 0 and not app.is_running)
    async with logged_in() as (app, pilot):
        assert await app.services.activity.running(app.actor) == 1
        assert await app.services.activity.stop_own(app.actor) == 1
        while await app.services.activity.running(app.actor):
            await pilot.pause(0.05)


# simple terminals


async def test_ascii_terminals_get_ascii(logged_in, until, screen_text) -> None:
    settings = load_settings(environ={"NETMON_TUI_INTERFACE_ASCII": "true"})
    async with logged_in(size=(80, 24), settings=settings) as (app, pilot):
        for name in NAMES:
            pane = await show(pilot, until, name)
            await until(pilot, lambda pane=pane: pane.has_focus_within and "Quit" in keys(app))
            assert screen_text(app).isascii(), screen_text(app)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        assert screen_text(app).isascii(), screen_text(app)


@pytest.fixture
def terminal(tmp_path: Path) -> Any:
    """Starts a program in a real terminal: ``terminal(argv, TERM="linux")``; all are killed at the end."""
    started: list[pexpect.spawn] = []

    def start(command: list[str], **environment: str) -> pexpect.spawn:
        ours = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "TERM": "xterm-256color",
            "NETMON_TUI_DATA_DIR": str(tmp_path / "data"),
        }  # fmt: skip
        child = pexpect.spawn(
            command[0], command[1:], env=ours | environment, dimensions=(24, 80), timeout=60, encoding="utf-8"
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


PROGRAM = [str(Path(sys.executable).with_name("netmon-tui"))]


@pytest.mark.parametrize(
    "environment", [{"TERM": "linux"}, {"LC_ALL": "C"}, {"TERM": "vt220", "NO_COLOR": "1"}], ids=str
)
def test_consoles_are_drawn_with_ascii(terminal, environment: dict[str, str]) -> None:
    child = terminal(PROGRAM, **environment)
    child.expect("Create the administrator")
    child.expect("Quit")
    child.send("\x11")
    child.expect(pexpect.EOF)
    assert (child.before or "").isascii()
    child.close()
    assert child.exitstatus == 0


def test_no_color_paints_without_hues(terminal) -> None:
    child = terminal(PROGRAM, NO_COLOR="1", COLORTERM="truecolor")
    child.expect("Quit")
    painted = child.before
    child.send("\x11")
    child.expect(pexpect.EOF)
    colours = set(re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", painted))
    assert all(len({red, green, blue}) == 1 for red, green, blue in colours), "a grey has equal parts"


def test_without_mouse_the_terminal_keeps_it(terminal) -> None:
    for mouse, asked in (("false", False), ("true", True)):
        child = terminal(PROGRAM, NETMON_TUI_INTERFACE_MOUSE=mouse)
        child.expect("Quit")
        assert ("\x1b[?1000h" in child.before) is asked
        child.send("\x11")
        child.expect(pexpect.EOF)


def test_a_burst_of_keys_is_answered_in_its_order(terminal) -> None:
    child = terminal(PROGRAM)
    child.expect("Create the administrator")
    child.expect("Quit")
    secret = "walnut-koala-lantern"
    child.send(f"ada\r{secret}\r{secret}\r\r")  # one write: name, password, again, no e-mail address
    child.expect("1 Scans")
    assert secret not in child.before, "typed into a field that shows it"
    child.send("\x11")
    child.expect(pexpect.EOF)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys wait for each other however slow this machine is just now."""
    monkeypatch.setattr(keys_in_turn, "PATIENCE_SECONDS", 25.0)


def type_ahead(app: Any, *keys: str) -> None:
    """As a terminal does when many keys arrive in one packet."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_a_form_takes_a_burst_and_leaves_it(patient, logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: app.screen.query_one("#targets", Input).has_focus)
        type_ahead(app, "ctrl+u", *"wrong", "ctrl+u", *"::1", "tab", "shift+tab", "end", "backspace", "2")
        await until(pilot, lambda: app.screen.query_one("#targets", Input).value == "::2")
        type_ahead(app, "escape", "escape", "2")
        await until(pilot, lambda: (app.screen.id, app.screen._active) == ("main", "neighbours"))


async def test_a_key_that_removes_its_own_widget_holds_up_nobody(patient, logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        for _ in range(5):
            type_ahead(app, "question_mark", "escape", "2", "1")
            await until(pilot, lambda: app._keys._settling is None)
            assert (app.screen.id, app.screen._active) == ("main", "scans")
        assert app._keys.given_up == 0


async def test_leaving_at_once_waits_for_no_other_key(patient, logged_in) -> None:
    async with logged_in() as (app, _pilot):
        released = asyncio.Event()
        app.screen.call_later(released.wait)
        type_ahead(app, *"hjkl", "ctrl+q")
        async with asyncio.timeout(20):
            while app.return_code is None:  # a pilot would wait for the screen
                await asyncio.sleep(0.02)
        assert app._keys.given_up == 0, "it waited for a key that nobody answered"
        released.set()


# defects

CRASH = """
    from pathlib import Path
    import sys
    from textual import work
    from netmon_tui.app import NetmonApp
    from netmon_tui.config.paths import find_paths
    from netmon_tui.config.settings import load_settings

    class Broken(NetmonApp):
        def on_ready(self):
            self.%s()

        @work
        async def in_worker(self):
            self.handler()

        def handler(self):
            secret = "hunter2-hunter2-hunter2"
            raise ValueError("this broke")

    app = Broken(load_settings(environ={}), find_paths())
    app.run()
    sys.exit(app.return_code)
"""


@pytest.mark.parametrize("where", ["handler", "in_worker"])
def test_a_defect_ends_with_one_line_and_tells_no_values(terminal, tmp_path: Path, where: str) -> None:
    child = terminal([sys.executable, "-c", textwrap.dedent(CRASH % where)])
    child.expect(pexpect.EOF)
    output = child.before
    child.close()
    assert child.exitstatus == 1
    last = output.rsplit("\x1b", 1)[-1]
    log = tmp_path / "data" / "log" / "netmon-tui.log"
    assert "netmon-tui failed: ValueError; details in" in output.replace("\r\n", " ").replace("\n", " ")
    assert "hunter2" not in output
    assert "Traceback" not in last
    written = log.read_text()
    assert "ValueError: this broke" in written
    assert "in handler" in written
    assert "hunter2" not in written.replace('secret = "hunter2-hunter2-hunter2"', "")


async def test_a_defect_in_a_worker_of_a_screen_is_told_and_written_down(
    logged_in, until, screen_text, caplog: pytest.LogCaptureFixture
) -> None:
    async with logged_in() as (app, pilot):
        logging.getLogger("netmon_tui").propagate = True

        async def broken() -> None:
            raise KeyError("no such thing")

        app.screen.pane().run_worker(broken(), exit_on_error=False)
        await until(pilot, lambda: "Unexpected KeyError" in screen_text(app))
        assert app.is_running
        assert "no such thing" in caplog.text


async def test_a_field_does_not_lose_keys_to_commands(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"quit123")
        await until(pilot, lambda: app.focused.value == "quit123")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.focused, Input))


@pytest.mark.parametrize(
    ("make", "enter"),
    [(CaptureFilterList, "Use"), (DisplayFilterList, "Use"), (ScheduleList, "Change"), (IgnoreList, "")],
)
async def test_the_last_line_of_a_list_calls_enter_what_it_does_there(
    logged_in: Any, until: Any, make: Any, enter: str
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        app.push_screen(make(app.screen.session))
        await until(pilot, lambda: isinstance(app.screen, make) and "Cancel" in keys(app))
        assert [word for word, key in keys(app).items() if key.key == "enter"] == [enter] * bool(enter)
        app.set_keymap({"table.open": "o"})
        opens = [one for one in app.screen.active_bindings.values() if one.binding.id == "table.open"]
        assert [(one.binding.key, one.binding.description) for one in opens] == [("o", enter)] * bool(enter)
