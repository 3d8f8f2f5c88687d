"""The Devices tab of the neighbours, the page of one device, and the marks that the table shows, too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from netmon_tui.domain.device import MarksChange
from netmon_tui.storage.neighbour_repository import NeighbourRepository, Sighting
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.device_form import DeviceForm
from netmon_tui.ui.modals.device_import import DeviceImportPreview
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.modals.file_picker import FilePicker
from netmon_tui.ui.modals.help import Help
from netmon_tui.ui.modals.history import History
from netmon_tui.ui.screens.device_page import DevicePageScreen
from netmon_tui.ui.screens.devices import DevicesPane
from netmon_tui.ui.screens.neighbour_tabs import NeighboursPane
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.tick import Tick
from tests.lab.network import Lab
from tests.pilot.test_neighbours_pane import meet
from tests.pilot.test_neighbours_pane import rows as table_rows
from tests.pilot.test_neighbours_pane import shown as table_shown

PI, HP = "b8:27:eb:00:00:01", "3c:d9:2b:00:00:02"


def saw(app: Any, lladdr: str, address: str, *hours_ago: float) -> None:
    memory = NeighbourRepository(app.services.database)
    for hours in hours_ago:
        moment = datetime.now(UTC) - timedelta(hours=hours)
        memory.remember([Sighting("eth9", address, "ipv4", lladdr, False, moment)])


def rows(table: Table) -> dict[str, dict[str, str]]:
    """lladdr (or the first column) -> column key -> text, as far as loaded."""
    keys = [column.key for column in table.columns]
    found = [row for row in table.source.window(0, table.row_count) or () if row]
    texts = [[getattr(cell, "text", cell) for cell in row.cells] for row in found]
    return {str(row.key): dict(zip(keys, text, strict=True)) for row, text in zip(found, texts, strict=True)}


async def shown(pilot: Any, until: Any) -> Table:
    """Go to the tab."""
    await pilot.press("2")
    pane = await until(pilot, lambda: pilot.app.screen.query_one(NeighboursPane))
    await until(pilot, lambda: pane.has_focus_within)
    await pilot.press("left_square_bracket")
    table = await until(pilot, lambda: pane.query_one("#devices", Table))
    await until(pilot, lambda: table.grid.has_focus)
    return table  # type: ignore[no-any-return]


async def point_at(pilot: Any, until: Any, table: Table, lladdr: str) -> None:
    await until(pilot, lambda: lladdr in rows(table))
    assert table.move_to_key(lladdr)
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (20, 5)])
async def test_any_size_of_terminal(logged_in: Any, until: Any, size: tuple[int, int]) -> None:
    async with logged_in(size=size) as (app, pilot):
        saw(app, PI, "10.9.0.1", 3)
        saw(app, PI, "10.9.0.2", 0.1)
        table = await shown(pilot, until)
        row = await until(pilot, lambda: rows(table)[PI])
        assert row["addresses"] == "10.9.0.2, +1"
        assert row["present"].endswith("present")
        assert table.visible_columns[0] == "name"
        if size[0] >= 80:
            assert {"lladdr", "addresses", "present", "last_seen", "marks"} <= set(table.visible_columns)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DevicePageScreen))
        await until(pilot, lambda: len(rows(app.screen.query_one(Table))) == 2)


async def test_brackets_turn_to_the_next_tab_and_help_is_its_own(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    async with logged_in() as (app, pilot):
        await pilot.press("2")
        pane = await until(pilot, lambda: app.screen.query_one(NeighboursPane))
        await until(pilot, lambda: pane.has_focus_within)
        assert pane.LIVE_SECONDS is not None
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: pane.query_one(DevicesPane).has_focus_within)
        assert pane.LIVE_SECONDS is None, "devices change with the store only"
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help) and "Help: Devices" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        await pilot.press("left_square_bracket", "right_square_bracket", "left_square_bracket")
        await until(pilot, lambda: not pane.query_one("#devices", Table).has_focus_within)


async def test_m_names_a_device_and_delete_forgets_it(logged_in: Any, until: Any, screen_text: Any) -> None:
    async with logged_in() as (app, pilot):
        saw(app, PI, "10.9.0.1", 0.1)
        table = await shown(pilot, until)
        await point_at(pilot, until, table, PI)
        await pilot.press("N")
        form = await until(pilot, lambda: isinstance(app.screen, DeviceForm) and app.screen)
        form.query_one("#device-name", Input).value = "\u202egpj"
        await pilot.press("enter")
        await until(pilot, lambda: "do not print" in screen_text(app))
        # what somebody else says meanwhile, and is not changed here, stays
        await app.services.segment.devices.mark(app.actor, PI, MarksChange(note="of bo"))
        form.query_one("#device-name", Input).value = "[bold]hall[/]"
        form.query_one("#device-known", Tick).value = True
        await pilot.press("enter")
        await until(pilot, lambda: rows(table)[PI]["name"] == "[bold]hall[/]")
        assert rows(table)[PI]["marks"] == "known"
        assert "[bold]hall[/]" in screen_text(app)
        assert (await app.services.segment.devices.marks(app.actor, PI)).note == "of bo"
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        assert (await app.services.segment.devices.marks(app.actor, PI)).name
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        app.screen.query_one("#yes").press()
        await until(pilot, lambda: not rows(table)[PI]["name"])


async def test_the_page_tells_the_device_over_time(logged_in: Any, until: Any, screen_text: Any) -> None:
    async with logged_in() as (app, pilot):
        saw(app, PI, "10.9.0.1", 9, 8.2)
        saw(app, HP, "10.9.0.1", 5)
        saw(app, PI, "10.9.0.7", 0.3, 0.1)
        await app.services.segment.devices.mark(
            app.actor, PI, MarksChange("gate", "in the hall", must_be_up=True)
        )
        table = await shown(pilot, until)
        await point_at(pilot, until, table, PI)
        await pilot.press("enter")
        page = await until(pilot, lambda: isinstance(app.screen, DevicePageScreen) and app.screen)
        times = page.query_one(Table)
        first, second = await until(pilot, lambda: len(rows(times)) == 2 and tuple(rows(times).values()))
        assert (first["address"], first["lasted"]) == ("10.9.0.7", "0:12:00")
        assert first["state"].endswith("present")
        assert (second["address"], second["lasted"]) == ("10.9.0.1", "0:48:00")
        assert second["state"].endswith("quiet")
        text = screen_text(app)
        for words in (f"gate  {PI}", "in the hall", "2 addresses", "must be up", "24 h [", "7 days ["):
            assert words in text
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, History) and HP in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is page)
        await pilot.press("N")
        form = await until(pilot, lambda: isinstance(app.screen, DeviceForm) and app.screen)
        form.query_one("#device-name", Input).value = "door"
        await pilot.press("enter")
        await until(pilot, lambda: f"door  {PI}" in screen_text(app))
        await pilot.press("s")
        await until(pilot, lambda: app.screen.query_one("#targets", Input).value == "10.9.0.1")


async def test_pivots_take_the_address_to_speak_to(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        saw(app, PI, "10.9.0.7", 0.1)
        await app.services.segment.devices.mark(app.actor, HP, MarksChange("never seen"))
        table = await shown(pilot, until)
        await point_at(pilot, until, table, HP)
        await pilot.press("s", "c", "H")
        await pilot.pause()
        assert app.screen.id == "main"
        assert app.screen._active == "neighbours", "without an address there is nowhere to go"
        await point_at(pilot, until, table, PI)
        await pilot.press("H")
        await until(pilot, lambda: app.screen.query_one("#hosts", Table).filter_text == "10.9.0.7")


async def test_import_is_looked_at_first(
    logged_in: Any, until: Any, tmp_path: Path, screen_text: Any
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"mac,name\n{PI},[b]pi[/b]\nzz,x\n")
    async with logged_in(size=(80, 24)) as (app, pilot):
        table = await shown(pilot, until)
        for decide in ("escape", "import"):
            await pilot.press("i")
            picker = await until(pilot, lambda: isinstance(app.screen, FilePicker) and app.screen)
            picker.query_one("#path", Input).value = str(file)
            await pilot.press("enter")
            preview = await until(pilot, lambda: isinstance(app.screen, DeviceImportPreview) and app.screen)
            await until(pilot, lambda: "1 new, 0 changed, 0 as before, 1 line refused" in screen_text(app))
            assert "new: name [b]pi[/b]" in screen_text(app)
            assert "'zz' is no lladdr" in screen_text(app)
            if decide == "escape":
                await pilot.press("escape")
                await until(pilot, lambda: app.screen.id == "main")
                assert (await app.services.segment.devices.marks(app.actor, PI)).name == ""
            else:
                preview.query_one("#import").press()
        await until(pilot, lambda: rows(table)[PI]["name"] == "[b]pi[/b]")


async def test_export_writes_what_the_filter_leaves(logged_in: Any, until: Any, tmp_path: Path) -> None:
    async with logged_in() as (app, pilot):
        for lladdr, name in ((PI, "pi"), (HP, "hp")):
            await app.services.segment.devices.mark(app.actor, lladdr, MarksChange(name))
        table = await shown(pilot, until)
        table.filter_by("hp")
        await until(pilot, lambda: list(rows(table)) == [HP])
        await pilot.press("e")
        dialog = await until(pilot, lambda: isinstance(app.screen, Export) and app.screen)
        dialog.query_one("#format").value = "json"
        dialog.query_one("#path").value = str(tmp_path / "out.json")
        await pilot.press("enter")
        await until(pilot, (tmp_path / "out.json").exists)
        assert [one["name"] for one in json.loads((tmp_path / "out.json").read_text())] == ["hp"]


async def test_a_viewer_may_look_and_export_but_not_mark(logged_in: Any, until: Any) -> None:
    async with logged_in(role="viewer") as (app, pilot):
        await shown(pilot, until)
        allowed = {active.binding.action for active in app.screen.active_bindings.values()}
        assert {"export", "host"} <= allowed
        assert not {"mark", "forget", "import", "scan", "capture"} & allowed


@pytest.mark.lab
@pytest.mark.inside_lab
async def test_a_host_that_changes_its_address_and_its_lladdr(logged_in: Any, until: Any, lab: Lab) -> None:
    first, second = "b8:27:eb:00:00:45", "b8:27:eb:00:99:45"
    made = lab.add_host("10.77.0.45", first, {(80, "tcp"): "http"})
    async with logged_in() as (app, pilot):
        await table_shown(pilot, until)
        pane = app.screen.query_one("#neighbours-table")
        meet("10.77.0.45")
        await until(pilot, lambda: table_rows(pane)["10.77.0.45"]["lladdr"] == first)
        await app.services.segment.devices.mark(app.actor, first, MarksChange("roaming", known=True))
        await until(pilot, lambda: table_rows(pane)["10.77.0.45"]["name"] == "roaming")
        assert "known" in table_rows(pane)["10.77.0.45"]["flags"]
        lab.run(["ip", "address", "add", "10.77.0.46/24", "dev", "eth0"], host=made.name, check=True)
        meet("10.77.0.46")
        await until(pilot, lambda: table_rows(pane)["10.77.0.46"]["lladdr"] == first)
        lab.set_lladdr(made.name, second)
        meet("10.77.0.45")
        await until(pilot, lambda: table_rows(pane)["10.77.0.45"]["lladdr"] == second)
        assert table_rows(pane)["10.77.0.45"]["name"] != "roaming", "what is said is said of a lladdr"
        await app.services.neighbours._store(all_of_it=True)
        page = await app.services.segment.devices.page(app.actor, first)
        ends = {one.address: one.ending for one in page.presences if "." in one.address}
        assert ends["10.77.0.45"] == "replaced"
        assert set(ends) == {"10.77.0.45", "10.77.0.46"}
        held = await app.services.segment.devices.holders(app.actor, "10.77.0.45")
        assert [one.lladdr for one in held[:2]] == [second, first]
        table = await shown(pilot, until)
        await point_at(pilot, until, table, first)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DevicePageScreen))
        await until(
            pilot,
            lambda: {row["address"] for row in rows(app.screen.query_one(Table)).values()} >= set(ends),
        )
    lab.remove_host(made.name)
