"""The neighbours tab at its limits: a change to the painted cell, a burst and a storm, in a terminal.

``python tests/bench/bench_neighbour_screen.py [SECONDS]`` as root; the storm takes 20 seconds unless told. In a
network namespace of its own the kernel gets 10,000 entries (outside its garbage collection, which is of the
whole machine), the installed program shows them in a 120x40 terminal, and ``ip -batch`` changes them. At the
end the table that the program writes to a file is compared with what ``ip -j neigh`` says.

Figures are printed beside their goals; only a table that differs is a failure.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.terminal import HEIGHT, Drain, Terminal, make_user, open_app, processor_seconds
from tests.unit.runtime.network_namespace import in_own_network, ip, make_pair

COUNT = 10_000
BURST = 5_000
RATE = 1_000
"""Changes a second in the storm."""
SECONDS = 20.0
TURN = 0.02
"""Seconds between two writes of the feeder."""
PAINTS = 15
PAINT_GOAL, BURST_GOAL, CPU_GOAL, WIRE_GOAL = 150, 1_500, 15, 5_000
"""Milliseconds; milliseconds; percent of a core; bytes a second."""


def address(number: int) -> str:
    """Return an address of 10.1.0.0/16 and up."""
    return f"10.{1 + number // 50_000}.{number // 250 % 200}.{number % 250 + 1}"


def entry(number: int, *, verb: str = "replace", state: str = "permanent", turn: int = 0) -> str:
    """Return the line that sets an entry; another turn is another lladdr."""
    lladdr = f"00:16:3e:{turn % 256:02x}:{number >> 8:02x}:{number & 255:02x}"
    return f"neigh {verb} {address(number)} lladdr {lladdr} dev left nud {state} extern_learn"


class Feeder:
    """A running ``ip -batch``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True)

    def write(self, *lines: str) -> None:
        """Hand lines over."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines))
        self._process.stdin.flush()

    def close(self) -> None:
        """Wait for the end of all lines.

        Raises:
            RuntimeError: The kernel refused one.
        """
        self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("ip -batch failed")


def changes(among: int) -> Iterator[str]:
    """Yield changes of the first entries: seven states, one lladdr, one that goes and one that comes of ten."""
    choose = random.Random(7)
    stale: set[int] = set()
    for turn in itertools.count(1):
        for _ in range(7):
            number = choose.randrange(among)
            stale ^= {number}
            yield entry(number, state="stale" if number in stale else "permanent")
        yield entry(choose.randrange(among), turn=turn)
        gone = choose.randrange(among)
        yield f"neigh del {address(gone)} dev left"
        yield entry(gone)


def storm(seconds: float, among: int) -> int:
    """Change some of the first entries at the rate; return how many changes there were."""
    feeder, source, made, began = Feeder(), changes(among), 0, time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        due = int(passed * RATE) - made
        feeder.write(*itertools.islice(source, due))
        made += due
        time.sleep(TURN)
    feeder.close()
    return made


def paint(terminal: Terminal, feeder: Feeder, turn: int) -> float:
    """Milliseconds from writing a line to a running ``ip -batch`` until a visible cell shows the change."""
    number = turn % 20
    terminal.forget()
    began = time.perf_counter()
    feeder.write(entry(number, turn=turn))
    terminal.until(f":{turn % 256:02x}:00:{number:02x}", limit=10)
    return (time.perf_counter() - began) * 1e3


def paints(terminal: Terminal) -> list[float]:
    """Milliseconds of some changes one after the other, away from the beat of the program's tick."""
    feeder, found = Feeder(), []
    for turn in range(16, 16 + PAINTS):
        terminal.watch(0.5 + turn * 0.37 % 0.25)
        found.append(paint(terminal, feeder, turn))
    feeder.close()
    return found


