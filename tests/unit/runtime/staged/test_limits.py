"""The limits of a scan hold for all its nmaps together: the staged scan under a runner, shells in nmap's place."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netmon_tui.domain.job import EndReason, JobKind, JobLimits, JobSpec, JobStatus
from netmon_tui.runtime.job_directory import JobDirectory, write_private
from netmon_tui.runtime.jobs import request_stop, start_job
from netmon_tui.runtime.staged import PROGRAM
from netmon_tui.runtime.staged.limits import LEAST_MEMORY, Limits
from netmon_tui.runtime.staged.plan import Plan
from tests.unit.runtime.waiting import ended

HOSTS = "".join(
    f'<host><status state="up"/><address addr="192.0.2.{n}" addrtype="ipv4"/><ports>'
    f'<port protocol="tcp" portid="22"><state state="open"/></port></ports></host>'
    for n in range(1, 9)
)
DOCUMENT = f'<nmaprun scanner="nmap">{HOSTS}<runstats><finished exit="success"/></runstats></nmaprun>'
SHELL = ("/bin/sh", "-c")
FINDS_HOSTS = (*SHELL, "printf '%s' '" + DOCUMENT + '\' > "$1"')  # $0 is -oX
BUSY = (*SHELL, "while :; do :; done")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "job"
    yield path
    status = JobDirectory(path).read_status()
    if status and status.state != "ended":
        request_stop(path)
        ended(path)


def run(
    directory: Path, *, ports: tuple[str, ...], detection: tuple[str, ...] = (), **limits: int
) -> JobStatus:
    """Run a plan of such commands to its end."""
    plan = Plan(
        arguments="nmap", targets=(), addresses=8, discovery=(), ports=ports, detection=detection, names=(),
        every_host=False, closed_port=False, exclude=(), skip=(), slow_micros=1, fast=(), parallel=4, batch=2,
    )  # fmt: skip
    directory.mkdir()
    write_private(directory / "plan.json", plan._asdict())
    bounds = JobLimits(free_space_floor=0, **limits)
    spec = JobSpec(JobKind.SCAN, (sys.executable, "-I", "-S", str(PROGRAM)), bounds)
    start_job(directory, spec).close()
    return ended(directory, patience=60.0)


def test_processor_time_is_that_of_the_scan(directory: Path) -> None:
    # none of the eight comes near the limit
    counts = (*SHELL, "i=0; while [ $i -lt 2000000 ]; do i=$((i+1)); done; exit 1")
    status = run(directory, ports=FINDS_HOSTS, detection=counts, cpu_seconds=3)
    assert (status.why, status.error) == (EndReason.CPU, "more than 3 s of processor time")
    assert (directory / "scan.xml").read_bytes().startswith(b"<?xml")


def test_an_nmap_that_used_its_processor_time_up_ends_the_scan_in_those_words(directory: Path) -> None:
    assert run(directory, ports=BUSY, cpu_seconds=1).why is EndReason.CPU


def test_memory_is_shared_by_the_nmaps_that_run_at_once(directory: Path) -> None:
    tells = (*SHELL, "ulimit -v > limit.$$; exit 1")
    run(directory, ports=FINDS_HOSTS, detection=tells, memory_bytes=2 * LEAST_MEMORY)
    limits = [int(path.read_text()) for path in directory.glob("limit.*")]
    assert set(limits) == {LEAST_MEMORY >> 10}


@pytest.mark.parametrize("dies", ["exec tail /dev/zero", "kill -ABRT $$"])
@pytest.mark.parametrize("stage", ["ports", "detection"])
def test_an_nmap_without_memory_ends_the_scan_in_those_words(directory: Path, stage: str, dies: str) -> None:
    commands = {"ports": FINDS_HOSTS} | {stage: (*SHELL, dies)}
    status = run(directory, **commands, memory_bytes=2 * LEAST_MEMORY)
    assert status.why is EndReason.MEMORY


def test_an_nmap_that_a_stranger_kills_is_told_of(directory: Path) -> None:
    status = run(directory, ports=(*SHELL, "kill -KILL $$"))
    assert status.why is EndReason.FAILED
    assert "nmap was ended by SIGKILL" in status.error


@pytest.mark.parametrize(("memory", "nmaps"), [(1, 1), (2 * LEAST_MEMORY, 2), (99 * LEAST_MEMORY, 4)])
def test_little_memory_means_fewer_nmaps_at_once(
    memory: int, nmaps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (memory, memory))
    assert Limits().at_once(4) == nmaps
    assert Limits().memory_of_each(nmaps) * nmaps <= memory


def test_without_limits_nothing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    unlimited = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda which: (unlimited, unlimited))
    assert (Limits().at_once(4), Limits().memory_of_each(4)) == (4, unlimited)
