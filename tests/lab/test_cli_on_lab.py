"""The command line on the scanner of the lab: real scans, captures and neighbours, and how they end."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.hosts import EXPECTED, SUBNET
from tests.lab.network import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

AS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0, reason="tcpdump cannot change its user in a user namespace: run as root"
)
PASSWORD = "correct horse battery staple"
NEVER = 30.0
"""Seconds after which a fact that should have come is missing."""
ENDLESS = ("10.77.0.15", "-sV -p 7")
"""A scan that never ends by itself."""


def until(question: Callable[[], Any], fact: str) -> Any:
    """Waits for a fact and returns it."""
    deadline = time.monotonic() + NEVER
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not in {NEVER} s: {fact}"
        time.sleep(0.05)
    return answer


class Program:
    """The installed program on the scanner, with a data directory of its own, ada being logged in."""

    def __init__(self, lab: Lab, data: Path) -> None:
        self.lab = lab
        self.data = data
        ours = {name: value for name, value in os.environ.items() if not name.startswith("NETMON_TUI_")}
        self.environment = ours | {"NETMON_TUI_DATA_DIR": str(data)}
        self.command = [str(Path(sys.executable).with_name("netmon-tui"))]

    def __call__(self, *arguments: str, code: int = 0, stdin: str | None = None) -> str:
        """Runs a command to its end, which must have the exit status; its stdout."""
        done = self.lab.run([*self.command, *arguments], env=self.environment, stdin=stdin, timeout=90)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self.lab.popen(
            [*self.command, *arguments],
            env=self.environment,
            bufsize=0,  # or communicate() would miss what a read() before it has buffered
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def status(self, job: str) -> dict[str, Any]:
        """What the runner of a job said last; empty before it said anything."""
        try:
            return json.loads((self.data / "jobs" / job / "status.json").read_text())
        except FileNotFoundError:
            return {}

    def wait_until_running(self, job: str, command: subprocess.Popen[bytes]) -> None:
        """Waits until a job that the command started runs."""

        def runs() -> bool:
            assert command.poll() is None, command.communicate()
            return self.status(job).get("state") == "running"

        until(runs, f"{job} runs")


@pytest.fixture(scope="module")
def data_of_ada(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a logged in administrator; made once and copied."""
    program = Program(lab, tmp_path_factory.mktemp("template") / "data")
    program("--password-file", "-", "user", "add", "ada", stdin=PASSWORD)
    program("--user", "ada", "--password-file", "-", "login", stdin=PASSWORD)
    return program.data


@pytest.fixture
def program(lab: Lab, data_of_ada: Path, tmp_path: Path) -> Iterator[Program]:
    """The program; jobs that a test leaves running are stopped after it."""
    shutil.copytree(data_of_ada, tmp_path / "data")
    found = Program(lab, tmp_path / "data")
    yield found
    for job in found.json("job", "list"):
        if job["state"] == "running":
            found(job["kind"], "stop", str(job["subject"]))


def open_ports(scan: dict[str, Any]) -> dict[str, dict[tuple[int, str], str]]:
    return {
        host["address"]: {
            (port["number"], port["protocol"]): port["service"]["name"]
            for port in host["ports"]
            if port["state"] == "open"
        }
        for host in scan["hosts"]
    }


def test_a_scan_of_the_subnet_finds_exactly_what_runs(program: Program) -> None:
    numbers = {
        protocol: sorted({p for e in EXPECTED.values() for p, x in e if x == protocol})
        for protocol in ("tcp", "udp")
    }
    ports = f"T:{','.join(map(str, numbers['tcp']))},U:{','.join(map(str, numbers['udp']))}"
    scan = program.json("scan", "run", SUBNET, "--args", f"-sS -sU --exclude 10.77.0.1 -p {ports}")
    assert open_ports(scan) == EXPECTED
    assert (scan["state"], scan["percent"], scan["hosts_up"]) == ("completed", 100.0, len(EXPECTED))
    assert scan == program.json("scan", "show", str(scan["id"]))
    exported = program("scan", "export", str(scan["id"]), "--format", "csv")
    rows = {(r["address"], r["port"]) for r in csv.DictReader(io.StringIO(exported)) if r["state"] == "open"}
    assert rows == {(address, str(port)) for address, found in EXPECTED.items() for port, _ in found}
    again = program.json("scan", "list")
    assert [one["ports_open"] for one in again] == [sum(map(len, EXPECTED.values()))]


