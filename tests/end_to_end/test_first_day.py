"""The first day of an administrator: the installed program in a real terminal, on a real network, with real tools.

One test goes through everything once, as a person would, and comes back; another one loses the terminal.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.terminal import PROGRAM, Terminal
from tests.lab.hosts import EXPECTED
from tests.lab.network import Lab

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(400),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]
NAME, PASSWORD = "ada", "walnut-koala-lantern"
PORTS = (7, 21, 22, 23, 25, 80, 2323, 8080)
OPEN = sum(1 for found in EXPECTED.values() for number, kind in found if kind == "tcp" and number in PORTS)
ENDLESS = ("10.77.0.15", "-sV -p 7")
"""A scan that never ends by itself."""
Open = Callable[[], Terminal]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def terminal(lab: Lab, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """``terminal()`` opens one and starts the program in it; each is closed at the end, and every job stopped."""
    opened: list[Terminal] = []
    state = tmp_path_factory.mktemp("t")  # short: a socket's path has room for 107 characters

    def start() -> Terminal:
        opened.append(Terminal(lab, data, state))
        opened[-1].start()
        return opened[-1]

    yield start
    for one in opened:
        one.close()
    with suppress(subprocess.CalledProcessError):  # there is no account when the first screen failed
        for job in ask(lab, data, "job", "list"):
            if job["state"] == "running":
                command(lab, data, job["kind"], "stop", str(job["subject"]))


def command(lab: Lab, data: Path, *words: str) -> str:
    """Run the command line to its end and return its standard output."""
    environment = {"NETMON_TUI_USER": NAME, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    argv = [str(PROGRAM), "--data-dir", str(data), "--user", NAME, "--password-file", "-", *words]
    return lab.run(argv, env=environment, stdin=PASSWORD, check=True).stdout


def ask(lab: Lab, data: Path, *words: str) -> Any:
    return json.loads(command(lab, data, *words, "--json"))


def create_administrator(screen: Terminal) -> None:
    screen.wait("Create the administrator")
    screen.fill_in(NAME)
    screen.fill_in(PASSWORD)
    screen.wait(f"{len(PASSWORD)} of 15 characters")
    screen.fill_in(PASSWORD)
    screen.press("Enter")
    screen.wait("No scans yet. Press n")


def log_in(screen: Terminal) -> None:
    screen.wait("Log in")
    screen.fill_in(NAME)
    screen.type(PASSWORD, "Enter")
    screen.wait("1 Scans", "6 Admin")


def start_scan(screen: Terminal, targets: str, options: str) -> None:
    """Through the form, with the keyboard alone."""
    screen.press("n")
    screen.wait("New scan")
    screen.type(targets)
    screen.go_on("Tab", "Tab")
    screen.press("C-u")
    screen.wait("Profile", "Regular scan")
    screen.type(options)
    screen.wait("Options", options)
    screen.wait("Profile", "Own options")
    screen.press("Enter")
    screen.wait("New scan", gone=True)


def scan_the_subnet(screen: Terminal) -> None:
    start_scan(screen, "10.77.0.0/24", f"-sS -p {','.join(map(str, PORTS))}")
    screen.wait("10.77.0.0/24", "running")
    screen.press("Enter")
    screen.wait("1 Hosts", "6 About")
    screen.wait("10.77.0.0/24", "done")
    screen.wait("7 up", f"{OPEN} open")
    for address in EXPECTED:
        screen.wait(address)
    screen.press("G", "g", "Down")  # the second host: the first is this machine
    screen.wait("10.77.0.10", "b8:27:eb:00:00:10")
    for number, protocol in EXPECTED["10.77.0.10"]:
        screen.wait(f"{number}/{protocol}", "open", EXPECTED["10.77.0.10"][number, protocol])
    screen.press("Escape")
    screen.wait("1 Scans", "6 Admin")


def watch_the_neighbours(screen: Terminal, lab: Lab) -> None:
    screen.press("2")
    screen.wait("10.77.0.10", "b8:27:eb:00:00:10", "eth0", "new")  # met by the scan
    newcomer = lab.add_host("10.77.0.40", "b8:27:eb:00:00:40", {(80, "tcp"): "http"})
    try:
        assert not screen.line("10.77.0.40")
        lab.http_get(newcomer.address)
        screen.wait("10.77.0.40", "b8:27:eb:00:00:40", "REACHABLE")
    finally:
        lab.remove_host(newcomer.name)


def capture_an_exchange(screen: Terminal, lab: Lab) -> None:
    screen.press("3")
    screen.wait("No captures yet")
    screen.press("n")
    screen.wait("Interface", "eth0")
    screen.type("udp port 7")
    screen.wait("valid")
    screen.wait("tcpdump")
    screen.press("Enter")
    screen.wait("Capture 1", "running")
    assert lab.udp_exchange(10).packets == 20
    screen.wait("Packets 20 ")
    screen.wait("20 packets")
    screen.wait("User Datagram Protocol")
    screen.wait("0000", "3c d9 2b 00 00 13")  # to the echo's lladdr
    screen.press("x")
    screen.wait("Ended: stopped")
    screen.wait("captured 20", "received 20", "dropped 0")
    screen.press("Escape")
    screen.wait("1 Scans", "6 Admin")
    screen.wait("udp port 7", "done", "20")


def lock_and_unlock(screen: Terminal) -> None:
    screen.press("C-l")
    screen.wait("Jobs go on. The password of ada opens it")
    assert "udp port 7" not in screen.screen
    screen.type("not the password", "Enter")
    screen.wait("Wrong name or password")
    screen.type(PASSWORD, "Enter")
    screen.wait("udp port 7", "done")


def leave_a_scan_running(screen: Terminal) -> None:
    screen.press("1")
    screen.wait("10.77.0.0/24", "done")
    start_scan(screen, *ENDLESS)
    screen.wait("10.77.0.15", "running")
    screen.wait("1 job")
    screen.press("q")
    screen.wait("1 job runs. It goes on")
    screen.press("Enter")
    assert screen.exit_status() == 0


def find_everything_again(screen: Terminal) -> None:
    log_in(screen)
    screen.wait("10.77.0.15", "running")
    screen.wait("10.77.0.0/24", "done", str(OPEN))
    screen.press("3")
    screen.wait("udp port 7", "done", "20")
    screen.press("Enter")
    screen.wait("20 packets")
    screen.wait("User Datagram Protocol")
    screen.press("Escape")
    screen.wait("1 Scans", "6 Admin")
    screen.press("5")
    screen.wait("scan", "running", "nmap -sV -p7 ")


def test_the_first_day(lab: Lab, data: Path, terminal: Open) -> None:
    screen = terminal()
    create_administrator(screen)
    scan_the_subnet(screen)
    watch_the_neighbours(screen, lab)
    capture_an_exchange(screen, lab)
    lock_and_unlock(screen)
    leave_a_scan_running(screen)

    screen = terminal()
    find_everything_again(screen)

    scans = {scan["id"]: scan for scan in ask(lab, data, "scan", "list")}
    assert (scans[1]["state"], scans[1]["ports_open"]) == ("completed", OPEN)
    assert scans[2]["state"] == "running"
    (capture,) = ask(lab, data, "capture", "list")
    assert (capture["state"], capture["packets"], capture["filter"]) == ("completed", 20, "udp port 7")
    assert {job["state"] for job in ask(lab, data, "job", "list") if job["kind"] == "capture"} == {
        "completed"
    }

    screen.press("1")
    screen.wait("10.77.0.15", "running")
    screen.press("x")
    screen.wait("10.77.0.15", "cancelled")
    assert ask(lab, data, "scan", "show", "2")["state"] == "cancelled"
    screen.press("q")
    assert screen.exit_status() == 0


def test_a_scan_outlives_its_terminal(lab: Lab, data: Path, terminal: Open) -> None:
    screen = terminal()
    create_administrator(screen)
    start_scan(screen, *ENDLESS)
    screen.wait("10.77.0.15", "running")
    program = f"{PROGRAM} --data-dir {data}"
    assert program in processes(lab)
    screen.kill()
    screen.until(lambda: program not in processes(lab), "the program ends without its terminal")
    assert f"{data}/jobs/scan-1/scan.xml -- {ENDLESS[0]}" in processes(lab), "nmap goes on"

    screen = terminal()
    log_in(screen)
    screen.wait("10.77.0.15", "running")
    screen.wait("1 job")
    screen.press("x")
    screen.wait("10.77.0.15", "cancelled")
    screen.until(lambda: str(data / "jobs") not in processes(lab), "nmap and its runner end")
    screen.press("q")
    assert screen.exit_status() == 0


def processes(lab: Lab) -> str:
    """The command lines of everything that runs on the lab's machine."""
    return lab.run(["ps", "-ww", "-eo", "args="], check=True).stdout
