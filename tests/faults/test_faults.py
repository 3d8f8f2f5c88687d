"""Scans and captures on the lab when the network, the disk or the database do not do what they should."""

from __future__ import annotations

import json
import math
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.storage.database import BUSY_TIMEOUT_MS
from netmon_tui.tools.pcap import FILE_HEADER_SIZE
from tests.bench.generate_nmap_xml import generate as generate_scan
from tests.bench.generate_pcap import generate
from tests.faults.program import Answer, Site, until
from tests.lab.hosts import EXPECTED, SUBNET

Program = Callable[..., Answer]
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="captures, mounts and other users need root"),
]

TCP = {
    address: {port for port, protocol in services if protocol == "tcp"}
    for address, services in EXPECTED.items()
}
PORTS = ",".join(str(port) for port in sorted(set().union(*TCP.values())))


def open_ports(scan: Any) -> dict[str, set[int]]:
    """What a scan found open, by host; hosts without open ports and the scanner itself left out."""
    found = {
        host["address"]: {port["number"] for port in host["ports"] if port["state"] == "open"}
        for host in scan["hosts"]
        if host["address"] != "10.77.0.1"
    }
    return {address: ports for address, ports in found.items() if ports}


EVERYTHING = {address: ports for address, ports in TCP.items() if ports}


# --- scans ---


def test_a_scan_finds_exactly_what_runs(site: Site) -> None:
    ran = site.run("scan", "run", SUBNET, "--args", f"-n -sS -p {PORTS}", "--json").document
    assert (ran["state"], ran["error"], open_ports(ran)) == ("completed", "", EVERYTHING)
    assert ran["hosts_up"] == len(EXPECTED) + 1
    assert site.show("scan", 1) == ran


def test_a_scan_without_rights_falls_back_and_says_so(site: Site) -> None:
    for path in (site.data, *site.data.rglob("*")):
        os.chown(path, 65_534, 65_534)
    rights = "-all,+dac_read_search"  # to reach this interpreter, which may be in somebody's home; no network
    before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    before += [f"--inh-caps={rights}", f"--ambient-caps={rights}"]
    arguments = ("scan", "run", "10.77.0.10-15", "--args", f"-n -sS -O -p {PORTS}", "--json")
    answer = site.run(*arguments, before=before)
    scan = answer.document
    assert "-sT" in scan["command"] and "-sS" not in scan["command"] and "-O" not in scan["command"]
    assert any("-sT" in warning for warning in scan["warnings"])
    assert "-sT" in answer.err
    assert (scan["state"], open_ports(scan)) == ("completed", EVERYTHING)
    refused = site.run("capture", "run", "eth0", "--duration", "1", before=before)
    assert (refused.code, refused.out) == (4, "")
    assert "CAP_NET_RAW" in refused.err


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (["one.nowhere.test", "two.nowhere.test"], "resolve"),
        (["192.0.2.1"], "route"),
        (["2001:db8::1"], "route"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_nothing_scanned_is_no_success(site: Site, targets: list[str], words: str) -> None:
    answer = site.run("scan", "run", *targets, "--args", "-p 80", "--json")
    assert (answer.code, answer.document["state"]) == (1, "failed")
    assert words in answer.document["error"].lower()
    assert answer.document["hosts"] == []


def test_some_names_that_do_not_resolve_are_said(site: Site) -> None:
    scan = site.run("scan", "run", "nowhere.test", "10.77.0.10", "--args", "-n -p 80", "--json").document
    assert (scan["state"], open_ports(scan)) == ("completed", {"10.77.0.10": {80}})
    assert any("nowhere.test" in warning for warning in scan["warnings"])


def test_a_scan_that_never_ends_by_itself(site: Site) -> None:
    site.settings["NETMON_TUI_SCANS_LONGEST_RUN_SECONDS"] = "5"
    answer = site.run("scan", "run", "10.77.0.15", "--args", "-n -sV -p 7,23", "--json")
    scan = answer.document
    assert (answer.code, scan["state"]) == (1, "failed")
    assert "time limit" in scan["error"]
    assert open_ports(scan) == {"10.77.0.15": {7, 23}}
    assert scan["hosts"][0]["partial"] is True
    until(lambda: not site.processes(), "no process left")


# --- captures ---


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        (["--packets", "30"], "finished"),
        (["--size", "4096"], "size_limit"),
        (["--duration", "6"], "deadline"),  # long enough for what is sent, however slow the machine is
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_a_capture_ends_at_its_limit(site: Site, limit: list[str], reason: str) -> None:
    running = site.start("capture", "run", "eth0", "--filter", "udp port 7", *limit)
    assert running.stderr and "runs on" in running.stderr.readline()
    exchange = site.lab.udp_exchange(50)
    running.communicate(timeout=30)
    capture = site.show("capture", 1)
    assert (running.returncode, capture["state"], capture["error"]) == (0, "completed", "")
    assert site.row("captures", 1)["end_reason"] == reason
    path = site.directory("capture", 1).path / "capture.pcap"
    (file,) = capture["files"]
    assert (file["bytes"], file["packets"]) == (path.stat().st_size, capture["packets"])
    if reason == "finished":
        assert capture["packets"] == 30
    elif reason == "deadline":
        assert capture["packets"] == exchange.packets
    else:
        assert 0 < capture["packets"] <= exchange.packets
    assert readable(site, path) == capture["packets"]


def readable(site: Site, path: Path) -> int:
    """How many packets tcpdump reads of a file, to whose end it must come."""
    listed = site.lab.run(["tcpdump", "-n", "-r", str(path)])
    assert listed.returncode == 0, listed.stderr
    return len(listed.stdout.splitlines())


def put_on_small_disk(site: Site) -> None:
    """Move the data directory onto a disk of 8 MiB."""
    kept = site.data.with_name("kept")
    site.data.rename(kept)
    site.data.mkdir(mode=0o700)
    site.lab.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(site.data)], check=True)
    site.lab.run(["cp", "-a", f"{kept}/.", str(site.data)], check=True)


