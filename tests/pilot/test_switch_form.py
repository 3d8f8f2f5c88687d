"""The form of switches and the picker of nmap's scripts: in step with the line of options, by keyboard alone."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from textual.widgets import Input, Select, Static, TabbedContent

from netmon_tui.domain.job import JobState
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.modals.script_picker import ScriptPicker
from netmon_tui.ui.modals.switch_form import SwitchForm
from netmon_tui.ui.widgets.switch_row import SwitchRow
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.text_view import TextView

needs_nmap = pytest.mark.skipif(shutil.which("nmap") is None, reason="nmap is not installed")
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)


async def scan_form(app: Any, pilot: Any, until: Any, options: str) -> ScanForm:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, ScanForm) and app.screen.query_one("#start"))
    form: ScanForm = app.screen
    form.query_one("#options", Input).value = options
    return form


async def switch_form(app: Any, pilot: Any, until: Any, options: str = "") -> SwitchForm:
    if not isinstance(app.screen, ScanForm):
        await scan_form(app, pilot, until, options)
    await pilot.press("ctrl+t")
    await until(
        pilot, lambda: isinstance(app.screen, SwitchForm) and isinstance(app.focused.parent, SwitchRow)
    )
    form: SwitchForm = app.screen
    return form


def line(form: SwitchForm) -> str:
    return form.query_one("#switches-line", Input).value


def row(form: SwitchForm, key: str) -> SwitchRow:
    return next(one for one in form.query(SwitchRow) if one.switch.key == key)


def said(form: SwitchForm) -> str:
    return str(form.query_one("#switches-said", Static).visual)


@SIZES
async def test_switches_and_line_change_each_other(logged_in: Any, until: Any, size: tuple[int, int]) -> None:
    async with logged_in(size=size) as (app, pilot):
        form = await switch_form(app, pilot, until, "-n -T4 -p 22")
        assert row(form, "-n").value == "-n" and row(form, "-T0").value == "-T4"
        await pilot.press("down", "down", "down", "space")
        await until(pilot, lambda: line(form) == "-n -T4 -p22 -sU")
        await pilot.press("pagedown", "pagedown")
        ports = row(form, "-p")
        await until(pilot, lambda: app.focused is ports.control)
        await pilot.press("end", *",80")
        await until(pilot, lambda: line(form) == "-n -T4 -p22,80 -sU")
        form.query_one("#switches-line", Input).value = "-T2 -sS"
        await until(pilot, lambda: row(form, "-T0").value == "-T2")
        assert row(form, "-sS").value == "-sS" and not row(form, "-sU").value
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, ScanForm))
        await until(pilot, lambda: app.screen.query_one("#options", Input).value == "-T2 -sS")


@SIZES
async def test_every_group_is_reached_and_seen_by_keyboard(
    logged_in: Any, until: Any, size: tuple[int, int]
) -> None:
    async with logged_in(size=size) as (app, pilot):
        form = await switch_form(app, pilot, until)
        tabs, seen = form.query_one(TabbedContent), []
        for _ in range(tabs.tab_count):
            seen.append(tabs.active)
            for one in tabs.active_pane.query(SwitchRow):  # type: ignore[union-attr]
                await until(pilot, lambda: app.focused.parent in form.query(SwitchRow))
                one.control.focus()
                await until(
                    pilot, lambda one=one: one.region.height == 1 and one.region.bottom <= size[1] - 5
                )
            await pilot.press("pagedown")
            await until(pilot, lambda: tabs.active != seen[-1])
        assert len(set(seen)) == 7 and tabs.active == seen[0]
        assert form.query_one("#take").region.bottom <= size[1]


async def test_a_choice_opens_and_keeps_its_arrows(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await switch_form(app, pilot, until, "-n")
        await pilot.press("down", "enter")
        await until(pilot, lambda: row(form, "-sS").query_one(Select).expanded)
        await pilot.press("down", "enter")
        await until(pilot, lambda: line(form) == "-n -sS")


async def test_what_is_refused_is_said_and_not_lost(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await switch_form(app, pilot, until, "-sn")
        await pilot.press("pagedown", "pagedown")
        ports = row(form, "-p")
        await until(pilot, lambda: app.focused is ports.control)
        await pilot.press(*"22")
        await until(pilot, lambda: line(form) == "-sn -p22" and "no list of ports" in said(form))
        await pilot.press(*",x")
        await until(pilot, lambda: "'x' is not a port" in said(form))
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert app.screen is form and ports.value == "22,x" and line(form) == "-sn -p22"
        form.query_one("#switches-line", Input).value = "-oN /tmp/x"
        await until(pilot, lambda: "writes files" in said(form))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ScanForm))
        assert app.screen.query_one("#options", Input).value == "-sn"


async def test_warnings_are_said(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await switch_form(app, pilot, until, "-Pn -PE")
        await until(pilot, lambda: "-PE does nothing with -Pn" in said(form))
        assert row(form, "-PS").value == ""
        field = row(form, "-PS").query_one(Input)
        field.focus()
        await pilot.press(*"80")
        await until(pilot, lambda: line(form) == "-Pn -PE -PS80")


@needs_nmap
@SIZES
async def test_scripts_are_picked_with_their_arguments(
    logged_in: Any, until: Any, size: tuple[int, int]
) -> None:
    async with logged_in(size=size) as (app, pilot):
        form = await switch_form(app, pilot, until, '-F --script "banner,default and not http-*"')
        await pilot.press("ctrl+n")
        await until(
            pilot, lambda: isinstance(app.screen, ScriptPicker) and app.screen.query_one(Table).cursor_key
        )
        picker = app.screen
        assert picker.query_one("#script-arguments").region.bottom < size[1]
        await pilot.press("slash", *"http-title", "enter")
        await until(pilot, lambda: picker.query_one(Table).cursor_key == "http-title")
        about = picker.query_one(TextView)
        await until(pilot, lambda: any("http-title.url" in one.text for one in about.lines))
        await pilot.press("space")
        await until(pilot, lambda: picker.query_one(Table).cursor_row.cells[0] == "[x]")
        await pilot.press("a", *"http-title.url=/x", "enter")
        await until(pilot, lambda: app.screen is form)
        assert line(form) == (
            '-F --script "banner,default and not http-*,http-title" --script-args http-title.url=/x'
        )


@needs_nmap
async def test_scripts_that_may_do_harm_ask_first(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await scan_form(app, pilot, until, "-sL --script http-slowloris")
        form.query_one("#targets", Input).value = "127.0.0.1"
        await until(
            pilot, lambda: "Asks before it runs http-slowloris" in str(form.query_one("#preview").visual)
        )
        form.query_one("#targets", Input).focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "http-slowloris (dos, intrusive)" in str(app.screen.query_one("#confirm-text", Static).visual)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is form)
        assert await app.services.scans.count(app.actor) == 0
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: app.screen.id == "main")
        scans = app.services.scans
        while not (found := await scans.find(app.actor)) or not found[0].state.is_final:
            await pilot.pause(0.05)
        assert found[0].state is JobState.COMPLETED
