"""The installed program and a headless one, on the scanner of the lab, with a data directory of their own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netmon_tui.domain.job import JobStatus
from netmon_tui.runtime.job_directory import JobDirectory
from tests.lab.network import ROOT, Lab

PROGRAM = Path(sys.executable).with_name("netmon-tui")
HEADLESS = Path(__file__).with_name("headless.py")
NEVER = 40.0
"""Seconds after which a fact that should have come is missing."""


def until(question: Callable[[], Any], fact: str, patience: float = NEVER) -> Any:
    """Wait for a fact; return what the question said of it."""
    deadline = time.monotonic() + patience
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not in {patience:g} s: {fact}"
        time.sleep(0.02)
    return answer


@dataclass(frozen=True)
class Answer:
    """What a call printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What it printed as JSON."""
        assert self.out and self.code in (0, 1, 130), self
        return json.loads(self.out)


@dataclass
class Site:
    """A data directory in which ada is logged in, and the network to use it on."""

    lab: Lab
    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    """Environment variables of every program started here."""

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NETMON_TUI")}
        return {**kept, "NETMON_TUI_DATA_DIR": str(self.data), **self.settings, **(more or {})}

    def run(
        self, *arguments: str | Path, before: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Answer:
        """Run ``netmon-tui`` to its end; ``before`` are the words of a program that starts it."""
        argv = [*before, str(PROGRAM), *map(str, arguments)]
        done = self.lab.run(argv, env=self.environment(env), timeout=60)
        return Answer(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start ``netmon-tui`` and go on."""
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        argv = [str(PROGRAM), *arguments]
        return self.lab.popen(argv, env=self.environment(), **(pipes | options))

    def headless(self) -> Headless:
        """Start the headless program."""
        return Headless(self)

    def show(self, kind: str, number: int) -> Any:
        """What the command line shows of a scan or capture."""
        return self.run(kind, "show", str(number), "--json").document

    def row(self, table: str, number: int) -> dict[str, Any]:
        """A row of the database, straight from the file; empty when there is none."""
        with sqlite3.connect(self.data / "netmon.db") as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(f"select * from {table} where id = ?", (number,)).fetchone()
            return dict(found or {})

    def job(self, kind: str, number: int) -> dict[str, Any]:
        """The row of the job of a scan or capture."""
        with sqlite3.connect(self.data / "netmon.db") as connection:
            connection.row_factory = sqlite3.Row
            query = "select * from jobs where kind = ? and subject_id = ?"
            return dict(connection.execute(query, (kind, number)).fetchone())

    def directory(self, kind: str, number: int) -> JobDirectory:
        """The files of the job of a scan or capture."""
        return JobDirectory(self.data / "jobs" / f"{kind}-{number}")

    def status(self, kind: str, number: int) -> JobStatus:
        """What the runner last said."""
        return until(self.directory(kind, number).read_status, f"a status of {kind} {number}")

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Send a signal to a process by its number inside the lab."""
        self.lab.run(["kill", f"-{int(number)}", str(pid)], check=True)

    def processes(self) -> list[str]:
        """Every process inside the lab that works for this data directory, zombies included."""
        listed = self.lab.run(["ps", "-ww", "-eo", "pid=,ppid=,stat=,args="], check=True).stdout.splitlines()
        return [
            line
            for line in listed
            if str(self.data) in line or line.split()[2].startswith("Z") or "tcpdump" in line
        ]


class Headless:
    """The services in a process without a face, asked over a pipe (see ``headless.py``)."""

    def __init__(self, site: Site) -> None:
        argv = [sys.executable, str(HEADLESS), str(site.data)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process: subprocess.Popen[str] = site.lab.popen(argv, cwd=ROOT, env=site.environment(), **pipes)
        self.pid: int = self.ask("pid")
        """Its number inside the lab."""

    def ask(self, wanted: str, **arguments: Any) -> Any:
        """Have something done; return the answer.

        Raises:
            AssertionError: It was refused.
        """
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"do": wanted, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer
        return answer["ok"]

    def close(self) -> None:
        """End it in order."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.communicate()
