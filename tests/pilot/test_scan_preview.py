"""What the form of a scan says of its cost and its stages, folded where there is no room."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from textual.widgets import Button, Input, Static

from netmon_tui.domain.scan import StartScan
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.widgets.tick import Tick

pytestmark = pytest.mark.skipif(shutil.which("nmap") is None, reason="nmap is not installed")
TARGETS, OPTIONS = "127.0.0.0/26", "-sT -sV -n"
DETECTION = "--min-parallelism 256"
"""What only the command of the last stage has."""


async def form_with(app: Any, pilot: Any, until: Any, targets: str = TARGETS) -> ScanForm:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, ScanForm) and app.screen.query_one("#start"))
    form: ScanForm = app.screen
    form.query_one("#options", Input).value = OPTIONS
    form.query_one("#targets", Input).value = targets
    await pilot.pause()
    return form


def said(form: ScanForm) -> str:
    return str(form.query_one("#preview", Static).visual)


async def test_with_little_room_a_key_shows_the_stages_and_the_rest_again(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await form_with(app, pilot, until)
        await until(pilot, lambda: "3 stages: discovery, ports, detection (ctrl+g" in said(form))
        assert DETECTION not in said(form)
        assert "64 addresses; 1,000 TCP ports" in said(form)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: DETECTION in said(form))
        assert "Stage discovery: " in said(form) and "64 addresses" not in said(form)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "64 addresses" in said(form))
        assert DETECTION not in said(form)


async def test_everything_fits_where_there_is_room(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        form = await form_with(app, pilot, until)
        await until(pilot, lambda: DETECTION in said(form))
        assert "Takes " in said(form) and "64 addresses" in said(form)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: DETECTION not in said(form))
        assert "ctrl+g shows them" in said(form)


async def test_one_nmap_may_do_it_all(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        form = await form_with(app, pilot, until)
        taken: list[StartScan | None] = []
        await until(pilot, lambda: DETECTION in said(form))
        form.query_one("#name", Input).focus()
        await pilot.press("tab", "space")
        await until(pilot, lambda: "Stage" not in said(form) and "64 addresses" in said(form))
        assert form.query_one("#one-nmap", Tick).value
        form._result_callbacks[-1].callback = taken.append
        form.query_one("#start", Button).press()
        await until(pilot, lambda: bool(taken))
        assert taken[0] is not None and taken[0].staged is False


async def test_a_scan_of_one_nmap_has_no_stages_to_show(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await form_with(app, pilot, until, targets="127.0.0.1")
        await until(pilot, lambda: "1 address; 1,000 TCP ports" in said(form))
        await pilot.press("ctrl+g")
        await pilot.pause()
        assert "1 address" in said(form) and "stage" not in said(form)


async def test_a_command_of_many_lines_hides_nothing(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await form_with(app, pilot, until, targets=" ".join(f"127.0.0.{n}" for n in range(1, 200)))
        await until(pilot, lambda: "199 addresses" in said(form))
        assert said(form).startswith("199 addresses")
        assert 0 < said(form).index("(ctrl+g") < said(form).index("-sV -n")
