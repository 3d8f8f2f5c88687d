"""Workers that follow the neighbour table of the lab: events and hooks with nobody logged in."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.cli.worker import _follow_neighbours
from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.services.container import open_services
from tests.faults.program import Site, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

ADDRESS, FIRST, SECOND, THIRD = "10.77.0.90", "b8:27:eb:00:00:90", "b8:27:eb:00:00:91", "b8:27:eb:00:00:92"


IMPATIENT = """
import sys
from netmon_tui.__main__ import main
from netmon_tui.services import neighbour_memory, neighbour_recorder
neighbour_recorder.TELL_SECONDS, neighbour_recorder.STILL_SECONDS = 0.2, 3.0
neighbour_recorder._MARGIN_SECONDS = 3600.0  # what the other one stored is kept and has to be told from the rest
neighbour_memory.LOOK_SECONDS = 0.2
sys.exit(main())
"""


class Watched:
    """A site with a hook that keeps what it is told, and by whom, and one host more."""

    def __init__(self, site: Site, directory: Path) -> None:
        self.site = site
        self._kept = directory / "told"
        program = directory / "keep"
        program.write_text(f'#!/bin/sh\necho "$PPID $(cat)" >> {self._kept}\n')
        program.chmod(0o700)
        (directory / "config.toml").write_text("")
        hooks = directory / "hooks.toml"
        hooks.write_text(
            '[[hook]]\nname = "broken"\nkind = "command"\ncommand = ["/nowhere/at-all"]\n'
            f'[[hook]]\nname = "keep"\nkind = "command"\ncommand = ["{program}"]\nleast = "info"\n'
        )
        hooks.chmod(0o600)
        site.settings["NETMON_TUI_CONFIG"] = str(directory / "config.toml")
        self.host = site.lab.add_host(ADDRESS, FIRST, {(80, "tcp"): "http"}).name

    @property
    def told(self) -> list[tuple[int, dict[str, Any]]]:
        """(pid of the program that told, document) of the host's events, in their order."""
        lines = self._kept.read_text().splitlines() if self._kept.exists() else []
        told = [(int(pid), json.loads(text)) for pid, _, text in (line.partition(" ") for line in lines)]
        return [(pid, document) for pid, document in told if document["address"] == ADDRESS]

    def kinds(self) -> list[str]:
        return [document["kind"] for _, document in self.told]

    def meet(self) -> None:
        """Have the kernel ask who the host is."""
        self.site.lab.run(["ip", "neigh", "del", ADDRESS, "dev", "eth0"])
        self.site.lab.http_get(ADDRESS)

    def stored(self) -> list[dict[str, Any]]:
        """The stored events of the host, the last first."""
        return list(self.site.run("neighbour", "events", "--address", ADDRESS, "--json").document)

    def impatient(self, *arguments: str, **options: Any) -> subprocess.Popen[Any]:
        """Start the program, which takes another one to stand still after seconds already."""
        site = self.site
        return site.lab.popen(
            [sys.executable, "-c", IMPATIENT, *arguments], env=site.environment(), **options
        )

    def work(self) -> Any:
        """Start a worker; return it once it runs."""
        worker = self.site.start("worker")
        assert worker.stderr is not None
        assert "the worker runs" in worker.stderr.readline()
        return worker


@pytest.fixture
def watched(own_site: Site, tmp_path: Path) -> Iterator[Watched]:
    yield Watched(own_site, tmp_path)


def followed(site: Site) -> bool:
    """Whether some program remembers the table."""
    lock = site.data / "neighbours.lock"
    return site.lab.run(["flock", "--nonblock", str(lock), "true"]).returncode == 1


def test_a_worker_notices_and_tells(watched: Watched) -> None:
    site = watched.site
    worker = watched.work()
    until(lambda: followed(site), "the worker follows the table")
    watched.meet()
    until(lambda: watched.kinds() == ["new"], "the hook is told of the new host")
    site.lab.set_lladdr(watched.host, SECOND)
    until(lambda: watched.kinds() == ["new", "changed"], "the hook is told of the change")
    (_, new), (_, changed) = watched.told
    assert (changed["lladdr"], changed["previous_lladdr"]) == (SECOND, FIRST)
    stored = watched.stored()
    assert [event["id"] for event in stored] == [changed["id"], new["id"]]
    broken = next(h for h in site.run("neighbour", "hooks", "--json").document if h["name"] == "broken")
    assert broken["failing"]
    worker.terminate()
    _, printed = worker.communicate(timeout=20)
    assert worker.returncode == 0
    assert printed.count("hook broken: it cannot be reached") == 1, printed


