"""Durable jobs with real children: shells and sleeps in the place of nmap."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netmon_tui.domain.job import EndReason, JobKind, JobLimits, JobSpec, JobStatus
from netmon_tui.errors import DiskFull, ToolFailed, ToolMissing
from netmon_tui.runtime import jobs
from netmon_tui.runtime.job_directory import JobDirectory, seconds_run
from netmon_tui.runtime.jobs import (
    JobHandle,
    request_pause,
    request_stop,
    runner_is_alive,
    start_job,
    sweep_orphan,
)
from netmon_tui.runtime.process_identity import identity_of, is_alive, members_of_group, send_signal
from netmon_tui.runtime.runner.identity import stat_fields
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.supervision import read_status
from tests.unit.runtime.waiting import ended, is_gone, shell, wait_for

IMPATIENT = (0.3, 0.3)
STUBBORN = "trap '' INT TERM HUP; echo ready; while :; do sleep 0.05; done"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A job directory whose job, if it still runs, is killed at the end."""
    path = tmp_path / "job"
    yield path
    status = JobDirectory(path).read_status()
    if status and status.state != "ended":
        send_signal(status.runner, signal.SIGKILL)
        wait_for(lambda: not runner_is_alive(status, path), "the runner's end")
        sweep_orphan(status, path)


def start(directory: Path, spec: JobSpec, **more: object) -> JobHandle:
    return start_job(directory, spec, **({"patience": IMPATIENT} | more))


STOPPED_AT_ONCE = """
import os, signal, sys

sys.path.append({runtime!r})
from runner import program, status

write = status.StatusFile.write


def write_and_be_stopped(self):
    told, status.StatusFile.write = write(self), write
    os.kill(os.getpid(), signal.SIGTERM)
    return told


status.StatusFile.write = write_and_be_stopped
if not os.fork():
    program.main(sys.argv[1])
"""