def fill_disk(site: Site) -> None:
    """Leave no free byte on the small disk."""
    ballast = site.data / "ballast"
    site.lab.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=4096", "oflag=append", "conv=notrunc"])
    free = site.lab.run(["stat", "--file-system", "--format=%a", str(site.data)], check=True).stdout
    assert free.strip() == "0"


def send_until_it_stops(site: Site) -> None:
    """Send less than the floor at a time, and more once the runner has looked at the disk after it."""
    status = site.data / "jobs/capture-1/status.json"

    def written() -> float:
        said = json.loads(site.lab.run(["cat", str(status)]).stdout)
        return (said["counters"] or {"bytes": 0})["bytes"] if said["state"] == "running" else math.inf

    sent = 0
    while written() < math.inf:
        site.lab.udp_exchange(400, size=1200)
        sent += 2 * 400 * 1200
        until(lambda sent=sent: written() >= sent, "the packets are in the file")


@pytest.mark.parametrize("floor", [0, 2 << 20])
def test_a_full_disk_ends_a_capture_cleanly(own_site: Site, floor: int) -> None:
    site = own_site
    put_on_small_disk(site)
    site.settings["NETMON_TUI_CAPTURES_FREE_SPACE_FLOOR_BYTES"] = str(floor)
    running = site.start("capture", "run", "eth0", "--filter", "udp port 7", "--json")
    assert running.stderr and "runs on" in running.stderr.readline()
    if floor:
        send_until_it_stops(site)
    else:
        for _ in range(5):
            site.lab.udp_exchange(1000, size=1200)
    out, err = running.communicate(timeout=60)
    capture = Answer(running.returncode, out, err).document
    if floor:  # before the disk is full a capture is stopped with all its packets
        assert (running.returncode, capture["state"], capture["end_reason"]) == (0, "completed", "floor"), (
            capture
        )
        assert not capture["error"]
    else:
        assert (running.returncode, capture["state"], capture["end_reason"]) == (1, "failed", "disk_full"), (
            capture
        )
        assert "space" in capture["error"].lower()
    assert readable(site, site.data / "jobs/capture-1/capture.pcap") == capture["packets"] > 0
    assert capture["files"][0]["packets"] == capture["packets"]
    assert site.run("database", "check").code == 0