@pytest.mark.parametrize(
    "options",
    [
        "-v -O --max-os-tries 1 --traceroute -p 7,22,80,81 --exclude 10.77.0.15",
        "-sS -sU -p T:1-100,U:7,53,60-70 --exclude 10.77.0.15",
        "-vv -sV --version-light -p 7,22,23,80,81,2323,8080 --exclude 10.77.0.15",
        "-sn",
    ],
)
def test_greppable_output_is_what_nmap_writes(program: Program, tmp_path: Path, options: str) -> None:
    xml, greppable = tmp_path / "scan.xml", tmp_path / "scan.gnmap"
    command = ["nmap", *options.split(), "-T4", "-oX", str(xml), "-oG", str(greppable), SUBNET]
    program.lab.run(command, check=True, timeout=90)
    program("scan", "import", str(xml))
    written = program("scan", "export", "1", "--format", "gnmap")
    assert written.splitlines() == greppable.read_text().splitlines()
    assert len(written.splitlines()) > len(EXPECTED)


def test_the_next_scan_tells_what_changed(own_lab: Lab, program: Program) -> None:
    program.lab = own_lab
    scan = ("scan", "run", "10.77.0.10", "10.77.0.30-33")
    own_lab.add_host("10.77.0.30", "b8:27:eb:00:00:30", {(80, "tcp"): "http"})
    program(*scan, "--args", "-sS -sV -p 22,80,443,8080")
    own_lab.remove_host("h30")
    own_lab.add_host(
        "10.77.0.31", "b8:27:eb:00:00:30", {(8080, "tcp"): "http"}
    )  # the same machine, elsewhere
    own_lab.add_host("10.77.0.32", "b8:27:eb:00:00:32", {(80, "tcp"): "http"})
    second = program.json(*scan, "--args", "-sS -sV -p 22,80,8080,9000")
    assert second["changes"] == {"added": 1, "removed": 0, "changed": 3}
    compared = program.json("scan", "diff", str(second["id"]), code=1)
    moved, new = compared["hosts"]
    assert (moved["address"], moved["change"]) == ("10.77.0.31", "changed")
    assert [fact["name"] for fact in moved["facts"]] == ["address", "hostname"]
    assert [(port["number"], port["moved_from"]) for port in moved["ports"]] == [(8080, 80)]
    assert (new["address"], new["change"]) == ("10.77.0.32", "added")
    third = program.json(*scan, "--args", "-sS -p 80,8080")
    assert third["changes"] == {"added": 0, "removed": 0, "changed": 0}
    program("scan", "diff", str(third["id"]), code=0)
    program("scan", "pin", "1")
    assert [one["pinned"] for one in program.json("scan", "list")] == [False, False, True]
    assert program.json("scan", "diff", str(third["id"]), code=1)["a"] == 1


