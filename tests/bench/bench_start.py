"""How long the program takes to be there, beside the least that its toolkit takes.

Run ``python tests/bench/bench_start.py`` (``--quick`` for three rounds). Each round starts, one after the other
and in a 120x40 pty, a Textual application of one Static, the login screen on an empty and on an existing data
directory, and, on a pipe, ``netmon-tui --version`` and ``python -c pass``. Printed: medians from exec to the
painted screen (or to the exit), their ratios, and the peak memory (VmHWM) at the login. Exits 1 past the limits.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = [str(Path(sys.executable).with_name("netmon-tui"))]
ONE_STATIC = """
from textual.app import App
from textual.widgets import Static

class OneStatic(App):
    def compose(self):
        yield Static("painted")

OneStatic().run()
"""
FIRST_RUN, LOGIN = "Create the administrator", "^q"
LIMITS = {"login": 1.25, "first run": 1.25, "version": 4.0}
LIMIT_MEMORY = 60.0
"""Megabytes of VmHWM at the login screen."""
Run = tuple[float, float]
"""Seconds, and peak megabytes."""


def painted(command: list[str], wanted: str, data: str) -> Run:
    """Start a full-screen program and read until a text is on its screen; it is killed then."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = os.environ | {
        "TERM": "xterm-256color", "COLORTERM": "truecolor", "NETMON_TUI_DATA_DIR": data,
        "NETMON_TUI_CONFIG": "", "SSH_CONNECTION": "",
    }  # fmt: skip
    environment = {name: value for name, value in environment.items() if value}
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    try:
        seen = b""
        while wanted.encode() not in seen:
            if not select.select([master], [], [], 30)[0]:
                raise TimeoutError(f"{wanted!r} not painted: {seen[-500:]!r}")
            seen += os.read(master, 65536)
        return time.perf_counter() - began, peak_memory(process.pid)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def peak_memory(pid: int) -> float:
    """Return VmHWM of a process in megabytes (proc(5))."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return 0.0


def ended(command: list[str]) -> Run:
    """Run a command to its end."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began, 0.0


def measure(rounds: int, empty: str, used: str) -> dict[str, list[Run]]:
    """Run all of them in turn, so that a busy minute hits each alike."""
    python = sys.executable
    runs: dict[str, Callable[[], Run]] = {
        "one Static": lambda: painted([python, "-c", ONE_STATIC], "painted", empty),
        "login": lambda: painted(PROGRAM, LOGIN, used),
        "first run": lambda: painted(PROGRAM, FIRST_RUN, tempfile.mkdtemp(dir=empty)),
        "python": lambda: ended([python, "-c", "pass"]),
        "version": lambda: ended([*PROGRAM, "--version"]),
    }
    results: dict[str, list[Run]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        turn = number % len(runs)  # whoever comes after a long pause finds a cooler processor
        for name, run in [*list(runs.items())[turn:], *list(runs.items())[:turn]]:
            result = run()
            if number:  # the first round only warms the page cache
                results[name].append(result)
    return results


def prepare(data: str) -> None:
    """Make a data directory that has a user."""
    subprocess.run(
        [*PROGRAM, "--data-dir", data, "--password-file", "-", "user", "add", "ada"],
        input="walnut-koala-lantern\n", text=True, capture_output=True, check=True,
    )  # fmt: skip


def main() -> int:
    """Measure and print."""
    rounds = 3 if "--quick" in sys.argv else 11
    with tempfile.TemporaryDirectory(prefix="netmon-start-") as folder:
        used, empty = f"{folder}/used", f"{folder}/empty"
        Path(empty).mkdir()
        prepare(used)
        results = measure(rounds, empty, used)
    medians = {name: statistics.median(run[0] for run in runs) for name, runs in results.items()}
    memory = max(run[1] for name in ("login", "first run") for run in results[name])
    failed = memory > LIMIT_MEMORY
    for name, seconds in medians.items():
        fastest = min(run[0] for run in results[name])
        line = f"{name:<10}  {seconds * 1000:6.0f} ms  (fastest {fastest * 1000:.0f} ms)"
        if name in LIMITS:
            ratio = seconds / medians["python" if name == "version" else "one Static"]
            line += f"  x{ratio:.2f} (limit x{LIMITS[name]})"
            failed |= ratio > LIMITS[name]
        print(line)
    print(f"peak memory at the login  {memory:.1f} MB (limit {LIMIT_MEMORY:.0f})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