def test_a_capture_that_ended_while_nothing_can_be_stored_does_not_run(own_site: Site) -> None:
    site = own_site
    put_on_small_disk(site)
    site.settings["NETMON_TUI_CAPTURES_FREE_SPACE_FLOOR_BYTES"] = "0"
    ballast, status = site.data / "ballast", site.data / "jobs/capture-1/status.json"
    assert site.run("capture", "run", "eth0", "--filter", "udp port 7", "--detach").code == 0
    fill_disk(site)
    site.lab.udp_exchange(1000, size=1200)
    until(lambda: "disk_full" in site.lab.run(["cat", str(status)]).stdout, "the runner's end")
    site.lab.run(["rm", f"{site.data}/netmon.db-reserve"], check=True)  # it is used up
    fill_disk(site)
    # Room for the index that SQLite needs to read, and no page of its journal more than the first.
    site.lab.run(["truncate", "--size=-36864", str(ballast)], check=True)
    program = site.headless()
    try:
        until(lambda: "no room to store" in program.ask("capture", number=1)["error"], "the runner's word")
        assert program.ask("wait_capture", number=1) == "failed"
        site.lab.run(["rm", str(ballast)], check=True)
        stored = "No space left on device"
        until(lambda: program.ask("capture", number=1)["error"] == stored, "it is stored when there is room")
    finally:
        program.close()


def test_a_full_disk_refuses_imports_parts_and_exports_and_leaves_nothing(own_site: Site) -> None:
    site = own_site
    put_on_small_disk(site)
    site.settings["NETMON_TUI_CAPTURES_FREE_SPACE_FLOOR_BYTES"] = "0"
    fits, large = site.data.with_name("fits.pcap"), site.data.with_name("large.pcap")
    generate(fits, 10_000)
    generate(large, 60_000)
    assert site.run("capture", "import", fits).code == 0
    there = site.lab.run(["find", str(site.data)]).stdout
    export = ("capture", "export", "1", "--output")
    for arguments in (
        ("capture", "import", large),
        ("capture", "slice", "1"),
        (*export, site.data / "out.pcapng", "--format", "pcapng"),
        (*export, site.data / "out.pcap"),
    ):
        answer = site.run(*arguments)
        assert answer.code == 5 and "no space left" in answer.err.lower(), (arguments, answer)
        assert "floor" not in answer.err, "there is none"
        if arguments[1] in ("import", "slice"):
            said = re.search(
                r"at least ([\d.]+) MiB more are needed and ([\d.]+) [KM]iB are free", answer.err
            )
            assert said, answer
        assert site.lab.run(["find", str(site.data)]).stdout == there
    assert [one["packets"] for one in site.run("capture", "list", "--json").document] == [10_000]
    assert site.run("database", "check").code == 0


def test_on_a_full_disk_what_is_there_is_read_and_deleted(own_site: Site) -> None:
    site = own_site
    put_on_small_disk(site)
    site.settings["NETMON_TUI_CAPTURES_FREE_SPACE_FLOOR_BYTES"] = "0"
    file, document, out = (site.data.with_name(name) for name in ("in.pcap", "in.xml", "out.pcap"))
    generate(file, 1_000)
    generate_scan(document, 800)
    assert site.run("capture", "import", file).code == 0
    assert site.run("scan", "import", document).code == 0
    for arguments in (
        ("capture", "list"),
        ("capture", "packets", "1", "--limit", "3"),
        ("capture", "export", "1", "--output", out),
        ("scan", "list"),
        ("scan", "delete", "1"),
        ("capture", "delete", "1"),
    ):
        fill_disk(site)
        answer = site.run(*arguments)
        assert answer.code == 0, (arguments, answer)
    assert out.read_bytes() == file.read_bytes()
    assert site.run("capture", "list", "--json").document == site.run("scan", "list", "--json").document == []
    left = site.lab.run(["find", str(site.data / "jobs"), "-mindepth", "1"], check=True).stdout
    assert not left
    assert site.run("database", "check").code == 0


def test_a_full_disk_without_a_reserve_says_what_may_be_removed(own_site: Site) -> None:
    site = own_site
    put_on_small_disk(site)
    reserve, export = site.data / "netmon.db-reserve", site.data / "exports/old.csv"
    site.lab.run(["rm", str(reserve)], check=True)
    site.lab.run(["dd", "if=/dev/zero", f"of={export}", "bs=1024", "count=2048"], check=True)
    fill_disk(site)
    answer = site.run("capture", "list")
    assert (answer.code, answer.out) == (5, "")
    assert f"what is in {export.parent} (2.0 MiB) may be removed by hand" in " ".join(answer.err.split())
    site.lab.run(["rm", str(export)], check=True)
    assert site.run("capture", "list").code == 0
    assert site.lab.run(["test", "-s", str(reserve)]).returncode == 0


