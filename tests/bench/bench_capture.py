"""A capture under a flood: tcpdump alone, under the services without a screen, and with the live screen open.

``python tests/bench/bench_capture.py [SECONDS] [RATE...]`` as root or with user namespaces; 4 seconds at 50,000,
200,000 and 400,000 packets a second unless told. Two network namespaces of its own, joined by a veth pair; the
sender (tests/lab/flood.py) takes most of a core, so on a machine with two of them the highest rate is what
the sender reaches. The three ways take turns at each rate.

Printed: packets sent and how fast, captured, dropped; whether tcpdump's figures, the file, the total and the count
of every protocol are exactly what was sent; processor time of tcpdump, runner and application as a share of a
core and for each packet; how old the figure is that the services show. Never fails because of time; exit 1 means
that packets or counts are wrong.
"""

from __future__ import annotations

import asyncio
import bisect
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.terminal import (
    PASSWORD,
    ROOT,
    USER,
    Drain,
    command_line,
    make_user,
    open_app,
    processor_seconds,
)  # fmt: skip
from tests.lab.flood import kinds
from tests.lab.network import AS_USER, UNSHARE, why_no_lab

HERE, THERE = "vb", "va"
"""Captured on, sent from."""
SECONDS, RATES = 4.0, (50_000, 200_000, 400_000)
GOAL, LIMIT = 3.0, 10.0
"""Percent of a core for application and runner together."""
SWEEP = 4.5
"""Seconds after which the screen's program surely follows a capture that another one started."""
BLOCK_TIMEOUT = 1.3
"""Seconds by which tcpdump has read every packet (TPACKET_V3 hands a block over after one)."""
SENDER = f"""
import subprocess, sys
from tests.lab.flood import flood
print(flush=True)
sys.stdin.readline()
subprocess.run(["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"], capture_output=True)
subprocess.run(["ip", "link", "set", "{THERE}", "up"], check=True)
print(flush=True)
for line in sys.stdin:
    count, rate = line.split()
    print(flood("{THERE}", int(count), float(rate)), flush=True)
"""


@dataclass(slots=True)
class Outcome:
    """What one flood gave."""

    sent: int
    seconds: float
    processor: dict[str, float]
    """Seconds by part, from before the flood until its last packet was seen."""
    captured: int = 0
    dropped: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    """What the program shows at the end: total, records of the file, and the protocols."""
    ages: list[float] = field(default_factory=list)
    """Seconds that the figure shown lags behind the interface's own."""
    written: float = 0.0
    """Bytes a second to the terminal."""

    @property
    def is_exact(self) -> bool:
        """Whether every figure is what was sent; what the kernel dropped counts as sent."""
        if not self.counted:
            return self.captured + self.dropped == self.sent
        wanted = {"file": self.captured, "packets": self.sent, **kinds(self.sent)}
        return self.captured + self.dropped == self.sent and all(
            self.counted.get(name) == count for name, count in wanted.items()
        )