def test_a_runner_that_is_stopped_as_soon_as_it_is_known_says_so(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "runner.py"
    program.write_text(STOPPED_AT_ONCE.format(runtime=str(jobs.RUNNER.parents[1])))
    monkeypatch.setattr(jobs, "RUNNER", program)
    start(directory, shell("exec sleep 60")).close()
    assert ended(directory).why is EndReason.STOPPED


def printed(directory: Path, text: str) -> None:
    """Wait until the tool has printed something."""
    wait_for(lambda: (directory / "stdout").exists() and text in (directory / "stdout").read_text(), text)


# --- a life without incidents ---


def test_a_tool_that_ends_well(directory: Path) -> None:
    handle = start(directory, shell("echo out; echo err >&2; echo kept > file"))
    status = ended(directory)
    assert (status.why, status.exit_status, status.error) == (EndReason.FINISHED, 0, "")
    assert handle.status.started <= status.started <= status.ended
    assert (directory / "stdout").read_text() == "out\n"
    assert (directory / "stderr").read_text() == "err\n"
    assert (directory / "runner.log").read_text() == ""
    handle.close()


def test_what_a_job_leaves_is_private(directory: Path) -> None:
    start(directory, shell("echo kept > file")).close()
    ended(directory)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes.pop("home") == 0o700
    assert set(modes) == {"spec.json", "status.json", "stdout", "stderr", "runner.log", "file"}
    assert set(modes.values()) == {0o600}


def test_a_tool_starts_clean(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NMAPDIR", "/tmp/evil")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    script = (
        "env; readlink /proc/$$/fd/0; ls /proc/$$/fd; pwd; umask; grep -E 'Sig(Ign|Blk)' /proc/self/status"
    )
    start(directory, shell(script)).close()
    ended(directory)
    lines = (directory / "stdout").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    assert environment == {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": f"{directory}/home",
        "WIRESHARK_CONFIG_DIR": f"{directory}/home",
        "TZ": "Asia/Tokyo",
        "PWD": str(directory),
    }
    # grep looks at itself: a shell that is just starting it has every signal blocked
    *rest, blocked, ignored = [line for line in lines if "=" not in line]
    assert rest == ["/dev/null", *"012", str(directory), "0077"]
    assert blocked == "SigBlk:\t0000000000000000"
    # 32 and 33 belong to the C library, which lets nobody touch them: make and timeout may hand them down ignored
    assert int(ignored.removeprefix("SigIgn:"), 16) & ~(0b11 << 31) == 0


def test_the_tool_has_a_session_of_its_own_and_no_terminal(directory: Path) -> None:
    handle = start(directory, shell("sleep 60"))
    runner, tool = stat_fields(handle.status.runner.pid), stat_fields(handle.status.tool_pid)
    # Fields 4 to 7: parent, group, session, terminal
    assert tool[1:5] == [
        str(n).encode() for n in (handle.status.runner.pid, *[handle.status.tool_pid] * 2, 0)
    ]
    assert runner[3] not in (tool[3], stat_fields(os.getpid())[3])
    assert runner[4] == b"0"
    assert int(runner[1]) != os.getpid()
    handle.close()


def test_a_private_terminal_is_the_tools_alone(directory: Path) -> None:
    script = "cat </dev/null >/dev/tty && echo has-terminal; yes > /dev/tty & sleep 0.3; kill $!; sleep 60"
    handle = start(directory, shell(script, pty=True))
    printed(directory, "has-terminal")
    tool = stat_fields(handle.status.tool_pid)
    assert tool[4] != b"0"
    assert tool[5] == str(handle.status.tool_pid).encode()  # field 8: it is in the foreground
    request_stop(directory)
    assert ended(directory).why is EndReason.STOPPED
    handle.close()


@pytest.mark.lab
@pytest.mark.parametrize("pty", [False, True])
def test_nmap_runs_with_and_without_a_terminal(directory: Path, pty: bool) -> None:
    nmap = find_tool("nmap") or pytest.skip("nmap is not installed")
    options = ("-sT", "-n", "-Pn", "-p", "9", "--stats-every", "1s", "-oX", "scan.xml", "--", "127.0.0.1")
    limits = JobLimits(seconds=30, memory_bytes=1 << 30, free_space_floor=0)
    start(directory, JobSpec(JobKind.SCAN, (nmap, *options), limits, private_pty=pty)).close()
    status = ended(directory, 40)
    assert (status.why, status.error) == (EndReason.FINISHED, "")
    assert 'exit="success"' in (directory / "scan.xml").read_text()
    assert "Nmap done" in (directory / "stdout").read_text()


def test_output_is_bounded(directory: Path) -> None:
    start(directory, shell("head -c 80000000 /dev/zero; echo end >&2")).close()
    assert ended(directory).why is EndReason.FINISHED
    assert (directory / "stdout").stat().st_size == 64 << 20
    assert f"{80_000_000 - (64 << 20)} bytes" in (directory / "runner.log").read_text()
    assert (directory / "stderr").read_text() == "end\n"


# --- failures ---


def test_a_missing_tool(directory: Path) -> None:
    with pytest.raises(ToolMissing, match="nmap is not installed"):
        start(directory, JobSpec(JobKind.SCAN, ("/nonexistent/nmap",), JobLimits(free_space_floor=0)))
    assert ended(directory).why is EndReason.START_FAILED


def test_a_tool_that_is_none(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "nmap").write_bytes(b"\x7fELF")
    (tmp_path / "nmap").chmod(0o700)
    with pytest.raises(ToolFailed, match="Exec format error"):
        start(directory, JobSpec(JobKind.SCAN, (f"{tmp_path}/nmap",), JobLimits(free_space_floor=0)))


def test_a_tool_that_fails_says_why(directory: Path) -> None:
    script = "echo first >&2; echo 'no such target' >&2; echo QUITTING! >&2; exit 7"
    start(directory, shell(script)).close()
    status = ended(directory)
    assert (status.why, status.exit_status, status.error) == (EndReason.FAILED, 7, "no such target")


def test_a_tool_killed_by_a_stranger_failed(directory: Path) -> None:
    start(directory, shell("kill -SEGV $$")).close()
    status = ended(directory)
    assert (status.why, status.exit_status, status.error) == (EndReason.FAILED, -11, "ended by SIGSEGV")


def test_a_runner_that_cannot_begin_says_why(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "START_PATIENCE", 0.5)
    monkeypatch.setattr(jobs, "RUNNER", directory / "spec.json")
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(ToolFailed, match="runner"):
        start(directory, shell("true"))
    assert set(os.listdir("/proc/self/fd")) == before


# --- limits ---


def test_the_deadline(directory: Path) -> None:
    start(directory, shell("sleep 60", seconds=0.5)).close()
    status = ended(directory)
    assert status.why is EndReason.DEADLINE
    assert "0.5 s" in status.error
    assert 0.4 < status.ended - status.started < 30, "and not when the tool has slept enough"


def test_a_pause_is_not_the_tools_time(directory: Path) -> None:
    handle = start(directory, shell("while :; do sleep 0.05; done"))
    job = JobDirectory(directory)
    request_pause(directory, paused=True)
    wait_for(lambda: (status := job.read_status()) and status.state == "paused", "a halted tool")
    request_pause(directory, paused=False)
    status = wait_for(lambda: (status := job.read_status()) and status.halted and status, "its end")
    assert 0 < status.halted <= time.time() - handle.status.started
    request_pause(directory, paused=True)
    wait_for(lambda: (status := job.read_status()) and status.state == "paused", "a halted tool")
    os.kill(handle.status.tool_pid, signal.SIGKILL)
    last = ended(directory)
    assert last.halted > status.halted
    assert seconds_run(directory) == pytest.approx(last.ended - last.started - last.halted)
    handle.close()


def test_processor_time(directory: Path) -> None:
    start(directory, shell("while :; do :; done", cpu_seconds=1)).close()
    status = ended(directory, 30)
    assert (status.why, status.exit_status) == (EndReason.CPU, -signal.SIGXCPU)


def test_memory(directory: Path) -> None:
    start(directory, shell("exec tail /dev/zero", memory_bytes=64 << 20)).close()
    status = ended(directory)
    assert status.why is EndReason.MEMORY
    assert "memory" in status.error


def test_a_file_of_a_scan_is_bounded(directory: Path) -> None:
    start(directory, shell("exec cat /dev/zero > results.xml", output_bytes=1 << 20)).close()
    assert ended(directory).why is EndReason.SIZE_LIMIT
    assert (directory / "results.xml").stat().st_size == 1 << 20


def test_no_core_is_left(directory: Path) -> None:
    start(directory, shell("ulimit -c")).close()
    ended(directory)
    assert (directory / "stdout").read_text() == "0\n"


def test_the_free_space_floor_refuses_a_start(directory: Path) -> None:
    with pytest.raises(DiskFull, match=r"was not started: less than .* MiB are free .free some space"):
        start(directory, shell("echo ran > ran", free_space_floor=1 << 60))
    assert ended(directory).why is EndReason.DISK_FULL
    assert not (directory / "ran").exists()


# --- stopping ---


@pytest.mark.parametrize(("trap", "expected"), [("", 2), ("trap '' INT;", 15), ("trap '' INT TERM;", 9)])
def test_the_ladder(directory: Path, trap: str, expected: int) -> None:
    handle = start(directory, shell(f"{trap} echo ready; while :; do sleep 0.05; done"))
    printed(directory, "ready")
    request_stop(directory)
    status = ended(directory)
    assert (status.why, status.exit_status) == (EndReason.STOPPED, -expected)
    handle.close()


def test_the_ladder_takes_its_time(directory: Path) -> None:
    handle = start(directory, shell(STUBBORN), patience=(0.8, 0.4))
    printed(directory, "ready")
    begun = time.time()
    request_stop(directory)
    stopping = wait_for(
        lambda: (s := JobDirectory(directory).read_status()) and s.state == "stopping" and s, "stopping"
    )
    assert stopping.why is None
    assert ended(directory).ended - begun >= 1.1
    handle.close()


def test_a_stop_by_the_file_alone(directory: Path) -> None:
    handle = start(directory, shell("sleep 60"))
    (directory / "stop").touch()
    assert ended(directory).why is EndReason.STOPPED
    handle.close()


def test_a_stopped_process_is_woken_to_end(directory: Path) -> None:
    handle = start(directory, shell("exec sleep 60"))
    os.kill(handle.status.tool_pid, signal.SIGSTOP)
    request_stop(directory)
    assert ended(directory).exit_status == -2
    handle.close()


def test_nothing_of_the_tool_survives(directory: Path) -> None:
    """Children that ignore signals, left the session or were orphaned on purpose."""
    script = (
        "(trap '' INT TERM; sleep 61) & echo $!; setsid sleep 62 & echo $!; "
        "(setsid sh -c 'sleep 63 & echo $!; sleep 64 & echo $!' &); sleep 60"
    )
    handle = start(directory, shell(script))

    def four() -> list[str]:
        lines = (directory / "stdout").read_text().splitlines(keepends=True)
        return lines if len(lines) == 4 and lines[-1].endswith("\n") else []

    pids = [int(line) for line in wait_for(four, "the numbers of four processes")]
    assert not any(map(is_gone, pids))
    request_stop(directory)
    ended(directory)
    assert all(map(is_gone, pids))
    handle.close()


def test_children_die_with_a_tool_that_ended_by_itself(directory: Path) -> None:
    start(directory, shell("(trap '' INT TERM; exec sleep 61) & echo $!")).close()
    assert ended(directory).why is EndReason.FINISHED
    assert is_gone(int((directory / "stdout").read_text()))


def test_signals_of_a_terminal_do_not_reach_the_runner(directory: Path) -> None:
    handle = start(directory, shell("sleep 60"))
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        assert send_signal(handle.status.runner, number)
    request_stop(directory)
    assert ended(directory).why is EndReason.STOPPED
    handle.close()


def test_we_never_have_to_reap_anything(directory: Path) -> None:
    handle = start(directory, shell("true"))
    handle.close()
    ended(directory)
    with pytest.raises(ChildProcessError):
        os.waitpid(handle.status.runner.pid, os.WNOHANG)


def test_many_jobs_leave_no_descriptor_and_no_process(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    handles = [start(tmp_path / str(number), shell("sleep 60")) for number in range(8)]
    for handle in handles:
        request_stop(handle.directory)
    for handle in handles:
        status = ended(handle.directory)
        assert status.why is EndReason.STOPPED
        assert is_gone(status.tool_pid)
        handle.close()
    assert len(os.listdir("/proc/self/fd")) == before


# --- the application goes ---

STARTER = """
import sys, time
from pathlib import Path
from netmon_tui.runtime.jobs import start_job
from tests.unit.runtime.waiting import shell
handle = start_job(Path(sys.argv[1]), shell(sys.argv[3], detached=sys.argv[2] == "detached"), patience=(.3, .3))
print("started", flush=True)
time.sleep(60)
"""


def killed_starter(directory: Path, mode: str, script: str = "sleep 60") -> JobStatus:
    """Start a job in another process, kill that with SIGKILL, and return what the job said before."""
    command = [sys.executable, "-c", STARTER, str(directory), mode, script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as starter:
        assert starter.stdout
        assert starter.stdout.readline() == b"started\n"
        status = JobDirectory(directory).read_status()
        os.killpg(starter.pid, signal.SIGKILL)
    assert status
    return status


def test_a_detached_job_goes_on_and_another_process_stops_it(directory: Path) -> None:
    before = killed_starter(directory, "detached", "sleep 0.6; echo lived; sleep 60")
    printed(directory, "lived")
    status = JobDirectory(directory).read_status()
    assert status == before
    assert runner_is_alive(before, directory)
    request_stop(directory)
    assert ended(directory).why is EndReason.STOPPED
    assert is_gone(before.tool_pid)


@pytest.mark.parametrize("script", ["sleep 60", STUBBORN])
def test_a_tied_job_ends_with_its_application(directory: Path, script: str) -> None:
    before = killed_starter(directory, "tied", script)
    status = ended(directory)
    assert (status.why, status.error) == (EndReason.LIFELINE, "the application ended")
    assert is_gone(before.tool_pid)


def test_a_tied_job_ends_when_its_handle_is_closed(directory: Path) -> None:
    handle = start(directory, shell("sleep 60", detached=False))
    handle.close()
    handle.close()
    assert ended(directory).why is EndReason.LIFELINE


def test_a_job_without_lifeline_does_not_need_us(directory: Path) -> None:
    handle = start(directory, shell("sleep 0.5; echo lived", detached=False), lifeline=False)
    assert handle.lifeline == -1
    assert ended(directory).why is EndReason.FINISHED
    assert (directory / "stdout").read_text() == "lived\n"


# --- the runner goes ---


def kill_runner(status: JobStatus, directory: Path) -> None:
    assert send_signal(status.runner, signal.SIGKILL)
    wait_for(lambda: not runner_is_alive(status, directory), "the end of the runner")


def test_the_tool_of_a_killed_runner_is_swept_up(directory: Path) -> None:
    script = (
        "trap '' INT; (trap '' INT TERM; exec sleep 61) & echo $!; echo ready; while :; do sleep 0.05; done"
    )
    handle = start(directory, shell(script))
    printed(directory, "ready")
    child = int((directory / "stdout").read_text().split()[0])
    assert not sweep_orphan(handle.status, directory)
    kill_runner(handle.status, directory)
    assert not is_gone(handle.status.tool_pid)
    status = JobDirectory(directory).read_status()
    assert status
    assert status.state == "running"
    assert sweep_orphan(status, directory)
    assert is_gone(status.tool_pid)
    assert is_gone(child)
    assert not sweep_orphan(status, directory)
    handle.close()


def test_what_is_left_of_a_killed_runner_and_its_killed_tool_is_swept_up(directory: Path) -> None:
    ours = f"sh -c 'sleep 61; :' {directory}/stage.xml & echo $!"
    handle = start(directory, shell(f"{ours}; sleep 62 & echo $!; echo ready; wait"))
    printed(directory, "ready")
    child, other = (int(word) for word in (directory / "stdout").read_text().split()[:2])
    kill_runner(handle.status, directory)
    os.kill(handle.status.tool_pid, signal.SIGKILL)
    wait_for(lambda: is_gone(handle.status.tool_pid), "the end of the tool")
    try:
        assert not is_gone(child)
        assert sweep_orphan(handle.status, directory)
        assert is_gone(child)
        assert not is_gone(other)  # nothing tells that it is ours: the group's number may be another's by now
    finally:
        for left in members_of_group(handle.status.tool_pid):
            send_signal(left, signal.SIGKILL)
    handle.close()


LOOKED_AT = """
import sys
from pathlib import Path
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.runtime.process_identity import is_alive
from netmon_tui.services.supervision import read_status

directory = JobDirectory(Path(sys.argv[1]))
status, is_over = read_status(directory)
print(is_alive(status.runner), is_over)
"""


@pytest.mark.lab
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="makes a pid namespace, with unshare as root"
)
def test_whoever_cannot_see_the_runner_sees_that_it_lives(directory: Path) -> None:
    inside = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]

    def looked_at() -> list[str]:
        command = [*inside, sys.executable, "-c", LOOKED_AT, str(directory)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()

    handle = start(directory, shell("sleep 62"))
    assert looked_at() == ["False", "False"]
    assert not is_gone(handle.status.tool_pid)
    assert runner_is_alive(handle.status, directory)
    kill_runner(handle.status, directory)
    assert looked_at() == ["False", "True"]
    assert sweep_orphan(handle.status, directory)
    assert is_gone(handle.status.tool_pid)
    handle.close()


def test_a_runner_whose_status_is_lost_lives_until_it_is_gone(directory: Path) -> None:
    handle, job = start(directory, shell("sleep 62")), JobDirectory(directory)
    job.status.unlink()
    assert read_status(job) == (None, False)
    job.status.write_text("no status")
    assert read_status(job) == (None, False)
    assert (directory / "reserve").exists()
    kill_runner(handle.status, directory)
    assert read_status(job) == (None, True)
    assert not (directory / "reserve").exists(), "nobody wants it any more"
    assert sweep_orphan(handle.status, directory)
    handle.close()


def test_a_stranger_with_the_tools_number_is_left_alone(directory: Path) -> None:
    start(directory, shell("true")).close()
    status = ended(directory)
    stranger = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    try:
        earlier = status.tool_start_ticks - 1  # a tick is 10 ms: both may have begun in the same one
        told = dataclasses.replace(status, tool_pid=stranger.pid, tool_start_ticks=earlier)
        assert not sweep_orphan(told, directory)
        identity = identity_of(stranger.pid)
        assert identity
        assert is_alive(identity)
    finally:
        stranger.kill()
        stranger.wait()


# --- status.json under many eyes ---


def test_a_status_is_never_half_written(directory: Path) -> None:
    """A reader that does nothing else must never see anything but a whole status."""
    seen: set[str] = set()
    problems: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                text = (directory / "status.json").read_text()
            except FileNotFoundError:
                if seen:
                    problems.append("gone")
                continue
            try:
                seen.add(json.loads(text)["state"])
            except (ValueError, KeyError):
                problems.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        handle = start(directory, shell(STUBBORN))
        printed(directory, "ready")
        wait_for(lambda: "running" in seen, "the reader to see that it runs")
        request_stop(directory)
        ended(directory)
        wait_for(lambda: "ended" in seen, "the reader to come by once more")
    finally:
        done.set()
        reader.join()
    assert problems == []
    assert {"running", "stopping", "ended"} <= seen
    handle.close()