def test_the_next_scan_tells_what_scripts_say_otherwise(own_lab: Lab, program: Program) -> None:
    program.lab = own_lab
    scan = ("scan", "run", "10.77.0.10", "10.77.0.30", "10.77.0.31", "--args")
    both = "-sS -sC --script banner,default,http-date --script-args banner.timeout=1s -p 21,22,80"
    lladdrs = {30: "b8:27:eb:00:00:30", 31: "b8:27:eb:00:00:31"}
    for number, lladdr in lladdrs.items():
        own_lab.add_host(f"10.77.0.{number}", lladdr, {(22, "tcp"): "ssh", (80, "tcp"): "http"})
    program(*scan, both)
    own_lab.remove_host("h30")
    own_lab.add_host(
        "10.77.0.30", lladdrs[30], {(21, "tcp"): "ftp", (22, "tcp"): "ftp", (80, "tcp"): "http-new"}
    )
    second = program.json(*scan, both)
    (changed,) = program.json("scan", "diff", str(second["id"]), code=1)["hosts"]
    assert changed["address"] == "10.77.0.30"
    told = {(one["number"], one["script"]): (one["before"], one["after"]) for one in changed["scripts"]}
    assert told[80, "http-title"] == ("The lab's front page", "Another front page (title)")
    assert told[22, "banner"] == ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", "220 (vsFTPd 3.0.3)")
    assert "http-date" not in {script for _, script in told}
    assert [port["number"] for port in changed["ports"]] == [21]
    total = len(changed["scripts"]) + len(changed["ports"])
    assert sum(second["changes"].values()) == total
    program("ignore", "add", "--script", "http-title", "--host", "10.77.0.30")
    assert program.json("scan", "diff", str(second["id"]), code=1)["ignored"]["lines"] == 1
    third = program.json(*scan, "-sS -p 21,22,80")
    assert third["changes"] == {"added": 0, "removed": 0, "changed": 0}, "no script was run"


def test_what_hosts_say_does_not_reach_the_terminal(program: Program) -> None:
    shown = program("scan", "run", "10.77.0.12", "--args", "-sV -sC -p 21,22,80")
    assert "10.77.0.12" in shown
    assert "21/tcp" in shown
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_control_c_stops_the_scan_and_shows_what_was_found(program: Program) -> None:
    running = program.start("scan", "run", ENDLESS[0], "--args", ENDLESS[1], "--json")
    program.wait_until_running("scan-1", running)
    until(lambda: program.json("scan", "show", "1")["ports_open"], "the open port was seen")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=NEVER)
    assert running.returncode == 130, err
    scan = json.loads(out)
    assert scan["state"] == "cancelled"
    assert (7, "tcp") in {(p["number"], p["protocol"]) for host in scan["hosts"] for p in host["ports"]}
    assert program.status("scan-1")["why"] == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_lost_connection_leaves_the_scan_running(program: Program, number: signal.Signals) -> None:
    running = program.start("scan", "run", ENDLESS[0], "--args", ENDLESS[1])
    program.wait_until_running("scan-1", running)
    running.send_signal(number)
    _, err = running.communicate(timeout=NEVER)
    assert running.returncode in (128 + number, -number), err
    assert program.status("scan-1")["state"] == "running"
    assert program.json("scan", "list")[0]["state"] == "running"
    program("scan", "stop", "1")
    assert program.json("scan", "show", "1")["state"] == "cancelled"
    program("scan", "stop", "1", code=2)


def test_a_killed_command_leaves_the_scan_running(program: Program) -> None:
    running = program.start("scan", "run", ENDLESS[0], "--args", ENDLESS[1])
    program.wait_until_running("scan-1", running)
    running.kill()
    running.communicate()
    program("scan", "delete", "1", code=2)
    program("scan", "stop", "1")
    assert program.json("job", "list")[0]["state"] == "cancelled"


def test_a_detached_scan_is_read_by_the_next_command(program: Program) -> None:
    assert program("scan", "run", "10.77.0.10", "--args", "-p 22,80", "--detach", "--name", "two") == "1\n"
    until(lambda: program.status("scan-1").get("state") == "ended", "nmap ended")
    scan = program.json("scan", "show", "1")
    assert (scan["state"], scan["name"], scan["ports_open"]) == ("completed", "two", 2)
    assert open_ports(scan) == {"10.77.0.10": EXPECTED["10.77.0.10"]}