def shown_table(terminal: Terminal) -> dict[str, tuple[str, str]]:
    """Let the program export its table: address -> (lladdr, state)."""
    target = Path(tempfile.mkdtemp(prefix="netmon-bench-")) / "table.csv"
    terminal.press("e")
    terminal.until("Export the kernel's table")
    terminal.press("\x15" + str(target) + "\r")
    end = time.monotonic() + 20
    while not (target.exists() and target.stat().st_size) and time.monotonic() < end:
        terminal.watch(0.2)
    with target.open(newline="") as file:
        return {row["address"]: (row["lladdr"], row["state"]) for row in csv.DictReader(file)}


def kernel_table() -> dict[str, tuple[str, str]]:
    """What ``ip -j neigh`` says, without the multicast that the program leaves out."""
    said = subprocess.run(["ip", "-j", "neigh", "show", "nud", "all"], capture_output=True, check=True).stdout
    return {
        row["dst"]: (row.get("lladdr", ""), row["state"][0])
        for row in json.loads(said)
        if row["state"] != ["NOARP"] and row["dev"] != "lo"
    }


def report(name: str, figure: float, unit: str, goal: float) -> None:
    """Print a figure beside its goal."""
    word = "ok" if figure <= goal else "OVER"
    print(f"{name:44}{figure:9,.1f} {unit:8} goal {goal:>6,g}  {figure / goal:5.2f}x  {word}", flush=True)


def watch_storm(terminal: Terminal, name: str, seconds: float, among: int) -> None:
    """Run the storm, and print the share of a core and the bytes a second beside their goals."""
    spent = processor_seconds(terminal.process.pid)
    with Drain(terminal) as drain:
        made = storm(seconds, among)
    spent = processor_seconds(terminal.process.pid) - spent
    print(f"{name}: {made:,} changes in {seconds:g} s among {among:,} entries of {COUNT:,}")
    report(f"{name}: share of one core", 100 * spent / drain.seconds, "%", CPU_GOAL)
    report(f"{name}: bytes to the terminal", drain.bytes / drain.seconds, "B/s", WIRE_GOAL)


def burst(terminal: Terminal) -> float:
    """Seconds from the first of 5,000 new entries until the last is on the screen."""
    feeder, began = Feeder(), time.monotonic()
    feeder.write(*(entry(COUNT + number, verb="add") for number in range(BURST)))
    feeder.write("neigh replace 10.0.9.9 lladdr 00:16:3e:be:ef:01 dev left nud permanent extern_learn")
    with Drain(terminal):
        feeder.close()
    terminal.press("g")
    terminal.until("be:ef:01", limit=20)
    return time.monotonic() - began


def measure(seconds: float) -> int:
    """Measure and print; 1 when something was lost."""
    os.environ["NETMON_TUI_NEIGHBOURS_RESOLVE_NAMES"] = "false"  # a server in 10/8 would be a neighbour here
    make_pair()
    ip(*(entry(number, verb="add") for number in range(COUNT)))
    with tempfile.TemporaryDirectory(prefix="netmon-bench-") as name:
        data = Path(name) / "data"
        make_user(data)
        with open_app(data) as terminal:
            terminal.press("2")
            terminal.until(address(3), limit=30)
            terminal.quiet(1.0)
            quiet = paints(terminal)
            report("a change to the painted cell, median", statistics.median(quiet), "ms", PAINT_GOAL)
            report("a change to the painted cell, worst", max(quiet), "ms", PAINT_GOAL)
            watch_storm(terminal, "storm", seconds, COUNT)
            terminal.quiet(2.0)
            report(f"burst of {BURST:,} until painted", burst(terminal) * 1e3, "ms", BURST_GOAL)
            watch_storm(terminal, "storm in sight", seconds, HEIGHT)
            terminal.quiet(1.0)
            shown, kernel = shown_table(terminal), kernel_table()
    wrong = [key for key in shown.keys() | kernel.keys() if shown.get(key) != kernel.get(key)]
    print(f"afterwards: {len(shown):,} entries shown, {len(kernel):,} in the kernel, {len(wrong):,} differ")
    for key in wrong[:5]:
        print(f"  {key}: shown {shown.get(key)}, kernel {kernel.get(key)}")
    return int(bool(wrong))


if __name__ == "__main__":
    wanted = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    sys.exit(in_own_network(lambda: measure(wanted)))
