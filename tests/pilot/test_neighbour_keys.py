"""Editing the neighbour table by keys, on the lab's network: the dialogs, and what the kernel has afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Input, Select, Static

from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.neighbour_edits import NeighbourEdits
from netmon_tui.ui.modals.neighbour_forms import EntryForm, FlushForm
from netmon_tui.ui.screens.neighbour_table import NeighbourTablePane
from netmon_tui.ui.widgets.table import Table
from tests.lab.network import Lab

pytestmark = [pytest.mark.lab, pytest.mark.inside_lab]
FREE, MAC, OTHER = "10.77.0.200", "00:16:3e:00:00:01", "00:16:3e:00:00:02"


def kernel(lab: Lab) -> dict[str, tuple[str, str]]:
    """Address -> (lladdr, state)."""
    said = lab.run(["ip", "-j", "neigh", "show", "dev", "eth0", "nud", "all"], check=True).stdout
    return {row["dst"]: (row.get("lladdr", ""), row["state"][0]) for row in json.loads(said)}


@pytest.fixture(autouse=True)
def emptied(lab: Lab) -> Iterator[None]:
    """The table without what other tests left, and left so."""
    for state in ("all", "permanent"):
        lab.run(["ip", "neigh", "flush", "dev", "eth0", "nud", state])
    yield
    lab.run(["ip", "neigh", "flush", "dev", "eth0", "nud", "permanent"])


async def shown(pilot: Any, until: Any, *addresses: str) -> NeighbourTablePane:
    """Go to the tab, and to the row of the first address."""
    await pilot.press("2")
    pane = await until(pilot, lambda: pilot.app.screen.query_one(NeighbourTablePane))
    table = await until(pilot, lambda: pane.query_one("#neighbours", Table))
    await until(pilot, lambda: table.grid.has_focus)
    if addresses:
        await until(pilot, lambda: all(table.source.row(("eth0", address)) for address in addresses))
        assert table.move_to_key(("eth0", addresses[0]))
        await pilot.pause()
    return pane


def told(app: Any) -> str:
    """What the dialog says."""
    return str(app.screen.query_one("#confirm-text", Static).render())


async def asked(pilot: Any, until: Any) -> str:
    """Wait for the question; what it says."""
    await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    return told(pilot.app)


async def answer(pilot: Any, until: Any, button: str = "#yes") -> None:
    """Answer the question, and wait until the list is back."""
    question = pilot.app.screen
    question.query_one(button).focus()
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen is not question)


async def test_add_and_undo(logged_in, until, lab: Lab) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await shown(pilot, until)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, EntryForm))
        app.screen.query_one("#neighbour-address", Input).value = FREE
        app.screen.query_one("#neighbour-lladdr", Input).value = "01:00:5e:00:00:01"
        await until(pilot, lambda: "group" in str(app.screen.query_one("#neighbour-error", Static).render()))
        app.screen.query_one("#neighbour-lladdr", Input).value = "00163E000001"
        line = f"ip neigh add {FREE} lladdr {MAC} dev eth0 nud permanent"
        await until(pilot, lambda: line in str(app.screen.query_one("#neighbour-preview", Static).render()))
        app.screen.query_one("#neighbour-lladdr", Input).focus()
        await pilot.press("enter")
        assert await asked(pilot, until) == line
        await answer(pilot, until)
        await until(pilot, lambda: kernel(lab).get(FREE) == (MAC, "PERMANENT"))
        await until(pilot, lambda: app.screen.id == "main")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, NeighbourEdits))
        await until(pilot, lambda: app.screen.chosen is not None)
        assert line in str(app.screen.query_one("#neighbour-edit-about", Static).render())
        await pilot.press("enter")
        assert f"ip neigh del {FREE} dev eth0" in await asked(pilot, until)
        await answer(pilot, until)
        await until(pilot, lambda: FREE not in kernel(lab))


async def test_delete_asks_again_when_the_entry_has_changed(logged_in, until, lab: Lab) -> None:
    lab.run(["ip", "neigh", "replace", FREE, "lladdr", MAC, "dev", "eth0", "nud", "stale"], check=True)
    async with logged_in() as (app, pilot):
        await shown(pilot, until, FREE)
        await pilot.press("D")
        assert f"now: {MAC} STALE" in await asked(pilot, until)
        await answer(pilot, until, "#cancel")
        await until(pilot, lambda: app.screen.id == "main")
        assert FREE in kernel(lab)
        await pilot.press("D")
        await asked(pilot, until)
        lab.run(["ip", "neigh", "replace", FREE, "lladdr", OTHER, "dev", "eth0", "nud", "stale"], check=True)
        await answer(pilot, until)
        said = await asked(pilot, until)
        assert "the table has changed" in said and OTHER in said
        assert kernel(lab)[FREE][0] == OTHER
        await answer(pilot, until)
        await until(pilot, lambda: FREE not in kernel(lab))


async def test_change_and_keep(logged_in, until, lab: Lab) -> None:
    lab.run(["ip", "neigh", "replace", FREE, "lladdr", MAC, "dev", "eth0", "nud", "stale"], check=True)
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until, FREE)
        await pilot.press("P")
        assert "nud permanent" in await asked(pilot, until)
        await answer(pilot, until)
        await until(pilot, lambda: kernel(lab)[FREE] == (MAC, "PERMANENT"))
        await until(pilot, lambda: app.screen.id == "main")
        row = pane.query_one(Table).source.row
        await until(pilot, lambda: "PERMANENT" in str(row(("eth0", FREE))))
        await pilot.press("E")
        await until(pilot, lambda: isinstance(app.screen, EntryForm))
        assert app.screen.query_one("#neighbour-lladdr", Input).value == MAC
        app.screen.query_one("#neighbour-lladdr", Input).value = OTHER
        app.screen.query_one("#neighbour-state", Select).value = "STALE"
        await pilot.press("enter")
        assert f"lladdr {OTHER} dev eth0 nud stale" in await asked(pilot, until)
        await answer(pilot, until)
        await until(pilot, lambda: kernel(lab)[FREE] == (OTHER, "STALE"))


async def test_flush_tells_how_many_and_spares_the_session(
    logged_in, until, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.77.0.202 50000 10.77.0.1 22")
    for n in (200, 201, 202):
        lab.run(["ip", "neigh", "replace", f"10.77.0.{n}", "lladdr", MAC, "dev", "eth0", "nud", "stale"])
    async with logged_in() as (app, pilot):
        await shown(pilot, until, "10.77.0.202", FREE)
        await pilot.press("D")
        await until(pilot, lambda: "SSH session to here" in " ".join(n.message for n in app._notifications))
        assert app.screen.id == "main"
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, FlushForm))
        app.screen.query_one("#neighbour-state", Select).value = "STALE"
        app.screen.query_one("#neighbour-family", Select).value = "ipv4"
        preview = app.screen.query_one("#neighbour-preview", Static)
        lines = ("entries of eth0 STALE ipv4", "ip neigh del 10.77.0.200 dev eth0")
        await until(pilot, lambda: all(line in str(preview.render()) for line in lines))
        await pilot.press("enter")
        assert "left out: 10.77.0.202 carries an SSH session to here" in await asked(pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: "Nothing was flushed" in [n.message for n in app._notifications])
        assert FREE in kernel(lab)
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, FlushForm))
        app.screen.query_one("#neighbour-family", Select).value = "ipv4"
        await pilot.press("enter")
        await asked(pilot, until)
        await answer(pilot, until)
        await until(pilot, lambda: FREE not in kernel(lab))
        assert "10.77.0.202" in kernel(lab)


async def test_wake_needs_no_question(logged_in, until, lab: Lab) -> None:
    lab.run(["ip", "neigh", "replace", FREE, "lladdr", MAC, "dev", "eth0", "nud", "stale"], check=True)
    async with logged_in() as (app, pilot):
        await shown(pilot, until, FREE)
        await pilot.press("W")
        await until(
            pilot, lambda: f"Magic packet for {MAC} sent by eth0" in [n.message for n in app._notifications]
        )


async def test_a_viewer_has_no_such_keys(logged_in, until, lab: Lab) -> None:
    async with logged_in(role="viewer") as (app, pilot):
        await shown(pilot, until)
        allowed = {active.binding.action for active in app.screen.active_bindings.values()}
        assert not allowed & {
            "add_entry",
            "change_entry",
            "keep_entry",
            "delete_entry",
            "flush_entries",
            "edits",
            "wake",
        }


async def test_without_the_capability_the_keys_say_what_is_missing(
    logged_in, until, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in() as (app, pilot):
        await shown(pilot, until)
        editing = app.services.segment.editing
        monkeypatch.setattr(editing, "_privilege", replace(editing._privilege, can_edit_neighbours=False))
        await pilot.press("a")
        await until(pilot, lambda: "CAP_NET_ADMIN" in " ".join(n.message for n in app._notifications))
        assert app.screen.id == "main"
