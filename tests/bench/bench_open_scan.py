"""Opening a scan of 65,536 hosts on the real screen, and moving in it, beside all rows in Textual's DataTable.

``python tests/bench/bench_open_scan.py [HOSTS]``. One process at 120x40, no terminal: every time is that from the
message (a screen pushed, a key) to the row being in what the compositor would send. Printed for both: opening,
End, Home, 100 times PageDown (median and worst), each letter of a filter, opening the map; then the ratios. The
DataTable is what one would write first: it reads all rows when it is opened, and again for every filter.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.css.query import QueryError
from textual.screen import Screen
from textual.widgets import DataTable

from netmon_tui.app import build_app
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import Window
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from tests.bench.bulk_scan import FIRST, store_scan

SIZE = (120, 40)
PAGES = 100
TYPED = "65535"
LIMIT = 120.0


def address(number: int) -> str:
    """The address of a host of the scan."""
    return str(IPv4Address(FIRST + number))


def first_match(hosts: int, text: str) -> str:
    """The address of the first host that a filter leaves."""
    return next(address(n) for n in range(hosts) if text in address(n) or text in f"host-{n}.example.net")


class Naive(Screen[None]):
    """The list of hosts as a DataTable with all its rows."""

    def __init__(self, services: Any, actor: Actor, scan_id: int) -> None:
        super().__init__()
        self.services, self.actor, self.scan_id = services, actor, scan_id

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    async def on_mount(self) -> None:
        self.query_one(DataTable).add_columns("Address", "Name", "Open", "Vendor", "OS", "State")
        await self.fill("")

    async def fill(self, text: str) -> None:
        table = self.query_one(DataTable)
        table.clear()
        lines = await self.services.scans.hosts(self.actor, self.scan_id, Window(limit=1_000_000, text=text))
        for line in lines:
            cells = (line.address, line.hostname, str(line.open_ports), line.vendor, line.os, line.status)
            table.add_row(*map(Text, cells))


class Watch:
    """Measures from a cause to a row on the screen."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._painted = asyncio.Event()
        self._display = app._display
        app._display = self._on_paint

    def _on_paint(self, *arguments: Any) -> None:
        """Note that something was painted: looking more often would slow down what is measured."""
        self._display(*arguments)
        self._painted.set()

    def rows(self) -> Iterator[str]:
        """The screen, line by line."""
        for strip in self.app.screen._compositor.render_strips():
            yield strip.text

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait for a fact, looking after every paint."""
        end = time.perf_counter() + LIMIT
        while True:
            with suppress(QueryError, LookupError, AttributeError):
                if fact():
                    return
            assert time.perf_counter() < end, "\n".join(self.rows())
            self._painted.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._painted.wait(), 0.25)

    def shows(self, wanted: str) -> Callable[[], bool]:
        """Whether a row of the screen has this word."""
        return lambda: any(wanted in line.split() for line in self.rows())

    async def after(self, cause: Callable[[], Any], fact: Callable[[], bool]) -> float:
        """Milliseconds from a cause to a fact."""
        began = time.perf_counter()
        cause()
        await self.until(fact)
        return (time.perf_counter() - began) * 1000

    async def key(self, key: str, wanted: str, character: str | None = None) -> float:
        """Milliseconds from a key to a row."""
        return await self.after(lambda: self.app.post_message(events.Key(key, character)), self.shows(wanted))


async def moves(watch: Watch, hosts: int, page: int, control: str = "") -> dict[str, list[float]]:
    """To the last row, to the first, and many PageDowns; ``control`` stands before the keys' names."""
    found = {"End": [await watch.key(f"{control}end", address(hosts - 1))]}
    found["Home"] = [await watch.key(f"{control}home", address(0))]
    found["PageDown"] = [
        await watch.key("pagedown", address(min(hosts - 1, number * page))) for number in range(1, PAGES + 1)
    ]
    await watch.key(f"{control}home", address(0))
    return found


