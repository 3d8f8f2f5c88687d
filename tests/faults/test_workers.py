"""Workers as programs: two at once, killed, stopped, and what they print."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.runtime.tool_paths import find_tool
from tests.faults.program import PROGRAM, until

pytestmark = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")

PASSWORD = "walnut-koala-lantern"
SCHEDULES = 12


class Place:
    """A data directory with ada, an administrator, and the programs that are started on it."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._password = folder / "password"
        self._password.write_text(PASSWORD)
        self._started: list[subprocess.Popen[str]] = []

    def argv(self, *arguments: str) -> list[str]:
        options = ["--data-dir", str(self.data), "--user", "ada", "--password-file", str(self._password)]
        return [str(PROGRAM), *options, *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.argv(*arguments), capture_output=True, text=True, timeout=60)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.argv(*arguments), stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        self._started.append(process)
        return process

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.data / "netmon.db", timeout=20) as connection:
            return connection.execute(text).fetchall()

    def make_due(self) -> None:
        """Let every schedule be due since just now."""
        self.query(f"UPDATE schedules SET next_run = {int(datetime.now().timestamp()) - 1}")

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=20)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    assert place.run("user", "add", "ada").returncode == 0
    yield place
    place.close()


def add(place: Place, name: str, *options: str) -> None:
    done = place.run("schedule", "add", name, "127.0.0.1", "--every", "1h", *options)
    assert done.returncode == 0, done.stderr


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
    """Stop a program; return what it printed, having ended well."""
    process.send_signal(number)
    _, printed = process.communicate(timeout=20)
    assert process.returncode == 0, printed
    return printed


def all_done(place: Place, count: int) -> Callable[[], bool]:
    return lambda: place.query("SELECT count(*) FROM scans WHERE state = 'completed'")[0][0] == count


def test_two_workers_start_each_scan_that_is_due_once(place: Place) -> None:
    add(place, "s0", "--args", "-sL")
    columns = (
        "owner_id,name,name_key,targets,profile,arguments,every,cron,zone,catch_up,last_error,claimed_by"
    )
    for number in range(1, SCHEDULES):
        values = columns.replace(",name,name_key,", f",'s{number}','s{number}',")
        place.query(f"INSERT INTO schedules ({columns}) SELECT {values} FROM schedules WHERE name = 's0'")
    workers = [place.start("worker") for _ in range(2)]
    for worker in workers:
        assert worker.stderr is not None
        assert "the worker runs" in worker.stderr.readline()
    for round_number in (1, 2):
        place.make_due()
        until(all_done(place, SCHEDULES * round_number), "every schedule has run")
    printed = [end(worker) for worker in workers]
    assert place.query("SELECT name, count(*) FROM scans GROUP BY name HAVING count(*) != 2") == []
    starts = place.query("SELECT count(*) FROM audit_events WHERE action = 'schedule.start'")
    assert starts == [(SCHEDULES * 2,)]
    assert sum(text.count(" is on its way\n") for text in printed) == SCHEDULES * 2
    assert place.query("SELECT DISTINCT last_error, claimed_by FROM schedules") == [("", "")]


def test_a_killed_workers_scan_is_followed_by_the_next_and_a_stopped_one_leaves_it_running(
    place: Place,
) -> None:
    add(place, "slow", "--args", "-sT -p 1-100 --scan-delay 5s")
    place.make_due()
    first = place.start("worker")
    running = "SELECT count(*) FROM jobs WHERE state = 'running'"
    until(lambda: place.query(running) == [(1,)], "the scan runs")
    first.kill()
    first.wait(20)
    second = place.start("worker", JOURNAL_STREAM="8:1")
    until(
        lambda: place.query(f"SELECT count(*) FROM jobs WHERE lease_holder LIKE '{second.pid}-%'") == [(1,)],
        "the second worker follows it",
    )
    printed = end(second)
    assert all(line.startswith("<6>") for line in printed.splitlines()), printed
    assert place.query(running) == [(1,)]
    third = place.start("worker")
    until(
        lambda: place.query(f"SELECT count(*) FROM jobs WHERE lease_holder LIKE '{third.pid}-%'") == [(1,)],
        "the third worker follows it",
    )
    assert place.run("scan", "stop", "1").returncode == 0
    assert third.stderr is not None
    assert any("scan 1: cancelled" in told for told in third.stderr)
    assert place.query("SELECT state FROM scans") == [("cancelled",)]
    end(third, signal.SIGINT)


def test_once_starts_what_is_due_and_ends(place: Place) -> None:
    add(place, "one", "--args", "-sL")
    assert place.run("worker", "--once").returncode == 0
    assert place.query("SELECT count(*) FROM scans") == [(0,)]
    place.make_due()
    done = place.run("worker", "--once")
    assert (done.returncode, done.stdout) == (0, "")
    assert "schedule one of ada: scan 1 is on its way" in done.stderr
    assert place.query("SELECT count(*) FROM scans") == [(1,)]


def test_a_worker_that_can_do_nothing_says_why(tmp_path: Path) -> None:
    place = Place(tmp_path)
    done = place.run("worker")
    assert (done.returncode, "there is no user yet" in done.stderr) == (6, True)
    (place.data / "netmon.db").write_text("no database" * 100)
    done = place.run("worker")
    assert (done.returncode, "is damaged" in done.stderr) == (5, True)
