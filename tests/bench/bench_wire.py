"""What the screen costs on the wire: bytes a second to a 120x40 terminal, beside htop and termshark.

``python tests/bench/bench_wire.py [SECONDS]``; 20 seconds a screen unless told. In the lab (namespaces, no
other network is touched) with its hosts talking, a scan and a capture run while the program shows its tabs and
their details; htop (and termshark, where they are installed) are looked at in the same minutes, and the packet list
and both of them once more while thousands of packets a second are sent. Then both jobs are
stopped and nothing changes: then nothing may be written but the clock, once a minute.

Every screen is printed with the lines of it that cost the most. Never fails because of a figure.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.terminal import Drain, Terminal, command_line, make_user, open_app, processor_seconds
from tests.lab.hosts import SCAN, SUBNET
from tests.lab.network import Lab, why_no_lab

FLOOD = Path(__file__).parents[1] / "lab/flood.py"
SECONDS = 20.0
SETTLE = 5.0
"""Seconds for a screen to be built and for jobs that others started to be followed."""
_KEYS = re.compile(r"\x1b\[.|.", re.DOTALL)
_TO = re.compile(rb"\x1b\[(\d+);(\d+)H")
SLOW = "-sT -p 1-2000 --max-rate 20 -v"
"""A scan that still runs when the last screen has been looked at."""
Figure = tuple[float, float, str]
"""Bytes a second, percent of a core, and the dearest lines."""


def measure(terminal: Terminal, seconds: float) -> Figure:
    """Look at a program for some time."""
    spent, began = processor_seconds(terminal.process.pid, children=True), time.monotonic()
    written = terminal.record(seconds)
    passed = time.monotonic() - began
    share = 100 * (processor_seconds(terminal.process.pid, children=True) - spent) / passed
    return len(written) / passed, share, dearest(written, passed)


def dearest(written: bytes, seconds: float) -> str:
    """Say which lines of the screen most bytes went to: "line 4: 310 B/s in 1.0/s", and what they all are."""
    _, *pieces = _TO.split(written)
    size: Counter[int] = Counter()
    times: Counter[int] = Counter()
    for row, _, text in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        size[int(row)] += len(text)
        times[int(row)] += 1
    lines = ", ".join(
        f"line {line}: {count / seconds:.0f} B/s in {times[line] / seconds:.1f}/s"
        for line, count in size.most_common(3)
        if count
    )
    touched = sum(bool(count) for count in size.values())
    return f"{lines} ({touched} lines)" if touched > 3 else lines


class Jobs:
    """A scan and a capture that run on the lab's scanner."""

    def __init__(self, data: Path, lab: Lab) -> None:
        self._data, self._prefix = data, lab.enter_prefix()
        self.scan = self._line("scan", "run", SUBNET, "--detach", "--args", SLOW)
        self.capture = self._line("capture", "run", "eth0", "--detach")

    def stop(self) -> None:
        """End both."""
        self._line("scan", "stop", self.scan)
        self._line("capture", "stop", self.capture)

    def _line(self, *words: str) -> str:
        return command_line(self._data, *words, prefix=self._prefix).strip()


SCREENS: dict[str, str] = {
    "scans": "1",
    "scan details": "\x1b[H\r",
    "captures": "\x1b3",
    "capture details": "\x1b[H\r",
    "capture details, following": "f",
    "packets in a flood": "",
    "neighbours": "\x1b2",
}
"""Keys that lead from each screen to the next; Home so that the newest row is under the cursor."""
FLOODED = "packets in a flood"
FLOOD_RATE = 5_000
"""Packets a second, of 308 bytes."""


@contextmanager
def flooded(lab: Lab, seconds: float) -> Iterator[None]:
    """Send many packets for as long as one look takes, from elsewhere: what its own sender sends no tap sees."""
    count = str(int((seconds + SETTLE + 5) * FLOOD_RATE))
    host = next(name for name in lab.hosts if name != SCAN)
    command = [sys.executable, str(FLOOD), "eth0", count, str(FLOOD_RATE)]
    sender = lab.popen(command, host, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        sender.kill()
        sender.wait()


def look_at_us(data: Path, lab: Lab, seconds: float, show: Callable[[str, Figure], None]) -> None:
    """Measure every screen with both jobs running, then an idle one."""
    terminal = open_app(data, lab.enter_prefix())
    with terminal:
        with Drain(terminal):
            jobs = Jobs(data, lab)
        for name, keys in SCREENS.items():
            for key in _KEYS.findall(keys):
                terminal.press(key)
                terminal.watch(1.0)
            with flooded(lab, seconds) if name == FLOODED else nullcontext():
                terminal.watch(SETTLE)
                show(name, measure(terminal, seconds))
        lab.chatter(on=False)
        with Drain(terminal):
            jobs.stop()
        terminal.press("1")
        terminal.quiet(3.0)
        terminal.watch(60 - time.time() % 60 + 1)  # the clock has just moved on
        show("idle", measure(terminal, min(seconds, 50.0)))


def look_at(command: list[str], name: str, seconds: float, show: Callable[[str, Figure], None]) -> None:
    """Measure another program, if it is installed; its name is the first word of the line."""
    program = name.split(",")[0]
    if shutil.which(program) is None:
        print(f"{name:28}left out: not installed (apt-get install {program})")
        return
    with Terminal(command) as terminal:
        terminal.watch(SETTLE)
        show(name, measure(terminal, seconds))


def main(seconds: float = SECONDS) -> None:
    """Measure and print."""
    if (reason := why_no_lab()) is not None:
        print(f"left out: {reason}")
        return
    figures: dict[str, Figure] = {}

    def show(name: str, figure: Figure) -> None:
        figures[name] = figure
        print(f"{name:28}{figure[0]:>9,.0f}{figure[1]:>8.1f}  {figure[2]}", flush=True)

    print(f"{'':28}{'bytes/s':>9}{'cpu %':>8}  dearest lines of the screen", flush=True)
    with tempfile.TemporaryDirectory(prefix="netmon-wire-") as name, Lab.start() as lab:
        data = Path(name) / "data"
        make_user(data)
        lab.chatter(on=True)
        look_at(["htop"], "htop", seconds, show)  # of the whole machine: the lab has no other processes
        termshark = [
            "setsid",
            "--ctty",
            "--wait",
            *lab.enter_prefix(),
            "termshark",
            "-i",
            "eth0",
        ]  # wants /dev/tty
        look_at(termshark, "termshark", seconds, show)
        with flooded(lab, seconds):
            look_at(termshark, "termshark, in a flood", seconds, show)
        with flooded(lab, seconds):
            look_at(["htop"], "htop, in a flood", seconds, show)
        look_at_us(data, lab, seconds, show)
    for peer in ("termshark", "htop"):
        if all(theirs := figures.get(f"{peer}, in a flood", (0.0, 0.0, ""))):
            ours = figures[FLOODED]
            ratios = f"{ours[0] / theirs[0]:.2f}x bytes, {ours[1] / theirs[1]:.2f}x processor"
            print(f"in a flood, ours / {peer}: {ratios}")
    if "htop" not in figures:
        return
    worst = max((n for n in SCREENS if n != FLOODED), key=lambda n: figures[n][0])
    ratio = figures[worst][0] / figures["htop"][0]
    print(f"worst screen of ours ({worst}) / htop: {ratio:.2f}x (goal 1)")
    print(f"idle: {figures['idle'][0]:.0f} bytes/s (goal 0)")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))
