from __future__ import annotations

import dataclasses
import json
import os
import stat
from pathlib import Path

import pytest

from netmon_tui.domain.job import (
    CaptureCounters,
    EndReason,
    JobKind,
    JobLimits,
    JobSpec,
    JobStatus,
    ProcessIdentity,
)
from netmon_tui.runtime.job_directory import JobDirectory, seconds_run, set_aside
from netmon_tui.runtime.runner.status import StatusFile

SPEC = JobSpec(
    JobKind.CAPTURE,
    ("/usr/bin/tcpdump", "-w", "-", "--", "port 53 and host ü"),
    JobLimits(1.5, 2, 3, 4, 5),
    detached=False,
    private_pty=True,
    capture_file="c.pcap",
    counter_programs=(("total", "1\n6 0 0 1\n"), ("tcp", "")),
    counter_interface="eth0",
)


@pytest.fixture
def job(tmp_path: Path) -> JobDirectory:
    directory = JobDirectory(tmp_path / "jobs" / "1")
    directory.create()
    return directory


def test_the_directory_is_private_and_new(job: JobDirectory) -> None:
    assert stat.S_IMODE(job.path.stat().st_mode) == 0o700
    with pytest.raises(FileExistsError):
        job.create()


def test_a_spec_is_written_whole_and_private(job: JobDirectory) -> None:
    job.write_spec(SPEC, patience=(1, 2))
    assert stat.S_IMODE(job.spec.stat().st_mode) == 0o600
    written = json.loads(job.spec.read_text())
    assert written == json.loads(json.dumps(dataclasses.asdict(SPEC) | {"patience": [1, 2]}))


@pytest.mark.parametrize(
    "spec",
    [
        JobSpec(JobKind.CAPTURE, ("/bin/true",), capture_file="../c.pcap"),
        JobSpec(JobKind.CAPTURE, ("/bin/true",), capture_file="/etc/passwd"),
        JobSpec(JobKind.CAPTURE, ("/bin/true",), capture_file=".."),
        JobSpec(JobKind.SCAN, ("nmap",)),
        JobSpec(JobKind.SCAN, ()),
    ],
)
def test_a_spec_that_leads_elsewhere_is_refused(job: JobDirectory, spec: JobSpec) -> None:
    with pytest.raises(ValueError, match=r"path|plain name"):
        job.write_spec(spec)
    assert os.listdir(job.path) == []


def test_a_status_of_the_runner_is_read(job: JobDirectory) -> None:
    status = StatusFile(str(job.path))
    counters = {"packets": 3, "bytes": 9, "received": 4, "dropped": 1, "captured": 3}
    status.fields |= {"tool_pid": 7, "tool_start_ticks": 8, "started": 1.5}
    status.fields["counters"] = counters | {"protocols": [["tcp", 2]]}
    status.end("stopped", -2, "a reason")
    read = job.read_status()
    assert read
    assert read == JobStatus(
        "ended",
        ProcessIdentity(os.getpid(), read.runner.start_ticks, read.runner.boot_id),
        7,
        8,
        1.5,
        read.ended,
        EndReason.STOPPED,
        -2,
        "a reason",
        CaptureCounters(**counters, protocols=(("tcp", 2),)),
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"state": "running"}', '"x"', "\x00"])
def test_a_damaged_status_is_none(job: JobDirectory, text: str) -> None:
    assert job.read_status() is None
    job.status.write_text(text)
    assert job.read_status() is None


def test_any_half_of_a_status_is_none(job: JobDirectory) -> None:
    StatusFile(str(job.path)).write()
    whole = job.status.read_bytes()
    for length in range(len(whole)):
        job.status.write_bytes(whole[:length])
        assert job.read_status() is None


def test_an_unknown_reason_is_no_status(job: JobDirectory) -> None:
    status = StatusFile(str(job.path))
    status.fields["why"] = "boredom"
    status.write()
    assert job.read_status() is None


def test_the_time_of_all_runs_counts_without_pauses(tmp_path: Path) -> None:
    path = tmp_path / "scan-1"
    assert seconds_run(path) == 0
    for started, ended, halted in ((1000.0, 1060.0, 0.0), (5000.0, 5100.0, 70.0)):
        if path.exists():
            set_aside(path)
        else:
            path.mkdir()
        status = StatusFile(str(path))
        status.fields |= {"started": started, "ended": ended, "halted": halted}
        status.write()
    assert seconds_run(path) == 60 + 30
    path.rename(tmp_path / "run")
    (tmp_path / "scan-1.next").mkdir()
    (tmp_path / "run").rename(tmp_path / "scan-1.next" / "earlier")  # a program died while it set them aside
    assert seconds_run(path) == 60 + 30


@pytest.mark.parametrize(("state", "seconds"), [("running", 40), ("paused", 10)])
def test_a_tool_whose_runner_was_killed_ran_as_long_as_something_was_written(
    job: JobDirectory, state: str, seconds: int
) -> None:
    status = StatusFile(str(job.path))
    status.fields |= {"state": state, "started": 1000.0}
    status.write()
    os.utime(job.status, (1010, 1010))
    job.stdout.write_text("progress")
    os.utime(job.stdout, (1040, 1040))
    assert seconds_run(job.path) == seconds