def test_twenty_captures_at_once_miss_nothing(site: Site) -> None:
    program = site.headless()
    try:
        numbers = [program.ask("start_capture", interface="eth0", filter="udp port 7") for _ in range(20)]
        sent = site.lab.udp_exchange(100).packets
        for number in numbers:
            until(lambda n=number: program.ask("capture", number=n)["packets"] == sent, f"all of {number}")
            program.ask("stop_capture", number=number)
        assert [program.ask("wait_capture", number=number) for number in numbers] == ["completed"] * 20
        for number in numbers:
            assert readable(site, site.directory("capture", number).path / "capture.pcap") == sent
    finally:
        program.close()


def capture_on_a_link(site: Site) -> subprocess.Popen[str]:
    """A running capture on ``gone0``, one end of a cable."""
    site.lab.run(["ip", "link", "add", "gone0", "type", "veth", "peer", "name", "gone1"], check=True)
    for name in ("gone0", "gone1"):
        site.lab.run(["ip", "link", "set", name, "up"], check=True)
    running = site.start("capture", "run", "gone0", "--json")
    assert running.stderr and "runs on" in running.stderr.readline()
    return running


def test_an_interface_that_vanishes(own_site: Site) -> None:
    running = capture_on_a_link(own_site)
    own_site.lab.run(["ip", "address", "add", "192.0.2.1/24", "dev", "gone0"], check=True)
    ask = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.2', 9))"
    own_site.lab.run(["python3", "-c", ask], check=True)
    path = own_site.directory("capture", 1).path / "capture.pcap"
    until(lambda: path.stat().st_size > FILE_HEADER_SIZE, "the kernel's question for 192.0.2.2")
    own_site.lab.run(["ip", "link", "delete", "gone0"], check=True)
    out, err = running.communicate(timeout=60)
    capture = Answer(running.returncode, out, err).document
    assert (running.returncode, capture["state"]) == (1, "failed")
    assert "disappeared" in capture["error"], capture["error"]
    (file,) = capture["files"]
    assert readable(own_site, path) == file["packets"] == capture["packets"] > 0


def test_an_interface_that_goes_down_and_comes_back(own_site: Site) -> None:
    running = capture_on_a_link(own_site)
    for state in ("down", "up"):
        own_site.lab.run(["ip", "link", "set", "gone0", state], check=True)
    assert own_site.run("capture", "stop", "1").code == 0
    out, err = running.communicate(timeout=60)
    capture = Answer(running.returncode, out, err).document
    assert (running.returncode, capture["state"], capture["error"]) == (0, "completed", "")


JUMBO = """
import socket
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
line.bind(("gone1", 0))
for number in range(3):
    payload = bytes([number]) * (9000 - 14 - 28)
    udp = (4000).to_bytes(2, "big") + (9999).to_bytes(2, "big") + (len(payload) + 8).to_bytes(2, "big") + bytes(2)
    ip = bytes([0x45, 0]) + (9000 - 14).to_bytes(2, "big") + bytes(4) + bytes([64, 17, 0, 0])
    ip += socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2")
    line.send(bytes.fromhex("020000000002020000000001") + b"\\x08\\x00" + ip + udp + payload)
"""


@pytest.mark.parametrize("format", ["pcap", "pcapng"])
def test_jumbo_frames_are_captured_listed_shown_and_cut_whole(own_site: Site, format: str) -> None:
    site = own_site
    site.lab.run(["ip", "link", "add", "gone0", "type", "veth", "peer", "name", "gone1"], check=True)
    for name in ("gone0", "gone1"):
        site.lab.run(["ip", "link", "set", name, "mtu", "9216", "up"], check=True)
    limits = ("--filter", "udp port 9999", "--packets", "3")
    running = site.start("capture", "run", "gone0", *limits, "--format", format, "--json")
    assert running.stderr and "runs on" in running.stderr.readline()
    site.lab.run([sys.executable, "-c", JUMBO], check=True)
    out, err = running.communicate(timeout=60)
    capture = Answer(running.returncode, out, err).document
    assert (capture["state"], capture["packets"], capture["dropped"]) == ("completed", 3, 0)
    assert_jumbo(site, 1)
    assert site.run("capture", "slice", "1", "--packets", "2-").code == 0
    assert_jumbo(site, 2, 2)