class Sender:
    """Floods from a network namespace of its own."""

    def __init__(self) -> None:
        ip("link", "add", THERE, "type", "veth", "peer", "name", HERE)
        self._process = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", SENDER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        self._answer()
        ip("link", "set", THERE, "netns", str(self._process.pid))
        subprocess.run(["sysctl", "-qw", f"net.ipv6.conf.{HERE}.disable_ipv6=1"], check=True)
        ip("link", "set", HERE, "up")
        ip("link", "set", "lo", "up")
        self._ask("")
        self._answer()

    def begin(self, count: int, rate: float) -> None:
        """Start to send."""
        self._ask(f"{count} {rate}")

    def end(self) -> float:
        """Wait until all is sent; the seconds it took."""
        return float(self._answer())

    def _ask(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _answer(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the sender ended")
        return line.strip()


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


# --- tcpdump alone ------------------------------------------------------------------------------------


def bare(sender: Sender, folder: Path, count: int, rate: float) -> Outcome:
    """``tcpdump -B 16384 -w file``."""
    file = folder / "bare.pcap"
    argv = ["tcpdump", "-n", "-i", HERE, "-B", "16384", "-w", str(file)]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    while "listening on" not in process.stderr.readline():
        pass
    outcome = flood(sender, {"tcpdump": process.pid}, count, rate)
    process.send_signal(signal.SIGINT)
    words = process.stderr.read()
    process.wait()
    file.unlink()
    outcome.captured, outcome.dropped = (
        int(re.findall(rf"(\d+) packets? {word}", words)[0]) for word in ("captured", "dropped")
    )
    return outcome


def flood(sender: Sender, parts: dict[str, int], count: int, rate: float) -> Outcome:
    """Send, wait until tcpdump has seen all of it, and say what it took."""
    before = {name: processor_seconds(pid) for name, pid in parts.items()}
    sender.begin(count, rate)
    seconds = sender.end()
    time.sleep(BLOCK_TIMEOUT)
    spent = {name: processor_seconds(pid) - before[name] for name, pid in parts.items()}
    return Outcome(count, seconds, spent)


# --- under the program --------------------------------------------------------------------------------


def status_of(data: Path, capture: int) -> dict[str, Any]:
    """What the runner last said."""
    found: dict[str, Any] = json.loads((data / "jobs" / f"capture-{capture}" / "status.json").read_text())
    return found


def parts_of(data: Path, capture: int, app: int) -> dict[str, int]:
    """Whose processor time counts."""
    status = status_of(data, capture)
    return {"tcpdump": status["tool_pid"], "runner": status["runner"]["pid"], "app": app}


def take_live(data: Path, capture: int, outcome: Outcome) -> None:
    """Note what the program shows while the capture still runs."""
    counters = status_of(data, capture)["counters"]
    outcome.counted = {"packets": counters["packets"], **dict(counters["protocols"])}


def take_stock(data: Path, capture: int, outcome: Outcome) -> None:
    """Note what the capture came to, and remove it."""
    counters = status_of(data, capture)["counters"]
    outcome.captured, outcome.dropped = counters["captured"], counters["dropped"]
    file = data / "jobs" / f"capture-{capture}" / "capture.pcap"
    count = subprocess.run(
        ["tcpdump", "-n", "-r", str(file), "--count"], capture_output=True, text=True, check=True
    )
    outcome.counted["file"] = int(count.stdout.split()[0])
    command_line(data, "capture", "delete", str(capture))


class Headless:
    """The services without a screen, in a process of their own, so that its processor time is theirs alone."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(data)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip

    def flood(self, sender: Sender, count: int, rate: float) -> Outcome:
        """A capture started, followed and looked at four times a second by the services."""
        capture = int(self._ask("start"))
        self._ask("watch")
        with Interface() as interface:
            outcome = flood(sender, parts_of(self._data, capture, self._process.pid), count, rate)
        outcome.ages = interface.ages(json.loads(self._ask("seen")))
        take_live(self._data, capture, outcome)
        self._ask("stop")
        take_stock(self._data, capture, outcome)
        return outcome

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, word: str) -> str:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the services ended at {word!r}")
        return answer


async def serve(data: Path) -> None:
    """What :class:`Headless` talks to: one word a line in, one line out."""
    from netmon_tui.config.paths import find_paths
    from netmon_tui.config.settings import load_settings
    from netmon_tui.domain.capture import StartCapture
    from netmon_tui.services.container import open_services

    services = open_services(load_settings(environ={}), find_paths(data_dir=data))
    actor = await services.accounts.login(USER, PASSWORD)
    await services.supervisor.start()
    seen: list[tuple[float, int]] = []
    capture = 0
    watching: asyncio.Task[None] | None = None

    async def watch() -> None:
        known = None
        while True:
            known, _ = await services.capturing.watch(actor, capture, known)  # as the screen does
            seen.append((time.monotonic(), known.counters.packets))
            await asyncio.sleep(0.25)

    while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
        if word == "start":
            capture = (await services.capturing.start(actor, StartCapture(HERE))).id
            print(capture, flush=True)
        elif word == "watch":
            seen.clear()
            watching = asyncio.create_task(watch())
            print("ok", flush=True)
        elif word == "seen" and watching:
            watching.cancel()
            print(json.dumps(seen), flush=True)
        elif word == "stop":
            await services.capturing.stop(actor, capture)
            await services.capturing.wait(actor, capture)
            print("ok", flush=True)
    await services.close()


class Interface:
    """How many packets had come to the interface at any time meanwhile, by the kernel's own figure."""

    def __enter__(self) -> Self:
        self._samples: list[tuple[int, float]] = []
        self._over = threading.Event()
        self._first = received()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(0.01):
            self._samples.append((received() - self._first, time.monotonic()))

    def ages(self, seen: Iterable[tuple[float, int]]) -> list[float]:
        """How long before it was seen each figure had been the interface's own."""
        counts = [count for count, _ in self._samples]
        ages = []
        for moment, count in seen:
            at = bisect.bisect_right(counts, count)
            if 0 < at < len(counts) and count:  # not before the first packet, nor after the last
                ages.append(max(0.0, moment - self._samples[at][1]))
        return ages


def received() -> int:
    """Packets that have come to the interface."""
    text = Path("/proc/net/dev").read_text()
    return int(text[text.index(f"{HERE}:") :].split()[2])


class Screen:
    """The full-screen program in a pty."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._terminal = open_app(data)
        self._terminal.press("3")
        self._terminal.quiet(1.0)

    def flood(self, sender: Sender, count: int, rate: float) -> Outcome:
        """A capture whose screen is open meanwhile."""
        terminal = self._terminal
        terminal.quiet(1.0, limit=5.0)  # it was not read while the others had their turn
        capture = int(command_line(self._data, "capture", "run", HERE, "--detach"))
        terminal.until(HERE)
        self._open(f"Capture {capture}")
        terminal.watch(SWEEP)
        with Drain(terminal) as drain:
            outcome = flood(sender, parts_of(self._data, capture, terminal.process.pid), count, rate)
        outcome.written = drain.bytes / drain.seconds
        take_live(self._data, capture, outcome)
        with Drain(terminal):
            command_line(self._data, "capture", "stop", str(capture))
        terminal.press("\x1b")
        terminal.quiet(1.0, limit=5.0)
        with Drain(terminal):
            take_stock(self._data, capture, outcome)
        return outcome

    def _open(self, title: str) -> None:
        """Open the newest capture; the keys come to nothing while the table is being filled."""
        for _ in range(5):
            self._terminal.press("\x1b[H\r")  # Home, Enter
            try:
                self._terminal.until(title, limit=3.0)
                return
            except TimeoutError:
                continue
        self._terminal.until(title)

    def close(self) -> None:
        self._terminal.close()


# --- the table ----------------------------------------------------------------------------------------

HEAD = (
    f"{'':10}{'wanted/s':>9}{'sent':>11}{'sent/s':>9}{'captured':>11}{'dropped':>8}{'exact':>6}"
    f"{'tcpdump':>9}{'runner':>8}{'app':>7}{'both':>7}{'us/packet t+r+a':>18}{'age ms':>12}{'tty B/s':>9}"
)


def line_of(way: str, rate: float, outcome: Outcome) -> str:
    """One line of the table."""
    parts = ("tcpdump", "runner", "app")
    shares = [100 * outcome.processor.get(part, 0.0) / outcome.seconds for part in parts]
    each = "+".join(f"{1e6 * outcome.processor.get(part, 0.0) / outcome.sent:.2f}" for part in parts)
    ages = (
        f"{1000 * statistics.median(outcome.ages):.0f}/{1000 * max(outcome.ages):.0f}" if outcome.ages else ""
    )
    written = f"{outcome.written:.0f}" if outcome.written else ""
    return (
        f"{way:10}{rate:>9,.0f}{outcome.sent:>11,}{outcome.sent / outcome.seconds:>9,.0f}{outcome.captured:>11,}"
        f"{outcome.dropped:>8,}{'yes' if outcome.is_exact else 'NO':>6}{shares[0]:>8.1f}%{shares[1]:>7.1f}%"
        f"{shares[2]:>6.1f}%{shares[1] + shares[2]:>6.1f}%{each:>18}{ages:>12}{written:>9}"
    )


def run_all(seconds: float, rates: tuple[float, ...]) -> int:
    """Measure and print; 1 when a packet or a count is wrong."""
    with tempfile.TemporaryDirectory(prefix="netmon-bench-") as name:
        data = Path(name) / "data"
        make_user(data)
        sender, headless = Sender(), Headless(data)
        screen = Screen(data)
        ways: dict[str, Callable[[int, float], Outcome]] = {
            "bare": lambda count, rate: bare(sender, Path(name), count, rate),
            "services": lambda count, rate: headless.flood(sender, count, rate),
            "screen": lambda count, rate: screen.flood(sender, count, rate),
        }
        print(HEAD, flush=True)
        results = {}
        for rate in rates:
            for way, run in ways.items():
                results[way, rate] = outcome = run(int(rate * seconds), rate)
                print(line_of(way, rate, outcome), flush=True)
                if not outcome.is_exact:
                    print("          ", outcome.counted, dict(kinds(outcome.sent)))
        screen.close()
        headless.close()
    return verdict(results)


def verdict(results: dict[tuple[str, float], Outcome]) -> int:
    """Print the goals beside the figures."""
    ours = [outcome for (way, _), outcome in results.items() if way != "bare"]
    lost, theirs = (
        sum(o.dropped for o in ours),
        2 * sum(o.dropped for (w, _), o in results.items() if w == "bare"),
    )
    worst = max(100 * (o.processor["runner"] + o.processor["app"]) / o.seconds for o in ours)
    exact = all(outcome.is_exact for outcome in ours)
    print(f"for each packet, tcpdump, runner and application beside tcpdump alone: {beside(results)}")
    print(f"dropped under the program {lost:,}, by tcpdump alone {theirs:,} in as many runs (goal: no more)")
    print(f"every figure equals what was sent: {'yes' if exact else 'NO'}")
    print(
        f"application and runner together: at most {worst:.1f} % of a core (limit {LIMIT:.0f}, goal {GOAL:.0f})"
    )
    return int(not exact or lost > theirs)


def beside(results: dict[tuple[str, float], Outcome]) -> str:
    """Say what our ways cost in all as a multiple of tcpdump alone: most of the runner's time is the writing
    of the file that tcpdump is spared.
    """
    costs = {key: sum(outcome.processor.values()) / outcome.sent for key, outcome in results.items()}
    ratios = {
        way: [costs[way, r] / costs["bare", r] for w, r in costs if w == way]
        for way in ("services", "screen")
    }
    return ", ".join(f"{way} {min(found):.1f}x to {max(found):.1f}x" for way, found in ratios.items())


def main(arguments: list[str]) -> int:
    """Enter namespaces of its own, then measure."""
    if arguments[:1] == ["--serve"]:
        asyncio.run(serve(Path(arguments[1])))
        return 0
    if arguments[:1] == ["--inside"]:
        seconds, *rates = map(float, arguments[1:])
        return run_all(seconds, tuple(rates))
    if (reason := why_no_lab()) is not None:
        print(f"left out: {reason}")
        return 0
    figures = arguments or [str(SECONDS)]
    figures += map(str, RATES) if len(figures) == 1 else []
    as_user = [] if os.geteuid() == 0 else AS_USER
    unshare = [UNSHARE[0], *as_user, *UNSHARE[1:]]
    return subprocess.run([*unshare, sys.executable, __file__, "--inside", *figures], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
