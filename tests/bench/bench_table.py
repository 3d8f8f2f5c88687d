"""What the table costs in a real terminal (120x40 pty), beside Textual's DataTable.

Run ``python tests/bench/bench_table.py`` (``--quick`` for one round). Printed: first paint after exec with 1,000
and 1,000,000 rows, time from PageDown and Down to the row on the screen, CPU and bytes a second at 1,000 changed
cells a second in four batches, and with nothing changing.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 120, 40
PAGE = HEIGHT - 1
TICK = 0.25
CHANGES = 250


class Terminal:
    """A program in a pty, and what it wrote."""

    def __init__(self, *arguments: str) -> None:
        self.began = time.perf_counter()
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        environment = {
            **os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none",
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, __file__, *arguments],
            stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.master = master
        self.bytes = 0

    def until(self, wanted: str, limit: float = 90.0) -> float:
        """Read until a text was drawn; return the seconds it took."""
        began, seen = time.perf_counter(), b""
        while wanted.encode() not in seen:
            if time.perf_counter() - began > limit:
                raise TimeoutError(f"{wanted!r} not drawn: {seen[-300:]!r}")
            seen = seen[-64:] + self._read(1.0)
        return time.perf_counter() - began

    def press(self, keys: str, wanted: str) -> float:
        """Send keys; return the seconds until a text was drawn."""
        os.write(self.master, keys.encode())
        return self.until(wanted)

    def steady(self, seconds: float) -> tuple[float, float]:
        """Return CPU (share of a core) and bytes a second over some time."""
        self.drain(1.0)
        cpu, count, began = self._cpu(), self.bytes, time.perf_counter()
        self.drain(seconds)
        elapsed = time.perf_counter() - began
        return (self._cpu() - cpu) / elapsed, (self.bytes - count) / elapsed

    def drain(self, seconds: float) -> None:
        """Read what comes for some time."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)

    def close(self) -> None:
        """End the program."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)

    def _read(self, limit: float) -> bytes:
        ready, _, _ = select.select([self.master], [], [], limit)
        data = os.read(self.master, 65536) if ready else b""
        self.bytes += len(data)
        return data

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cells(number: int, version: int = 0) -> tuple[str, ...]:
    """Seven cells of a row, the first a text that appears once on a screen."""
    return (
        f"row-{number:07}",
        "192.0.2.1",
        "02:fc:00:00:00:05",
        "Example Corp.",
        "eth0",
        "REACHABLE",
        str(version),
    )


TITLES = ("Name", "Address", "lladdr", "Vendor", "Iface", "State", "Count")


def run_ours(total: int, *, live: bool, paged: bool) -> None:
    """The application with our table."""
    from textual.app import App, ComposeResult

    from netmon_tui.domain.window import Window
    from netmon_tui.ui.line_filter import HostileLineFilter
    from netmon_tui.ui.widgets.memory_source import MemorySource
    from netmon_tui.ui.widgets.row_source import Cell, Row
    from netmon_tui.ui.widgets.table import Table
    from netmon_tui.ui.widgets.table_columns import Column
    from netmon_tui.ui.widgets.window_source import WindowSource

    columns = [Column(title, title, minimum=len(title) + 5) for title in TITLES]

    def row(number: int, version: int = 0) -> Row:
        text = cells(number, version)
        return Row(number, (*text[:5], Cell(text[5], "success"), text[6]))

    async def count(text: str) -> int:
        return total

    async def fetch(window: Window) -> Sequence[Row]:
        return [row(number) for number in range(window.offset, min(window.offset + window.limit, total))]

    memory = MemorySource(TITLES, () if paged else map(row, range(total)))
    source = WindowSource(count, fetch) if paged else memory

    class Ours(App[None]):
        CSS_PATH = ROOT / "styles" / "table.tcss"
        wall = HostileLineFilter()
        version = 0

        def get_line_filters(self) -> Any:
            return [*super().get_line_filters(), self.wall]

        def compose(self) -> ComposeResult:
            yield Table(columns, source=source)

        def on_mount(self) -> None:
            if live:
                self.set_interval(TICK, self.change)

        def change(self) -> None:
            self.version += 1
            memory.update([row(number, self.version) for number in random.sample(range(total), CHANGES)])

    Ours().run()


def run_datatable(total: int, *, live: bool) -> None:
    """The same application with a DataTable."""
    from rich.text import Text
    from textual.app import App, ComposeResult
    from textual.widgets import DataTable

    class Theirs(App[None]):
        version = 0

        def compose(self) -> ComposeResult:
            yield DataTable(cursor_type="row")

        def on_mount(self) -> None:
            table = self.query_one(DataTable)
            for title in TITLES:
                table.add_column(title, key=title)
            for number in range(total):
                table.add_row(*map(Text, cells(number)), key=str(number))
            if live:
                self.set_interval(TICK, self.change)

        def change(self) -> None:
            self.version += 1
            table = self.query_one(DataTable)
            for number in random.sample(range(total), CHANGES):
                table.update_cell(str(number), "Count", Text(str(self.version)))

    Theirs().run()


def first_paint(rounds: int, *arguments: str) -> float:
    """Return the median seconds from exec to the last row of the first screen."""
    times = []
    for _ in range(rounds):
        terminal = Terminal(*arguments)
        terminal.until(f"row-{PAGE - 1:07}")
        times.append(time.perf_counter() - terminal.began)
        terminal.close()
    return statistics.median(times)


def keys(rounds: int, *arguments: str, page: int) -> tuple[float, float]:
    """Return the median seconds of PageDown and of Down."""
    terminal = Terminal(*arguments)
    terminal.until(f"row-{PAGE - 1:07}")
    terminal.drain(1.0)
    pages, steps = [], []
    for number in range(1, rounds + 1):
        pages.append(terminal.press("\x1b[6~", f"row-{number * page + PAGE - 2:07}"))
        terminal.drain(0.1)
    place = rounds * page
    for number in range(1, rounds + 1):
        steps.append(terminal.press("\x1b[B", f"row-{place + number:07}"))
        terminal.drain(0.05)
    terminal.close()
    return statistics.median(pages), statistics.median(steps)


def steady(seconds: float, *arguments: str) -> str:
    """Return CPU and bytes of a program after its first paint."""
    terminal = Terminal(*arguments)
    terminal.until(f"row-{PAGE - 1:07}")
    cpu, rate = terminal.steady(seconds)
    terminal.close()
    return f"{cpu * 100:5.1f} % of a core, {rate / 1000:7.2f} kB/s"


def main(quick: bool) -> None:
    """Print all figures."""
    rounds, seconds = (1, 3.0) if quick else (7, 10.0)
    small, large = [], []
    for _ in range(rounds):
        small.append(first_paint(1, "paged", "1000"))
        large.append(first_paint(1, "paged", "1000000"))
    ratio = statistics.median(large) / statistics.median(small)
    print(
        f"first paint 1k {statistics.median(small):.3f} s, 1M {statistics.median(large):.3f} s: x{ratio:.2f}"
    )
    theirs = first_paint(min(3, rounds), "datatable", "10000")
    ours = first_paint(min(3, rounds), "memory", "10000")
    print(f"first paint 10k: memory source {ours:.3f} s, DataTable {theirs:.3f} s")
    presses = 5 if quick else 20
    for name, arguments in (("paged 1M", ("paged", "1000000")), ("memory 10k", ("memory", "10000"))):
        page, step = keys(presses, *arguments, page=PAGE)
        print(f"{name}: PageDown {page * 1000:.1f} ms, Down {step * 1000:.1f} ms")
    print("1,000 changes/s, 10k rows    :", steady(seconds, "live", "10000"))
    print("1,000 changes/s, 300 rows    :", steady(seconds, "live", "300"))
    print("1,000 changes/s, DataTable   :", steady(seconds, "livedatatable", "10000"))
    print("nothing changes              :", steady(seconds, "memory", "10000"))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        kind, rows = sys.argv[1], int(sys.argv[2])
        if kind.endswith("datatable"):
            run_datatable(rows, live=kind.startswith("live"))
        else:
            run_ours(rows, live=kind == "live", paged=kind == "paged")
    else:
        main("--quick" in sys.argv)