def test_a_scan_that_fails_exits_with_1(program: Program) -> None:
    scan = program.json("scan", "run", "no-such-host.lab.test", "--args", "-p 80", code=1)
    assert scan["state"] == "failed"
    assert scan["error"]


def test_a_dry_run_starts_nothing(program: Program) -> None:
    plan = program.json("scan", "run", SUBNET, "--args", "-sS -p 80", "--dry-run")
    assert plan["addresses"] == 256
    assert plan["command"][1:3] == ["-sS", "-p80"]
    assert program.json("scan", "list") == []


def test_neighbours_are_listed_and_exported(program: Program, lab: Lab) -> None:
    lab.http_get("10.77.0.10")
    listed = {record["address"]: record for record in program.json("neighbour", "list")}
    found = listed["10.77.0.10"]
    assert found["lladdr"] == "b8:27:eb:00:00:10"
    assert found["vendor"].startswith("Raspberr")
    assert (found["family"], found["interface"], found["private"]) == ("ipv4", "eth0", False)
    rows = csv.DictReader(io.StringIO(program("neighbour", "export")))
    row = {row["address"]: row for row in rows}["10.77.0.10"]
    assert (row["lladdr"], row["name"]) == (found["lladdr"], "")
    assert (row["known"], row["router"], row["private"]) == ("no", "no", "no")
    assert row["lladdr_remembered"] == "no"


def test_neighbours_are_watched_until_control_c(own_lab: Lab, data_of_ada: Path, tmp_path: Path) -> None:
    shutil.copytree(data_of_ada, tmp_path / "data")
    program = Program(own_lab, tmp_path / "data")
    watching = program.start("neighbour", "watch", "--json")
    assert watching.stdout and watching.stderr
    assert b"watching" in watching.stderr.readline()
    own_lab.http_get("10.77.0.10")
    own_lab.set_lladdr("h10", "02:00:00:00:00:99")
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["kind"] != "changed":
        seen.append(json.loads(watching.stdout.readline()))
    assert {"time", "kind", "severity", "address", "interface", "lladdr", "text"} <= set(seen[-1])
    assert seen[-1]["lladdr"] == "02:00:00:00:00:99"
    assert seen[-1]["previous_lladdr"] == "b8:27:eb:00:00:10"
    assert "new" in {event["kind"] for event in seen}
    program("neighbour", "replace", "10.77.0.10", "02:00:00:00:00:77", "--interface", "eth0", "--yes")
    while seen[-1]["lladdr"] != "02:00:00:00:00:77":
        seen.append(json.loads(watching.stdout.readline()))
    assert (seen[-1]["severity"], seen[-1]["editor"]) == ("info", "ada")
    table = program.start("neighbour", "watch", "--table", "--json")
    assert table.stdout and table.stderr
    assert b"watching" in table.stderr.readline()
    program("neighbour", "delete", "10.77.0.10", "--interface", "eth0", "--yes")
    while (change := json.loads(table.stdout.readline()))["address"] != "10.77.0.10":
        pass
    assert change["change"] == "removed"
    table.send_signal(signal.SIGINT)
    table.communicate(timeout=NEVER)
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=NEVER)
    assert (watching.returncode, err.strip()) == (130, b"")


@AS_ROOT
def test_a_capture_counts_an_exchange_exactly(program: Program, lab: Lab, tmp_path: Path) -> None:
    assert program("capture", "run", "eth0", "--filter", "udp port 7", "--detach") == "1\n"
    assert program.json("capture", "list")[0]["state"] == "running"
    exchange = lab.udp_exchange(50)
    program("capture", "stop", "1")
    shown = program.json("capture", "show", "1")
    assert (shown["state"], shown["packets"], shown["dropped"]) == ("completed", exchange.packets, 0)
    (file,) = shown["files"]
    whole = Path(file["path"]).read_bytes()
    assert (file["bytes"], file["sha256"]) == (len(whole), hashlib.sha256(whole).hexdigest())

    program("capture", "export", "1", "--output", str(tmp_path / "out.pcap"))
    assert (tmp_path / "out.pcap").read_bytes() == whole
    program("capture", "export", "1", "--output", str(tmp_path / "out.pcap"), code=2)
    streamed = program.start("capture", "stream", "1").communicate(timeout=NEVER)[0]
    assert streamed == whole
    program("capture", "delete", "1")
    assert not Path(file["path"]).exists()
    program("capture", "show", "1", code=1)


