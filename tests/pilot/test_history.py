"""Ignore rules and the history of a host on the screen, on scans made by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from textual.widgets import Input, OptionList, Select

from netmon_tui.domain.host import Port
from netmon_tui.ui.modals.ignore_form import IgnoreForm
from netmon_tui.ui.modals.ignore_list import IgnoreList
from netmon_tui.ui.modals.moment_form import MomentForm
from netmon_tui.ui.screens.host_history import HostHistoryScreen
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.table import Table
from tests.unit.services.made_scans import Store, host

HERE, LAPTOP = "10.0.0.5", "10.0.0.9"


def three_scans(app: Any) -> list[int]:
    """22 stays; 80 is open, closed, open; the laptop is there every other time; DNS does not answer once."""
    store, now = Store(app.services, app.actor), datetime.now(UTC)
    found = []
    for day in range(3):
        ports = [22, *([] if day == 1 else [80])]
        dns = Port(53, "udp", "open|filtered" if day == 2 else "closed")
        hosts = [host(HERE, *ports, dns), *([host(LAPTOP, 22)] if day != 1 else [])]
        ended = now - timedelta(days=30 - day)
        covered = [["syn", "tcp", 65_535, "1-65535"], ["udp", "udp", 100, "1-100"]]
        found.append(store.scan(hosts, finished=ended, started=ended, scaninfo=covered))
        store.comparison.note_changes(found[-1])
    return found


def cells(table: Table) -> list[list[str]]:
    """The rows as texts."""
    found = table.source.window(0, table.row_count)
    return [[str(getattr(cell, "text", cell)) for cell in row.cells] for row in found if row]


async def test_a_line_is_ignored_shown_and_told_of_again(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        *_, latest = await asyncio.to_thread(three_scans, app)
        app.push_screen(ScanDetailScreen(app.screen.session, latest))
        await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))
        await pilot.press("5")
        table = await until(pilot, lambda: app.screen.query_one("#changes", Table))
        head = app.screen.query_one("#changes-head", Figure)
        await until(pilot, lambda: [row[2] for row in cells(table)] == ["80/tcp", "host"])
        assert "1 ignored by 1 rule (a shows them)" in head.text
        await until(pilot, lambda: table.cursor_row is not None)
        await pilot.press("I")
        form = await until(pilot, lambda: isinstance(app.screen, IgnoreForm) and app.screen)
        choice = form.query_one(OptionList)
        assert [str(choice.get_option_at_index(n).prompt) for n in range(choice.option_count)] == [
            f"80/tcp opened on {HERE}",
            f"80/tcp, any change on {HERE}",
            "80/tcp, any change on every host",
        ]
        form.query_one(Input).value = "the web server is restarted"
        await pilot.press("down", "enter")
        await until(pilot, lambda: [row[2] for row in cells(table)] == ["host"])
        assert "2 ignored by 2 rules (a shows them)" in head.text
        await pilot.press("a")
        await until(pilot, lambda: [row[0] for row in cells(table)] == ["+ ignored", "~ ignored", "+ high"])
        await pilot.press("i")
        rules = await until(pilot, lambda: isinstance(app.screen, IgnoreList) and app.screen)
        listed = rules.query_one(Table)
        await until(pilot, lambda: [row[2] for row in cells(listed)] == ["built in", "ada"])
        await pilot.press("s")
        await until(pilot, lambda: cells(listed)[0][1] == "no")
        await pilot.press("down", "delete")
        await until(pilot, lambda: app.screen.query_one("#yes"))
        await pilot.click("#yes")
        await until(pilot, lambda: len(cells(listed)) == 1)
        await pilot.press("escape")
        await until(pilot, lambda: [row[0] for row in cells(table)] == ["+ high", "~ info", "+ high"])


async def test_the_counts_of_the_list_follow_a_rule(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        *_, latest = await asyncio.to_thread(three_scans, app)
        table = app.screen.query_one("#scans", Table)

        def changes() -> str:
            index = [one.key for one in table.columns].index("changes")
            return {row[0]: row[index] for row in cells(table)}[str(latest)]

        await until(pilot, lambda: changes() == "+2")
        assert table.move_to_key(latest)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))
        await until(pilot, lambda: app.screen.query_one("#changes", Table).cursor_row is not None)
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, IgnoreForm))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))
        await pilot.press("escape")
        await until(pilot, lambda: changes() == "+1")


async def test_an_open_scan_says_since_when_a_port_is_open(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        *_, latest = await asyncio.to_thread(three_scans, app)
        table = app.screen.query_one("#scans", Table)
        await until(pilot, lambda: table.move_to_key(latest))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))
        ports = await until(pilot, lambda: app.screen.query_one("#ports", Table))

        def since() -> list[str]:
            index = [one.key for one in ports.columns].index("since")
            return [row[index].partition("(")[2] for row in cells(ports)]

        await until(
            pilot, lambda: since() == ["3 scans)", "1 scan)", ""] or since() == ["", "3 scans)", "1 scan)"]
        )


async def test_the_history_of_a_host_and_how_it_was(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        _, second, _ = await asyncio.to_thread(three_scans, app)
        await pilot.press("4")
        hosts = await until(pilot, lambda: app.screen.query_one("#hosts", Table))
        await until(pilot, lambda: hosts.row_count == 2 and hosts.cursor_key is not None)
        await pilot.press("t")
        screen = await until(pilot, lambda: isinstance(app.screen, HostHistoryScreen) and app.screen)
        spans, then = screen.query_one("#history-spans", Table), screen.query_one("#history-then", Table)
        mode = screen.query_one("#history-mode", Figure)
        await until(
            pilot,
            lambda: (
                [(row[0], row[5]) for row in cells(spans)]
                == [("host", "3"), ("22/tcp", "3"), ("80/tcp", "1"), ("80/tcp", "1")]
            ),
        )
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "scan 3 of 3" in mode.text and len(cells(then)) == 2)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "scan 2 of 3" in mode.text)
        await until(pilot, lambda: [(row[0], row[3]) for row in cells(then)] == [("22/tcp", str(second))])
        await pilot.press("t")
        form = await until(pilot, lambda: isinstance(app.screen, MomentForm) and app.screen)
        form.query_one(Input).value = "soon"
        await pilot.press("enter")
        await until(pilot, lambda: "is no time" in str(form.query_one("#moment-error").render()))
        form.query_one(Input).value = "-1d"
        await pilot.press("enter")
        await until(pilot, lambda: "scan 3 of 3: up" in mode.text)
        assert [row[5] for row in cells(then)] == ["27d", "27d"]
        await pilot.press("right_square_bracket")  # nothing is newer: the intervals again
        await until(pilot, lambda: spans.display and not then.display)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")


async def test_pin_and_export_act_on_what_is_selected(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        first, second, third = await asyncio.to_thread(three_scans, app)
        table = app.screen.query_one("#scans", Table)
        await until(pilot, lambda: table.move_to_key(third))
        table.grid.select({first, second})
        await pilot.press("b")
        services = app.services

        async def pinned() -> list[int]:
            return [one.id for one in await services.scans.find(app.actor) if one.pinned]

        await until(pilot, lambda: any("2 scans are baselines" in n.message for n in app._notifications))
        assert await pinned() == [second, first]
        await pilot.press("e")
        path = await until(pilot, lambda: app.screen.query_one("#path", Input))
        app.screen.query_one("#format", Select).value = "json"
        await until(pilot, lambda: path.value.endswith("scan-#.json"))
        await pilot.click("#export")
        await until(pilot, lambda: any("2 of 2 scans are written" in n.message for n in app._notifications))
        written = {file.name for file in services.paths.exports.iterdir()}
        assert written == {f"scan-{first}.json", f"scan-{second}.json"}
