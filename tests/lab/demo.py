"""The demonstration: the application on a network of its own, without touching yours.

``.venv/bin/python -m tests.lab.demo [COMMAND ARGUMENT...]``: builds the lab, sets its hosts talking, and runs
the application (or another command, a shell for instance) on the scanner, on this terminal. When it ends, the
network is gone; what was stored stays in ``~/.cache/netmon-tui-demo`` (or ``$XDG_CACHE_HOME``) for next time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

if __package__ in (None, ""):  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab.hosts import CAST, SUBNET, SUBNET6
from tests.lab.network import Lab, LabError, why_no_lab


def data_directory() -> Path:
    """Where the demonstration's accounts, scans and captures are kept (0700)."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    directory = Path(cache) / "netmon-tui-demo"
    directory.mkdir(parents=True, mode=0o700, exist_ok=True)
    return directory


def application() -> list[str]:
    """The installed program beside this Python, with the demonstration's data."""
    program = Path(sys.executable).with_name("netmon-tui")
    return [str(program), "--data-dir", str(data_directory())]


def introduction(lab: Lab) -> str:
    """What there is to try."""
    lines = [
        f"A network of {len(CAST)} hosts stands ({lab.setup_seconds:.1f} s); none of it is outside this program.",
        f"  scan:     {SUBNET} (and {SUBNET6}, for instance fd77::10); you are 10.77.0.1 on eth0",
        "  capture:  eth0; the hosts talk to each other and to you",
        f"  data:     {data_directory()}",
    ]
    return "\n".join(lines)


def wait(process: subprocess.Popen[bytes]) -> int:
    """Waits for the application; the signals that mean "end" go to it, and it ends in its own way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal gives it to the application too
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _frame: process.send_signal(number))
    return process.wait()


def main(command: list[str]) -> int:
    """Builds, runs, removes; the command's exit status."""
    reason = why_no_lab()
    if reason is not None:
        print(f"demo: {reason}", file=sys.stderr)
        return 1
    try:
        with Lab.start() as lab:
            lab.chatter(on=True)
            print(introduction(lab), flush=True)
            return wait(lab.popen(command or application()))
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
