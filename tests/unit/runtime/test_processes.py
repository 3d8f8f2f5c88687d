from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from netmon_tui.errors import ToolMissing
from netmon_tui.runtime.processes import run_checked
from tests.unit.runtime.waiting import is_gone, wait_for


def sh(script: str, **options: object):
    return run_checked(("/bin/sh", "-c", script), **({"timeout": 10.0, "cpu_seconds": 5} | options))


def test_a_child_says_what_it_has_to_say() -> None:
    done = sh("cat; echo problem >&2; exit 3", input=b"hello")
    assert done == (3, "hello", "problem\n", False)


def test_the_environment_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NMAPDIR", "/tmp/evil")
    names = {line.partition("=")[0] for line in sh("env").stdout.splitlines()}
    assert names - {"_", "PWD", "SHLVL", "OLDPWD"} == {"PATH", "LC_ALL", "HOME", "WIRESHARK_CONFIG_DIR"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give away")
def test_a_child_of_root_is_nobody_unless_told_otherwise() -> None:
    assert sh("id -u; id -g; id -G").stdout.split() == ["65534"] * 3
    assert sh("id -u", unprivileged=False).stdout == "0\n"


def test_a_child_is_killed_at_the_deadline_with_its_children() -> None:
    start = time.monotonic()
    done = sh("sleep 61 & echo $!; trap '' INT TERM; sleep 62", timeout=0.5)
    assert done.timed_out
    assert done.returncode == -signal.SIGKILL
    assert time.monotonic() - start < 30
    wait_for(lambda: is_gone(int(done.stdout)), "the end of the grandchild")


def test_a_busy_child_is_killed_by_its_cpu_limit() -> None:
    done = sh("while :; do :; done", cpu_seconds=1, timeout=30.0)
    assert done.returncode == -signal.SIGXCPU
    assert not done.timed_out


def test_output_without_end_is_cut_and_costs_no_memory() -> None:
    done = sh("head -c 30000000 /dev/zero; head -c 30000000 /dev/zero >&2", max_output=1000)
    assert (len(done.stdout), len(done.stderr), done.returncode) == (1000, 1000, 0)


def test_memory_is_bounded() -> None:
    done = sh("tail /dev/zero", memory_bytes=64 << 20)
    assert done.returncode != 0
    assert "memory" in done.stderr


def test_a_missing_program_is_an_error_of_ours() -> None:
    with pytest.raises(ToolMissing):
        run_checked(("/nonexistent/tcpdump", "-d"), timeout=1, cpu_seconds=1)


def test_nothing_is_left_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        sh("true")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