def assert_jumbo(site: Site, number: int, count: int = 3) -> None:
    """The packets of a capture are frames of 9,000 bytes, for the list, one packet, and tshark on an export."""
    listed = site.run("capture", "packets", str(number)).out.splitlines()[1:]
    assert [line.split()[5] for line in listed] == ["9000"] * count, listed
    shown = site.run("capture", "packet", str(number), "1").out
    assert "9000 bytes" in shown and "8958" in shown
    file = site.data.with_name(f"jumbo-{number}.pcap")
    assert site.run("capture", "export", str(number), "--format", "pcap", "--output", file).code == 0
    lengths = ["tshark", "-r", str(file), "-T", "fields", "-e", "frame.cap_len", "-e", "udp.length"]
    assert site.lab.run(lengths, check=True).stdout.split() == ["9000", "8966"] * count


# --- the data directory and the database ---


def test_a_read_only_data_directory(site: Site) -> None:
    assert site.run("scan", "list").code == 0
    hide = f'mount --bind "{site.data}" "{site.data}" && mount -o remount,bind,ro "{site.data}" && exec "$@"'
    before = ["unshare", "--mount", "sh", "-c", hide, "sh"]
    for arguments in (("scan", "run", "10.77.0.10", "--args", "-p 80"), ("capture", "run", "eth0")):
        answer = site.run(*arguments, before=before)
        assert (answer.code, answer.out) == (5, ""), answer
        assert "unexpected" not in answer.err and "read-only" in answer.err.lower() + answer.err
    assert site.run("scan", "list", "--json").document == []
    assert not list((site.data / "jobs").glob("*"))


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("begin exclusive")
print("held", flush=True)
sys.stdin.read()
connection.execute("rollback")
"""


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Another process holds the database's write lock."""
    argv = [sys.executable, "-c", HOLDER, str(data / "netmon.db")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.communicate()


def test_a_database_that_stays_locked(site: Site) -> None:
    with locked(site.data):
        answer = site.run("scan", "run", "10.77.0.10", "--args", "-n -p 80")
    assert (answer.code, answer.out) == (5, "")
    assert "locked" in answer.err and "unexpected" not in answer.err
    assert site.run("scan", "list", "--json").document == []
    assert site.run("scan", "run", "10.77.0.10", "--args", "-n -p 80").code == 0


def test_a_lock_during_a_scan_costs_nothing(site: Site) -> None:
    arguments = "-n -Pn -sS --max-hostgroup 1 --max-rate 6 -p 7,21-25,80,2323,8080"
    running = site.start("scan", "run", "10.77.0.10-15", "--args", arguments, "--json")
    until(lambda: site.row("scans", 1).get("hosts_stored"), "a finished host")
    with locked(site.data):
        log = site.data / "log/netmon-tui.log"
        until(lambda: "locked" in log.read_text(), "a failed write", BUSY_TIMEOUT_MS / 1000 + 20)
    out, err = running.communicate(timeout=60)
    scan = Answer(running.returncode, out, err).document
    assert (scan["state"], open_ports(scan)) == ("completed", EVERYTHING)
    assert scan["ports_open"] == sum(map(len, EVERYTHING.values()))


def damage(data: Path, kind: str) -> None:
    """Makes the database something else."""
    file = data / "netmon.db"
    with sqlite3.connect(file) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
        if kind == "newer":
            connection.execute("update alembic_version set version_num = '9999'")
        elif kind == "somebody else's":
            connection.execute("drop table alembic_version")
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    whole = file.read_bytes()
    if kind == "text":
        file.write_bytes(b"hello, this is no database\n" * 1000)
    elif kind == "header":
        file.write_bytes(b"\xff" * 100 + whole[100:])
    elif kind == "half":
        file.write_bytes(whole[: len(whole) // 2])
    elif kind == "pages":
        file.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    elif kind in ("empty", "missing"):
        (data / "jobs/scan-1").mkdir()
        file.write_bytes(b"") if kind == "empty" else file.unlink()


@pytest.mark.parametrize(
    "kind", ["newer", "somebody else's", "text", "header", "half", "pages", "empty", "missing"]
)
def test_a_database_that_is_none_of_ours(program: Program, data: Path, kind: str) -> None:
    damage(data, kind)
    file = data / "netmon.db"
    before = file.read_bytes() if file.exists() else None
    answer = program("scan", "list")
    assert (answer.code, answer.out) == (5, ""), answer
    assert "unexpected" not in answer.err and len(answer.err.splitlines()) in (1, 2)
    assert (file.read_bytes() if file.exists() else None) == before
    doctor = program("doctor")
    assert doctor.code == 5
    assert "nmap" in doctor.out
