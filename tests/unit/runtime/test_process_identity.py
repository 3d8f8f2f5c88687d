from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
from pathlib import Path

import pytest

from netmon_tui.domain.job import ProcessIdentity
from netmon_tui.errors import PrivilegeMissing
from netmon_tui.runtime.process_identity import identity_of, is_alive, members_of_group, send_signal


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def known(pid: int) -> ProcessIdentity:
    identity = identity_of(pid)
    assert identity
    return identity


def test_a_process_is_itself(sleeper: subprocess.Popen[bytes]) -> None:
    identity = known(sleeper.pid)
    assert identity.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert is_alive(identity)
    assert send_signal(identity, signal.SIGTERM)
    assert sleeper.wait(5) == -signal.SIGTERM
    assert not is_alive(identity)
    assert not send_signal(identity, signal.SIGTERM)


@pytest.mark.parametrize("change", [{"start_ticks": 1}, {"boot_id": "another"}])
def test_another_process_with_the_number_is_not_signalled(
    sleeper: subprocess.Popen[bytes], change: dict[str, object]
) -> None:
    stranger = dataclasses.replace(known(sleeper.pid), **change)
    assert not is_alive(stranger)
    assert not send_signal(stranger, signal.SIGKILL)
    assert sleeper.poll() is None


def test_a_zombie_is_dead(sleeper: subprocess.Popen[bytes]) -> None:
    identity = known(sleeper.pid)
    sleeper.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # dead, and not reaped
    assert not is_alive(identity)
    assert not send_signal(identity, signal.SIGKILL)


def test_a_name_with_brackets_and_spaces_confuses_nothing(tmp_path: Path) -> None:
    tool = tmp_path / "a) R 1 (b"
    tool.symlink_to("/bin/sleep")
    process = subprocess.Popen([tool, "60"])
    try:
        assert known(process.pid).start_ticks >= known(os.getpid()).start_ticks > 1
    finally:
        process.kill()
        process.wait()


def test_nobody_and_nothing_are_not_alive() -> None:
    assert identity_of(2**22 + 1) is None
    assert not is_alive(ProcessIdentity(0, 0, ""))
    assert not is_alive(ProcessIdentity(-1, 5, ""))


def test_the_members_of_a_group_are_found() -> None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout
        child = int(process.stdout.readline())
        assert {member.pid for member in members_of_group(process.pid)} == {process.pid, child}
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_process_of_another_user_is_refused_in_words(sleeper: subprocess.Popen[bytes]) -> None:
    identity = known(sleeper.pid)
    child = os.fork()
    if not child:
        os.setresuid(65_534, 65_534, 65_534)
        try:
            send_signal(identity, signal.SIGTERM)
        except PrivilegeMissing:
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sleeper.poll() is None