@AS_ROOT
def test_packets_are_listed_and_taken_apart(program: Program, lab: Lab) -> None:
    program("capture", "run", "eth0", "--filter", "udp port 7", "--detach")
    lab.udp_exchange(10)
    program("capture", "stop", "1")
    packets = program.json("capture", "packets", "1", "--offset", "10", "--limit", "5")
    assert [packet["number"] for packet in packets] == [11, 12, 13, 14, 15]
    assert set(packets[0]) == {"number", "time", "source", "destination", "protocol", "length", "info"}
    detail = program.json("capture", "packet", "1", "1")
    assert {"layers", "bytes"} < set(detail)
    assert "udp" in {layer["name"].lower() for layer in detail["layers"]}
    assert program("capture", "packet", "1", "1").startswith("packet")
    program("capture", "packet", "1", "21", code=1)


@AS_ROOT
def test_control_c_is_how_a_capture_ends(program: Program, lab: Lab) -> None:
    running = program.start("capture", "run", "eth0", "--filter", "udp port 7", "--json")
    program.wait_until_running("capture-1", running)
    exchange = lab.udp_exchange(20)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=NEVER)
    assert running.returncode == 0, err
    capture = json.loads(out)
    assert (capture["state"], capture["packets"]) == ("completed", exchange.packets)


@AS_ROOT
def test_a_capture_ends_at_its_limit(program: Program, lab: Lab) -> None:
    running = program.start("capture", "run", "eth0", "--filter", "udp port 7", "--packets", "10", "--json")
    program.wait_until_running("capture-1", running)
    lab.udp_exchange(20)
    out, err = running.communicate(timeout=NEVER)
    assert running.returncode == 0, err
    ended = json.loads(out)
    assert (ended["packets"], dict(ended["protocols"])["udp"]) == (10, 10)


@AS_ROOT
def test_a_running_capture_is_streamed_to_its_end(program: Program, lab: Lab) -> None:
    program("capture", "run", "eth0", "--filter", "udp port 7", "--detach")
    streaming = program.start("capture", "stream", "1")
    assert streaming.stdout
    until(lambda: program.status("capture-1")["counters"]["captured"] == 0, "tcpdump answers")
    lab.udp_exchange(100, size=1_000)
    head = streaming.stdout.read(24)
    program("capture", "stop", "1")
    out, err = streaming.communicate(timeout=NEVER)
    assert streaming.returncode == 0, err
    (file,) = program.json("capture", "show", "1")["files"]
    assert head + out == Path(file["path"]).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["capture", "run", "eth9"], 2),
        (["capture", "run", "eth0", "--filter", "tcp prot 80"], 2),
        (["capture", "run", "eth0", "--filter", "-w /tmp/x"], 2),
        (["capture", "show", "7"], 1),
        (["capture", "packets", "7"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused_says_so(program: Program, arguments: list[str], code: int) -> None:
    program(*arguments, code=code)
    assert program.json("capture", "list") == []


def test_interfaces_end_with_any(program: Program) -> None:
    found = program.json("capture", "interfaces")
    assert found[-1]["name"] == "any"
    assert {"10.77.0.1/24"} <= {a for interface in found for a in interface["addresses"]}


def test_doctor_is_content_here(program: Program) -> None:
    checks = {check["name"]: check["status"] for check in program.json("doctor")["checks"]}
    assert checks["nmap"] == checks["tcpdump"] == checks["database"] == "ok"
