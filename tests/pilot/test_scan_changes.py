"""What changed since the last scan, on the screen: real nmap against servers of the test on the loopback."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import pytest

from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import StartScan
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.table import Table

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(shutil.which("nmap") is None, reason="nmap is not installed"),
]


class Loopback:
    """Servers that come and go on 127.0.0.1, each on its own port for good."""

    def __init__(self) -> None:
        self._open: dict[int, asyncio.Server] = {}

    async def serve(self, port: int = 0, greeting: bytes = b"") -> int:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", port)
        port = server.sockets[0].getsockname()[1]
        self._open[port] = server
        return port

    def close(self, *ports: int) -> None:
        for port in ports or tuple(self._open):
            self._open.pop(port).close()


async def scan(app: Any, *ports: int, more: str = "") -> int:
    """Scan some ports of 127.0.0.1 to the end."""
    services, actor = app.services, app.actor
    options = f"-sT -n -p {','.join(map(str, ports))} {more}"
    started = await services.scanning.start(actor, StartScan(("127.0.0.1",), options))
    assert (await services.scanning.wait(actor, started.id)).state is JobState.COMPLETED
    return started.id


def cells(table: Table) -> list[list[str]]:
    """The rows as texts."""
    found = table.source.window(0, table.row_count)
    return [[str(getattr(cell, "text", cell)) for cell in row.cells] for row in found if row]


def column(table: Table, key: str) -> dict[str, str]:
    """Scan number -> text of a column."""
    index = [one.key for one in table.columns].index(key)
    return {row[0]: row[index] for row in cells(table)}


async def changes_since(pilot: Any, until: Any, partner: int) -> list[list[str]]:
    """The lines of the tab, once they are those since a scan."""
    screen = await until(pilot, lambda: isinstance(pilot.app.screen, ScanDetailScreen) and pilot.app.screen)
    head = await until(pilot, lambda: screen.query_one("#changes-head", Figure))
    await until(pilot, lambda: f"scan {partner} " in head.text)
    found: list[list[str]] = await until(pilot, lambda: cells(screen.query_one("#changes", Table)))
    return found


@pytest.fixture
async def loopback() -> Any:
    servers = Loopback()
    yield servers
    servers.close()


async def test_a_run_says_what_is_new_and_d_shows_it(logged_in: Any, until: Any, loopback: Loopback) -> None:
    async with logged_in() as (app, pilot):
        stays, goes, comes = [await loopback.serve() for _ in range(3)]
        loopback.close(comes)
        first = await scan(app, stays, goes, comes)
        loopback.close(goes)
        await loopback.serve(comes)
        second = await scan(app, stays, goes, comes)
        table = app.screen.query_one("#scans", Table)
        await until(pilot, lambda: column(table, "changes") == {str(second): "+1 -1", str(first): ""})
        assert table.move_to_key(second)
        await pilot.press("d")
        lines = await changes_since(pilot, until, first)
        assert sorted((line[0], line[2]) for line in lines) == [
            ("+ high", f"{comes}/tcp"),
            ("- low", f"{goes}/tcp"),
        ]
        await pilot.press("enter")  # the host of the line
        await until(pilot, lambda: app.screen._tab == "hosts")


async def test_a_baseline_stays_what_later_runs_are_compared_with(
    logged_in: Any, until: Any, loopback: Loopback
) -> None:
    async with logged_in() as (app, pilot):
        port = await loopback.serve()
        base = await scan(app, port)
        loopback.close(port)
        table = app.screen.query_one("#scans", Table)
        await until(pilot, lambda: "done" in column(table, "state")[str(base)] and table.move_to_key(base))
        await pilot.press("b")
        await until(pilot, lambda: column(table, "changes")[str(base)] == "baseline")
        await scan(app, port)
        latest = await scan(app, port)
        await until(pilot, lambda: column(table, "changes").get(str(latest)) == "-1")
        assert table.move_to_key(latest)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))
        await pilot.press("5")
        assert [line[0] for line in await changes_since(pilot, until, base)] == ["- low"]


async def test_two_selected_scans_are_compared_the_older_first(
    logged_in: Any, until: Any, loopback: Loopback
) -> None:
    async with logged_in() as (app, pilot):
        port = await loopback.serve()
        first = await scan(app, port)
        second = await scan(app, port)
        loopback.close(port)
        third = await scan(app, port)
        table = app.screen.query_one("#scans", Table)
        await until(pilot, lambda: "done" in column(table, "state").get(str(third), ""))
        for chosen in (third, first):
            await until(pilot, lambda chosen=chosen: table.move_to_key(chosen))
            await pilot.press("space")
        await until(pilot, lambda: table.selected_keys == {first, third})
        await pilot.press("d")
        assert [line[0] for line in await changes_since(pilot, until, first)] == ["- low"]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        assert table.selected_keys == frozenset()  # they were selected for that
        table.grid.select({second})
        await pilot.press("d")
        await until(pilot, lambda: any("Select two scans" in n.message for n in app._notifications))
        assert app.screen.id == "main"


async def test_the_first_run_has_nothing_to_be_compared_with(
    logged_in: Any, until: Any, loopback: Loopback, screen_text: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        only = await scan(app, await loopback.serve())
        table = app.screen.query_one("#scans", Table)
        await until(pilot, lambda: "done" in column(table, "state")[str(only)] and table.move_to_key(only))
        await pilot.press("d")
        await until(pilot, lambda: any("came before" in n.message for n in app._notifications))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen))
        await pilot.press("5")
        await until(pilot, lambda: "Nothing to compare with" in screen_text(app))


async def test_what_a_script_says_otherwise_is_shown_in_full_and_ignored(
    logged_in: Any, until: Any, loopback: Loopback, screen_text: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        ports = [await loopback.serve(greeting=b"220 old [red]\x9b31m\r\n") for _ in range(2)]
        first = await scan(app, *ports, more="--script banner")
        for port in ports:
            loopback.close(port)
            await loopback.serve(port, b"220 new [red]\x9b31m\r\n")
        second = await scan(app, *ports, more="--script banner")
        table = app.screen.query_one("#scans", Table)
        await until(pilot, lambda: column(table, "changes").get(str(second)) == "~2")
        assert table.move_to_key(second)
        await pilot.press("d")
        lines = await changes_since(pilot, until, first)
        assert [line[0] for line in lines] == ["~ info"] * 2
        assert [line[2] for line in lines] == [f"{port}/tcp banner" for port in sorted(ports)]
        assert lines[0][3].startswith("220 old [red]")
        await pilot.press("d")
        view = await until(pilot, lambda: next(iter(app.screen.query("#difference")), None))
        await until(
            pilot, lambda: [line.text[:8] for line in view.lines] == ["@@ -1 +1", "-220 old", "+220 new"]
        )
        await until(pilot, lambda: f"- scan {first}, + scan {second}" in screen_text(app))
        assert "\x9b" not in screen_text(app)
        await pilot.press("escape", "I")
        choice = await until(pilot, lambda: next(iter(app.screen.query("#ignore-patterns")), None))
        assert choice.option_count == 3
        await pilot.press("down", "enter")
        changes = await until(pilot, lambda: next(iter(app.screen.query("#changes-head")), None))
        await until(pilot, lambda: "Nothing since" in changes.text and "2 ignored by 1 rule" in changes.text)
        await until(pilot, lambda: app.screen.query_one("#changes", Table).row_count == 0)