def test_of_two_workers_one_is_killed_and_the_other_goes_on(watched: Watched) -> None:
    site = watched.site
    workers = [watched.work() for _ in range(2)]
    until(lambda: followed(site), "one of them follows the table")
    watched.meet()
    until(lambda: watched.kinds() == ["new"], "it is told once")
    storing = watched.told[0][0]
    site.kill(storing)
    site.lab.set_lladdr(watched.host, SECOND)
    until(lambda: watched.kinds() == ["new", "changed"], "the other one tells")
    assert watched.told[1][0] != storing
    workers.append(watched.work())
    site.lab.set_lladdr(watched.host, THIRD)
    until(lambda: len(watched.told) == 3, "the next change is told")
    stored = watched.stored()
    assert [(e["kind"], e["lladdr"], e["count"]) for e in stored] == [
        ("changed", THIRD, 1), ("changed", SECOND, 1), ("new", FIRST, 1)
    ]  # fmt: skip
    assert [document["id"] for _, document in watched.told] == [e["id"] for e in reversed(stored)]
    for worker in workers:
        worker.kill()
        worker.communicate(timeout=20)


def test_one_that_is_stopped_is_told_of_and_nothing_is_lost_or_stored_twice(
    watched: Watched, tmp_path: Path
) -> None:
    """What stops is a real process: it keeps the claim, for the kernel lets go of it with the process alone."""
    site = watched.site
    logs = [tmp_path / name for name in ("one", "two")]
    with logs[0].open("w") as one, logs[1].open("w") as two:
        workers = [watched.impatient("worker", stderr=log) for log in (one, two)]
    for log in logs:
        until(lambda log=log: "the worker runs" in log.read_text(), "both work")
    until(lambda: followed(site), "one of them follows the table")
    watched.meet()
    until(lambda: watched.kinds() == ["new"], "it is told once")
    storing = watched.told[0][0]
    words = f"process {storing} is to store what is seen of neighbours, but stands still"

    def complaints() -> int:
        return sum(log.read_text().count(words) for log in logs)

    site.kill(storing, signal.SIGSTOP)
    site.lab.set_lladdr(watched.host, SECOND)
    until(lambda: complaints() == 1, "the other one says so")
    doctor = watched.impatient("doctor", "--json", stdout=subprocess.PIPE)
    checks = json.loads(doctor.communicate(timeout=60)[0])["checks"]
    (check,) = [one for one in checks if one["name"] == "neighbour memory"]
    assert check["fix"] == f"kill -CONT {storing}, or end it"
    assert [event["kind"] for event in watched.stored()] == ["new"], "the claim is still the stopped one's"
    site.kill(storing, signal.SIGCONT)
    until(lambda: watched.kinds() == ["new", "changed"], "it goes on and tells what it slept through")
    assert watched.told[1][0] == storing
    site.kill(storing, signal.SIGSTOP)
    site.lab.set_lladdr(watched.host, THIRD)
    until(lambda: complaints() == 2, "the other one says so again")
    site.kill(storing)
    until(lambda: len(watched.told) == 3, "the other one stores and tells in its place")
    assert watched.told[2][0] != storing
    assert [(e["kind"], e["lladdr"], e["count"]) for e in watched.stored()] == [
        ("changed", THIRD, 1), ("changed", SECOND, 1), ("new", FIRST, 1)
    ]  # fmt: skip
    assert [document["id"] for _, document in watched.told] == [e["id"] for e in reversed(watched.stored())]
    for worker in workers:
        worker.kill()
        worker.communicate(timeout=20)


async def test_a_worker_leaves_the_table_alone_if_it_is_told_to(tmp_path: Path) -> None:
    settings = load_settings(environ={}, flags={"neighbours.follow": "false"})
    services = await asyncio.to_thread(open_services, settings, find_paths(data_dir=tmp_path / "data"))
    try:
        await asyncio.wait_for(_follow_neighbours(services), 10)
        assert (services.neighbours.revision, services.neighbours.error) == (0, "")
    finally:
        await services.close()
