"""The terminal goes away, with and without a signal: the application ends, and does not spin."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("netmon-tui")


def started(directory, **options):
    """Return the program in a pty of its own, painted: (process, master)."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "--data-dir", directory / "data"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "TERM": "xterm-256color", "LANG": "C.UTF-8"},
        **options,
    )
    os.close(slave)
    read_until(master, b"administrator")
    return process, master


def read_until(master, wanted):
    painted = b""
    while wanted not in painted:
        painted += os.read(master, 65_536)


@pytest.fixture
def running(tmp_path):
    """The program as the leader of a session: (process, master)."""
    process, master = started(tmp_path, start_new_session=True)
    yield process, master
    process.kill()
    process.wait()


@pytest.fixture
def job(tmp_path):
    """The program as a job of ours, as a shell starts it: (process, master)."""
    process, master = started(tmp_path, process_group=0)
    yield process, master
    process.kill()
    process.wait()


def test_a_terminal_that_vanishes_without_a_signal_ends_the_application(running):
    process, master = running
    os.close(master)
    assert process.wait(30) == 129


@pytest.mark.parametrize(("number", "status"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)])
def test_a_signal_after_the_terminal_is_gone_ends_the_application(running, number, status):
    process, master = running
    os.close(master)
    process.send_signal(number)
    assert process.wait(30) in (status, 129)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_terminal_clean(running, number, status):
    process, master = running
    process.send_signal(number)
    output = b""
    try:
        while piece := os.read(master, 65_536):
            output += piece
    except OSError:
        pass  # the other end is closed: everything was read
    assert process.wait(30) == status
    for sequence in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l"):
        assert sequence in output, sequence
    os.close(master)


def threads_of(process) -> set[str]:
    return set(os.listdir(f"/proc/{process.pid}/task"))


def await_end_of_two(process, before) -> None:
    """Wait until the threads that read and wrote before are gone, whose places others took."""
    until = time.monotonic() + 30
    while len(before - threads_of(process)) != 2:
        assert time.monotonic() < until, f"of {before} there are {threads_of(process)}"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_after_a_pause_all_is_painted_again_and_what_is_typed_is_read_once(running, number):
    process, master = running
    before = threads_of(process)
    process.send_signal(number)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    painted = b""
    while b"administrator" not in painted.partition(b"\x1b[?1049h")[2]:  # on the screen that it begins anew
        painted += os.read(master, 65_536)
    await_end_of_two(process, before)
    os.write(master, b"\x11")  # ctrl+q
    assert process.wait(30) == 0
    os.close(master)


def test_the_key_for_it_goes_back_to_the_shell_and_the_shell_brings_the_screen_back(job):
    process, master = job
    os.write(master, b"\x1a")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    read_until(master, b"\x1b[?1049l")
    process.send_signal(signal.SIGCONT)
    read_until(master, b"administrator")
    os.write(master, b"\x11")
    assert process.wait(30) == 0
    os.close(master)


def test_without_a_shell_the_key_says_so_and_stops_nothing(running):
    process, master = running
    os.write(master, b"\x1a")
    read_until(master, b"shell")
    os.write(master, b"\x11")
    assert process.wait(30) == 0
    os.close(master)


def test_typing_what_is_no_utf_8_ends_nothing(running):
    process, master = running
    for typed in (b"\xe4\xff\xc3", b"x\xc3", b"\x11"):  # the last is ctrl+q
        os.write(master, typed)
    assert process.wait(30) == 0
    os.close(master)
