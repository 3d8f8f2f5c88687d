"""Jobs outlive what happens around them: the real programs, a running scan and a running capture."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pexpect
import pytest

from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.supervision import LEASE_SECONDS, SWEEP_SECONDS
from netmon_tui.tools.pcap import FILE_HEADER_SIZE
from netmon_tui.tools.pcap_index import PacketIndex
from tests.faults.program import PROGRAM, Answer, Headless, Site, until
from tests.lab.hosts import EXPECTED

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="captures and kills inside the lab need root"),
]

TARGETS = "10.77.0.10-15"
ADDRESSES = [address for address in EXPECTED if address != "10.77.0.1"]
STEPS = "-n -Pn -sS --max-hostgroup 1 -p 7,21-25,80,100-112,2323,8080 --max-rate"
"""One host after the other, of 22 packets each at so many a second."""
SLOW = f"{STEPS} 6"
TWO = ("10.77.0.10", "10.77.0.15")
LONG = "-n -Pn -sS -sV --max-hostgroup 1 -p 22,23,80"
"""The first host is done in seconds; of the second, nmap waits for minutes for one port to say who it is."""
UDP = "udp port 7"
TCP_PORTS = {
    address: {port for port, protocol in services if protocol == "tcp"}
    for address, services in EXPECTED.items()
}


def ports_of(scan: Any) -> dict[str, set[int]]:
    """What a scan found open, by host; a host that is there twice is an error."""
    times = Counter(host["address"] for host in scan["hosts"])
    assert set(times.values()) <= {1}, times
    return {
        host["address"]: {port["number"] for port in host["ports"] if port["state"] == "open"}
        for host in scan["hosts"]
    }


def finished(scan: Any) -> list[str]:
    """The hosts that nmap is done with."""
    return [host["address"] for host in scan["hosts"] if not host["partial"]]


def assert_whole(scan: Any) -> None:
    """Everything found, everything once."""
    assert ports_of(scan) == {address: TCP_PORTS[address] for address in ADDRESSES}
    assert sorted(finished(scan)) == sorted(ADDRESSES)
    assert (scan["state"], scan["percent"], scan["hosts_up"]) == ("completed", 100.0, len(ADDRESSES))
    assert scan["ports_open"] == sum(map(len, ports_of(scan).values()))


def assert_kept(scan: Any) -> None:
    """Some hosts whole, others only as far as nmap had come; nothing that is not there."""
    found = ports_of(scan)
    done = finished(scan)
    assert done
    for address in found:
        assert (
            found[address] == TCP_PORTS[address] if address in done else found[address] <= TCP_PORTS[address]
        )
    assert scan["hosts_up"] == len(found)
    assert scan["ports_open"] == sum(map(len, found.values()))


def assert_readable(site: Site, number: int, packets: int) -> None:
    """The file of a capture has so many whole packets, for us and for tcpdump."""
    path = site.directory("capture", number).path / "capture.pcap"
    with PacketIndex(path) as index:
        assert index.extend() == packets
    listed = site.lab.run(["tcpdump", "-n", "-r", str(path)])
    assert (listed.returncode, len(listed.stdout.splitlines())) == (0, packets), listed.stderr


def assert_nothing_runs(site: Site) -> None:
    """No tool, no runner and no zombie is left inside the lab."""
    until(lambda: not site.processes(), "no process left")


@pytest.fixture
def headless(site: Site) -> Iterator[Callable[[], Headless]]:
    """Starts headless programs and ends those that still run; then everything else inside must end, too."""
    started: list[Headless] = []

    def start() -> Headless:
        started.append(site.headless())
        return started[-1]

    yield start
    for program in started:
        if program.process.poll() is None:
            program.process.send_signal(signal.SIGCONT)
            program.close()


@pytest.fixture(autouse=True)
def nothing_left(site: Site) -> Iterator[None]:
    """Stops what a failed test left running, so that the next one finds a quiet lab."""
    yield
    for directory in (site.data / "jobs").glob("*"):
        (directory / "stop").touch()
    assert_nothing_runs(site)


def start_both(program: Headless, site: Site, **options: Any) -> None:
    """A scan that has finished a host, and a capture of a hundred questions and answers, both number 1."""
    assert program.ask("start_scan", targets=[TARGETS], arguments=SLOW, **options) == 1
    assert program.ask("start_capture", interface="eth0", filter=UDP, **options) == 1
    assert site.lab.udp_exchange(100).packets == 200
    until(lambda: program.ask("capture", number=1)["packets"] == 200, "200 packets live")
    until(lambda: finished(program.ask("scan", number=1)), "a finished host")


def detach_both(site: Site) -> None:
    """The same, started by commands that are gone; nobody follows."""
    assert site.run("scan", "run", *TWO, "--args", LONG, "--detach") == Answer(0, "1\n", "")
    assert site.run("capture", "run", "eth0", "--filter", UDP, "--detach") == Answer(0, "1\n", "")
    site.lab.udp_exchange(100)
    until(lambda: site.status("capture", 1).counters.packets == 200, "200 packets counted")  # type: ignore[union-attr]
    file = (
        site.directory("capture", 1).path / "capture.pcap"
    )  # the kernel counts what tcpdump has yet to write
    until(lambda: file.stat().st_size > FILE_HEADER_SIZE, "a packet in the file")
    xml = site.directory("scan", 1).path / "scan.xml"
    until(lambda: b"</host>" in xml.read_bytes(), "a finished host in the document")


def holder_of(site: Site, kind: str) -> int:
    """The process that holds the lease on a job."""
    return int(site.job(kind, 1)["lease_holder"].partition("-")[0] or 0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_second_program_takes_over(
    site: Site, headless: Callable[[], Headless], number: signal.Signals
) -> None:
    first = headless()
    start_both(first, site)
    second = headless()
    for kind in ("scan", "capture"):
        assert holder_of(site, kind) == first.pid
        assert second.ask(kind, number=1)["state"] == "running"
        assert second.ask(kind, number=1)["id"] == first.ask(kind, number=1)["id"]
    site.kill(first.pid, number)
    site.lab.udp_exchange(50)
    patience = LEASE_SECONDS + 2 * SWEEP_SECONDS
    for kind in ("scan", "capture"):
        until(
            lambda kind=kind: holder_of(site, kind) in (second.pid, 0), f"the lease of the {kind}", patience
        )
    site.kill(first.pid, signal.SIGCONT) if number == signal.SIGSTOP else None
    until(lambda: second.ask("capture", number=1)["packets"] == 300, "live counters that go on")
    assert second.ask("wait_scan", number=1) == "completed"
    assert_whole(second.ask("scan", number=1))
    second.ask("stop_capture", number=1)
    assert second.ask("wait_capture", number=1) == "completed"
    capture = second.ask("capture", number=1)
    assert (capture["packets"], capture["protocols"]["udp"], capture["end_reason"]) == (300, 300, "stopped")
    assert_readable(site, 1, 300)
    if number == signal.SIGSTOP:
        assert_whole(first.ask("scan", number=1))
        assert first.ask("capture", number=1)["state"] == "completed"


def test_without_detaching_the_tools_end_with_the_starter(
    site: Site, headless: Callable[[], Headless]
) -> None:
    first = headless()
    start_both(first, site, detached=False)
    first.kill()
    until(
        lambda: site.status("scan", 1).state == site.status("capture", 1).state == "ended", "both runners end"
    )
    assert_nothing_runs(site)
    second = headless()
    assert second.ask("wait_scan", number=1) == "interrupted"
    assert_kept(second.ask("scan", number=1))
    assert second.ask("wait_capture", number=1) == "interrupted"
    assert second.ask("capture", number=1)["packets"] == 200
    assert_readable(site, 1, 200)


def test_a_dropped_terminal_and_a_new_start(site: Site) -> None:
    scanning, capturing = (
        pexpect.spawn(words[0], words[1:], env=site.lab.environment(site.environment()), timeout=20)
        for words in (
            [*site.lab.enter_prefix(), str(PROGRAM), "scan", "run", *TWO, "--args", LONG],
            [*site.lab.enter_prefix(), str(PROGRAM), "capture", "run", "eth0", "--filter", UDP],
        )
    )
    capturing.expect("Ctrl-C stops it")
    site.lab.udp_exchange(100)
    capturing.expect("200 packets")
    until(lambda: site.row("scans", 1).get("hosts_stored"), "a finished host")
    for terminal in (scanning, capturing):
        terminal.close(force=False)
    until(lambda: not any(str(PROGRAM) in line for line in site.processes()), "both commands gone")
    site.lab.udp_exchange(50)
    shown = site.show("capture", 1)
    assert shown["state"] == "running"
    until(lambda: site.show("capture", 1)["packets"] == 300, "live counters that go on")
    assert site.show("scan", 1)["state"] == "running"
    assert site.run("capture", "stop", "1").err == "capture 1 is completed: 300 packets\n"
    assert_readable(site, 1, 300)
    assert site.run("scan", "stop", "1").code == 0
    scan = site.show("scan", 1)
    assert (scan["state"], scan["error"]) == ("cancelled", "stopped")
    assert_kept(scan)
    assert_nothing_runs(site)


def test_stopping_from_a_second_program(site: Site) -> None:
    scanning = site.start("scan", "run", *TWO, "--args", LONG, "--json")
    capturing = site.start("capture", "run", "eth0", "--filter", UDP, "--json")
    until(lambda: (site.directory("capture", 1).path / "capture.pcap").exists(), "a capture")
    until(lambda: site.status("capture", 1).state == "running", "a running capture")
    site.lab.udp_exchange(10)
    until(lambda: site.row("scans", 1).get("hosts_stored"), "a finished host")
    for kind in ("scan", "capture"):
        assert site.run(kind, "stop", "1").code == 0
    scan, capture = (json.loads(program.communicate(timeout=20)[0]) for program in (scanning, capturing))
    assert (scan["state"], scanning.returncode) == ("cancelled", 1)
    assert_kept(scan)
    assert (capture["state"], capture["packets"], capturing.returncode) == ("completed", 20, 0)
    assert_nothing_runs(site)


def test_a_killed_runner(site: Site) -> None:
    detach_both(site)
    tools = {}
    for kind in ("scan", "capture"):
        status = site.status(kind, 1)
        tools[kind] = status.tool_pid
        site.kill(status.runner.pid)
    orphans = site.lab.run(["ps", "-o", "stat=", "-p", str(tools["capture"])]).stdout
    assert orphans and not orphans.startswith("Z"), "tcpdump should have outlived its runner"
    with (site.directory("capture", 1).path / "capture.pcap").open("ab") as file:
        file.write(b"half a record")
    (site.directory("capture", 1).path / "next.part").touch()  # as if it was turning to the next file
    scan, capture = site.show("scan", 1), site.show("capture", 1)
    assert (scan["state"], scan["error"]) == ("interrupted", "the runner is gone; what was found is kept")
    assert_kept(scan)
    assert capture["state"] == "interrupted"
    assert 0 < capture["packets"] <= 200
    assert_readable(site, 1, capture["packets"])
    assert capture["files"][0]["packets"] == capture["packets"]
    left = {path.name for path in (site.data / "jobs").glob("*/*")}
    assert not left & {"reserve", "status.json.tmp", "next.part"}
    assert_nothing_runs(site)


@pytest.mark.parametrize("place", ["a directory", "a loop", "what cannot be read"])
def test_a_status_that_cannot_be_read_ends_no_command(site: Site, place: str) -> None:
    assert site.run("capture", "run", "eth0", "--filter", UDP, "--detach").code == 0
    status, file = site.status("capture", 1), site.directory("capture", 1).status
    for pid in (status.runner.pid, status.tool_pid):
        site.kill(pid)
    file.unlink()
    if place == "a directory":
        file.mkdir()
    else:
        file.symlink_to(file if place == "a loop" else "/proc/self/mem")
    for command in ("capture", "scan"):
        answer = site.run(command, "list")
        assert (answer.code, answer.err) == (0, "")
    if place == "what cannot be read":  # that may pass: nobody knows yet how it ended
        answer = site.run("capture", "show", "1")
        assert answer.code == 5 and answer.err.startswith("netmon-tui: ") and "status.json" in answer.err
        file.unlink()
    assert site.show("capture", 1)["state"] == "interrupted"


def test_a_reboot_and_a_stranger_with_the_same_number(site: Site) -> None:
    detach_both(site)
    stranger = site.lab.popen(
        ["sh", "-c", "cat /proc/$$/stat; exec sleep 600"], stdout=subprocess.PIPE, text=True
    )
    assert stranger.stdout
    line = stranger.stdout.readline()
    pid, ticks = int(line.split()[0]), int(line.rpartition(")")[2].split()[19])
    for kind in ("scan", "capture"):
        status = site.status(kind, 1)
        site.kill(status.runner.pid)
        site.kill(status.tool_pid)
        file = site.directory(kind, 1).status
        told = json.loads(file.read_bytes())
        told["runner"] = {"pid": pid, "start_ticks": ticks, "boot_id": "0c5d3f1e-0000-4000-8000-000000000000"}
        told |= {"tool_pid": pid, "tool_start_ticks": ticks}
        file.write_text(json.dumps(told))
    try:
        assert site.show("scan", 1)["state"] == "interrupted"
        assert_kept(site.show("scan", 1))
        capture = site.show("capture", 1)
        assert capture["state"] == "interrupted"
        assert_readable(site, 1, capture["packets"])
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_killed_tool(site: Site) -> None:
    detach_both(site)
    for kind in ("scan", "capture"):
        site.kill(site.status(kind, 1).tool_pid)
    scan = until(lambda: (s := site.show("scan", 1))["state"] != "running" and s, "an end of the scan")
    assert (scan["state"], scan["error"]) == ("failed", "ended by SIGKILL")
    assert_kept(scan)
    capture = until(
        lambda: (c := site.show("capture", 1))["state"] != "running" and c, "an end of the capture"
    )
    assert capture["state"] == "failed"
    assert capture["error"].startswith(f"tcpdump was killed (SIGKILL); the {capture['packets']} packet")
    assert_readable(site, 1, capture["packets"])


@pytest.mark.skipif(find_tool("dumpcap") is None, reason="dumpcap is not installed")
@pytest.mark.parametrize("format", ["pcap", "pcapng"])
def test_a_killed_dumpcap(site: Site, format: str) -> None:
    site.settings["NETMON_TUI_CAPTURES_ENGINE"] = "dumpcap"
    run = ("capture", "run", "eth0", "--filter", UDP, "--format", format, "--detach")
    assert site.run(*run) == Answer(0, "1\n", "")
    site.lab.udp_exchange(100)
    file = site.directory("capture", 1).path / f"capture.{format}"
    listed = ["tcpdump", "-n", "-r", str(file)]
    until(lambda: len(site.lab.run(listed).stdout.splitlines()) == 200, "200 packets in the file")
    tool = site.status("capture", 1).tool_pid
    assert "dumpcap" in site.lab.run(["ps", "-o", "args=", "-p", str(tool)]).stdout
    site.kill(tool)
    capture = until(
        lambda: (c := site.show("capture", 1))["state"] != "running" and c, "an end of the capture"
    )
    assert (capture["state"], capture["packets"]) == ("failed", 200)
    assert capture["error"].startswith("dumpcap was killed (SIGKILL); the 200 packets")
    whole = site.lab.run(listed)
    assert (whole.returncode, len(whole.stdout.splitlines())) == (0, 200), whole.stderr
    lines = site.run("capture", "packets", "1", "--json").document
    assert len(lines if isinstance(lines, list) else lines["packets"]) == 200


def test_what_cannot_be_read_is_given_up_with_the_reason(site: Site) -> None:
    detach_both(site)
    for kind in ("scan", "capture"):
        site.kill(site.status(kind, 1).runner.pid)
    (site.directory("scan", 1).path / "scan.xml").unlink()
    (site.directory("scan", 1).path / "scan.xml").mkdir()
    with (site.directory("capture", 1).path / "capture.pcap").open("r+b") as file:
        file.truncate(10)
    scan = site.show("scan", 1)
    assert scan["state"] == "failed"
    assert "Is a directory" in scan["error"] and str(site.data) in scan["error"]
    assert site.job("scan", 1)["state"] == "failed"
    assert site.directory("scan", 1).spec.exists()
    capture = site.show("capture", 1)
    assert (capture["state"], capture["packets"], capture["files"]) == ("interrupted", 0, [])
    assert "the runner is gone" in capture["error"] and "pcap" in capture["error"]