async def ours(app: Any, watch: Watch, scan_id: int, hosts: int) -> dict[str, list[float]]:
    """The program's own screen."""
    screen = ScanDetailScreen(app.screen.session, scan_id)
    opened = await watch.after(lambda: app.push_screen(screen), watch.shows(address(0)))
    grid = screen.query_one("#hosts").grid
    found = {"open": [opened], **await moves(watch, hosts, grid.page)}
    app.post_message(events.Key("slash", "/"))
    await watch.until(lambda: screen.focused is not grid)
    found["filter"] = []
    for number, character in enumerate(TYPED, 1):
        wanted = first_match(hosts, TYPED[:number])
        fact = lambda wanted=wanted: any(line.split()[2:3] == [wanted] for line in [list(watch.rows())[5]])  # noqa: E731
        found["filter"].append(
            await watch.after(lambda c=character: app.post_message(events.Key(c, c)), fact)
        )
    app.post_message(events.Key("escape", None))
    await watch.until(lambda: grid.has_focus)
    tree = lambda: any("▾ 192.0.2.1" in line for line in watch.rows())  # noqa: E731
    found["map"] = [await watch.after(lambda: app.post_message(events.Key("3", "3")), tree)]
    screen.dismiss(None)
    await watch.until(lambda: app.screen is not screen)
    return found


async def theirs(app: Any, watch: Watch, scan_id: int, hosts: int) -> dict[str, list[float]]:
    """All rows in a DataTable."""
    screen = Naive(app.services, app.actor, scan_id)
    opened = await watch.after(lambda: app.push_screen(screen), watch.shows(address(0)))
    table = screen.query_one(DataTable)
    await watch.until(lambda: table.row_count == hosts)
    page = table.size.height - 1
    found = {"open": [opened], **await moves(watch, hosts, page, "ctrl+")}
    found["filter"] = []
    for number in range(1, len(TYPED) + 1):
        wanted = first_match(hosts, TYPED[:number])
        fact = lambda wanted=wanted: list(watch.rows())[1].split()[:1] == [wanted]  # noqa: E731
        found["filter"].append(
            await watch.after(lambda n=number: screen.run_worker(screen.fill(TYPED[:n])), fact)
        )
    return found


async def main(hosts: int) -> None:
    """Print all figures."""
    gc.disable()  # as the command line does; the application enables it when its first screen is painted
    with tempfile.TemporaryDirectory() as folder:
        app = build_app(data_dir=Path(folder) / "data")
        app.animation_level = "none"
        async with app.run_test(size=SIZE) as pilot:
            services, watch = await app.open_services(), Watch(app)
            user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
            actor = Actor(user.id, user.name, user.role)
            small = store_scan(services.database, actor, 64)
            scan_id = store_scan(services.database, actor, hosts)
            app.enter(actor)
            await watch.until(lambda: app.screen.id == "main" and app.screen.pane() is not None)
            await pilot.pause()
            await ours_once(app, watch, small)
            mine = await ours(app, watch, scan_id, hosts)
            naive = await theirs(app, watch, scan_id, hosts)
    report(hosts, mine, naive)


async def ours_once(app: Any, watch: Watch, scan_id: int) -> None:
    """Open a small scan first: what is loaded once, for whatever scan, is not the large one's cost."""
    screen = ScanDetailScreen(app.screen.session, scan_id)
    first = await watch.after(lambda: app.push_screen(screen), watch.shows(address(0)))
    print(f"the first scan that is opened, 64 hosts: {first:.0f} ms")
    screen.dismiss(None)
    await watch.until(lambda: app.screen is not screen)


def report(hosts: int, mine: dict[str, list[float]], naive: dict[str, list[float]]) -> None:
    """Print medians, maxima and ratios."""
    print(f"{hosts} hosts, ms to the painted row   ours p50    max   DataTable p50      max   ratio")
    for name, times in mine.items():
        line = f"{name:<32} {statistics.median(times):8.1f} {max(times):6.1f}"
        if name in naive:
            other = naive[name]
            ratio = statistics.median(other) / statistics.median(times)
            line += f"   {statistics.median(other):13.1f} {max(other):8.1f}   x{ratio:.1f}"
        print(line)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 65_536))
