"""The lab itself: it is what it says, it is quick, and nothing of it is seen outside."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.hosts import CAST, EXPECTED, HOSTILE_TEXTS, SUBNET
from tests.lab.network import ROOT, Lab, LabError

pytestmark = pytest.mark.lab

PORTS = sorted({port for services in EXPECTED.values() for port, _ in services})
AS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0, reason="tcpdump cannot change its user in a user namespace: run as root"
)
NEVER = 10.0
"""Seconds after which a fact that should have come is missing."""


def until(question: Callable[[], bool], fact: str) -> None:
    """Waits for a fact."""
    deadline = time.monotonic() + NEVER
    while not question():
        assert time.monotonic() < deadline, f"not in {NEVER} s: {fact}"
        time.sleep(0.02)


def outside() -> dict[str, str]:
    """What the host's own network and mounts look like; counters and ages left out."""
    commands = ["ip -br link", "ip -br address", "ip route show table all", "ip -6 route", "ip netns list"]
    seen = {line: subprocess.run(line.split(), capture_output=True, text=True).stdout for line in commands}
    seen["mounts"] = Path("/proc/self/mounts").read_text()
    seen["resolver"] = Path("/etc/resolv.conf").read_text()
    return seen


def processes_in(namespace: str) -> list[str]:
    """The processes of a PID namespace, seen from here."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "ns/pid") == namespace:
                found.append(process.name)
        except (FileNotFoundError, PermissionError):
            continue
    return found


def open_ports(lab: Lab, *options: str) -> dict[str, dict[tuple[int, str], str]]:
    """What nmap finds open, from its own greppable output."""
    ports = ",".join(map(str, PORTS))
    done = lab.run(
        ["nmap", "-n", *options, "-p", ports, "-oG", "-", "--exclude", "10.77.0.1", SUBNET], check=True
    )
    found: dict[str, dict[tuple[int, str], str]] = {}
    for address, listed in re.findall(r"^Host: (\S+) .*Ports: (.*)$", done.stdout, re.MULTILINE):
        fields = [entry.strip().split("/") for entry in listed.split("\t")[0].split(", ")]
        found[address] = {(int(f[0]), f[2]): f[4] for f in fields if f[1] == "open"}
    return found


def only(protocol: str) -> dict[str, dict[tuple[int, str], str]]:
    return {
        address: {key: name for key, name in services.items() if key[1] == protocol}
        for address, services in EXPECTED.items()
    }


@pytest.fixture
def changed(lab: Lab) -> Iterator[Lab]:
    """The lab with one more host, ``h20``, gone afterwards."""
    lab.add_host("10.77.0.20", "00:40:8c:00:00:20", {(80, "tcp"): "http", (7, "udp"): "echo"})
    yield lab
    if "h20" in lab.hosts:
        lab.remove_host("h20")


def test_stands_quickly_and_goes_quickly(own_lab: Lab) -> None:
    began = time.perf_counter()
    own_lab.stop()
    down = time.perf_counter() - began
    print(f"up {own_lab.setup_seconds:.2f} s, down {down:.3f} s")
    assert own_lab.setup_seconds < 10
    assert down < 10


def test_ping_scan_finds_exactly_the_hosts(lab: Lab) -> None:
    done = lab.run(["nmap", "-sn", "-n", "-oG", "-", SUBNET], check=True)
    assert set(re.findall(r"Host: (\S+) .*Status: Up", done.stdout)) == {host.address for host in CAST}
    assert lab.run(["nmap", "-sn", "-6", "-n", "fd77::14"], check=True).stdout.count("Host is up") == 1


def test_tcp_scan_finds_exactly_the_services(lab: Lab) -> None:
    assert open_ports(lab, "-sT") == only("tcp")


def test_udp_scan_finds_exactly_the_services(lab: Lab) -> None:
    assert open_ports(lab, "-sU") == only("udp")


def test_no_other_port_is_open(lab: Lab) -> None:
    done = lab.run(["nmap", "-n", "-T4", "-p-", "-oG", "-", "10.77.0.13", "10.77.0.14"], check=True)
    assert re.findall(r"(\d+)/open", done.stdout) == ["8080"]


def test_names_come_from_the_resolver_of_the_lab(lab: Lab) -> None:
    done = lab.run(["nmap", "-sn", "10.77.0.10", "10.77.0.12"], check=True)
    assert "h10.lab.test (10.77.0.10)" in done.stdout
    assert "evil" in done.stdout


@AS_ROOT
@pytest.mark.parametrize("target", ["10.77.0.13", "fd77::13"])
def test_capture_counts_a_known_exchange_exactly(lab: Lab, target: str) -> None:
    argv = ["tcpdump", "-i", "eth0", "-n", "-c", "500", "-w", "/dev/null", "udp", "port", "7"]
    capture = lab.popen(argv, stderr=subprocess.PIPE, text=True)
    assert capture.stderr is not None
    assert "listening on eth0" in capture.stderr.readline()
    exchange = lab.udp_exchange(250, size=300, target=target)
    assert (exchange.sent, exchange.received, exchange.packets) == (250, 250, 500)
    report = capture.communicate(timeout=NEVER)[1]  # it ends at the 500th: had one been lost, it would wait
    assert capture.returncode == 0
    assert "500 packets captured" in report
    assert "500 packets received by filter" in report  # and there was not one more
    assert "0 packets dropped by kernel" in report


def test_the_attacker_says_what_it_should(lab: Lab) -> None:
    program = (
        "import socket,sys; s=socket.create_connection(('10.77.0.12', int(sys.argv[1]))); f=s.makefile('rb')"
    )
    lines = lab.run([sys.executable, "-c", f"{program}; print(f.read(160).hex())", "21"], check=True).stdout
    assert HOSTILE_TEXTS[1] in bytes.fromhex(lines).decode()
    long = lab.run([sys.executable, "-c", f"{program}; print(len(f.readline()))", "2323"], check=True)
    assert int(long.stdout) > 1_000_000
    assert "[@click=app.quit]" in lab.http_get("10.77.0.12")


def test_the_tarpit_never_ends_and_never_speaks(lab: Lab) -> None:
    program = (
        "import socket,sys; s=socket.create_connection(('10.77.0.15', int(sys.argv[1]))); s.settimeout(0.3)\n"
        "try: print(sum(len(s.recv(65536)) for _ in range(20)))\n"
        "except TimeoutError: print('silence')"
    )
    assert lab.run([sys.executable, "-c", program, "23"]).stdout == "silence\n"
    assert int(lab.run([sys.executable, "-c", program, "7"]).stdout) > 4096


def test_hosts_come_and_go(changed: Lab) -> None:
    assert "front page" in changed.http_get("10.77.0.20")
    assert changed.udp_exchange(3, target="fd77::20").received == 3
    assert changed.expected()["10.77.0.20"] == {(80, "tcp"): "http", (7, "udp"): "echo"}
    changed.remove_host("h20")
    with pytest.raises(LabError):
        changed.http_get("10.77.0.20")
    assert changed.expected() == EXPECTED


def test_neighbours_see_a_new_hardware_address_at_once(changed: Lab) -> None:
    def neighbours() -> str:
        return changed.run(["ip", "neigh"]).stdout

    changed.udp_exchange(1, target="10.77.0.20")
    changed.udp_exchange(1, target="fd77::20")
    assert neighbours().count("00:40:8c:00:00:20") == 2
    changed.set_lladdr("h20", "00:40:8c:00:00:99")
    until(lambda: neighbours().count("00:40:8c:00:00:99") == 2, "both entries have the new address")


def test_a_link_goes_down_and_comes_up_as_it_was(changed: Lab) -> None:
    before = changed.run(["ip", "-br", "address"], host="h20").stdout
    changed.link("h20", False)
    assert "state DOWN" in changed.run(["ip", "link", "show", "eth0"], host="h20").stdout
    changed.link("h20", True)
    until(
        lambda: changed.run(["ip", "-br", "address"], host="h20").stdout == before, "the addresses are back"
    )
    assert "front page" in changed.http_get("fd77::20")


def test_there_is_no_way_out(lab: Lab) -> None:
    assert lab.run(["ip", "route"]).stdout.split()[:1] == ["10.77.0.0/24"]
    assert "default" not in lab.run(["ip", "route", "show", "table", "all"]).stdout
    assert "default" not in lab.run(["ip", "-6", "route", "show", "table", "all"]).stdout


def test_nothing_is_seen_outside_and_nothing_stays(own_lab: Lab) -> None:
    namespace = os.readlink(f"/proc/{own_lab.holder}/ns/pid")
    state = Path(own_lab.socket).parent
    while_up = outside()
    orphan = own_lab.popen(
        ["sh", "-c", "sleep 1000 & sleep 1000 & echo started; wait"], stdout=subprocess.PIPE
    )
    assert orphan.stdout is not None
    assert orphan.stdout.readline() == b"started\n"
    assert len(processes_in(namespace)) >= 4
    own_lab.stop()
    orphan.wait(NEVER)
    assert processes_in(namespace) == []
    assert not state.exists()
    assert outside() == while_up
    assert "10.77.0." not in str(while_up)
    assert "netmon-lab" not in while_up["mounts"]


def test_the_network_of_the_host_is_unchanged_by_a_start() -> None:
    before = outside()
    with Lab.start() as lab:
        assert outside() == before
        lab.run(["ip", "link", "add", "one7", "type", "veth", "peer", "name", "two7"], check=True)
        assert outside() == before


def test_a_lab_ends_with_the_process_that_started_it() -> None:
    program = (
        "from tests.lab.network import Lab; lab = Lab.start()\n"
        "print(lab.holder, lab.socket, flush=True); input()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    holder, control = owner.stdout.readline().split()
    namespace = os.readlink(f"/proc/{holder}/ns/pid")
    owner.kill()
    owner.communicate()
    until(lambda: processes_in(namespace) == [], "every process of the lab is gone")
    assert not Path(control).parent.exists()


def test_two_labs_stand_side_by_side(lab: Lab, own_lab: Lab) -> None:
    own_lab.remove_host("h10")
    own_lab.add_host("10.77.0.30", "00:0c:29:00:00:30", {(80, "tcp"): "http"})
    assert "front page" in lab.http_get("10.77.0.10")
    assert set(lab.expected()) == set(EXPECTED)
    assert set(own_lab.expected()) == set(EXPECTED) - {"10.77.0.10"} | {"10.77.0.30"}


def test_commands_keep_directory_environment_status_and_signals(lab: Lab, tmp_path: Path) -> None:
    assert lab.run(["pwd"], cwd=tmp_path).stdout == f"{tmp_path}\n"
    assert (
        lab.run(["sh", "-c", "echo $COLOUR"], env={"COLOUR": "blue", "PATH": os.environ["PATH"]}).stdout
        == "blue\n"
    )
    assert lab.run(["sh", "-c", "exit 7"]).returncode == 7
    assert lab.run(["sh", "-c", "kill -TERM $$"]).returncode == -signal.SIGTERM
    missing = lab.run(["/no/such/program"])
    assert (missing.returncode, missing.stderr) == (127, "/no/such/program: No such file or directory\n")
    assert "cannot enter 'nowhere'" in lab.run(["true"], host="nowhere").stderr
    with pytest.raises(subprocess.TimeoutExpired):
        lab.run(["sleep", "1000"], timeout=0.2)


def test_signals_reach_the_command_and_kill_takes_it_along(lab: Lab) -> None:
    script = "trap 'echo got it; exit 3' USR1; echo ready; while :; do sleep 0.05; done"
    trapped = lab.popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    assert trapped.stdout is not None
    assert trapped.stdout.readline() == "ready\n"
    trapped.send_signal(signal.SIGUSR1)
    assert trapped.communicate(timeout=NEVER)[0] == "got it\n"
    assert trapped.returncode == 3
    killed = lab.popen(["sh", "-c", "echo $$; exec sleep 1000"], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    inner = killed.stdout.readline().strip()
    killed.kill()
    assert killed.wait(NEVER) == -signal.SIGKILL
    until(lambda: lab.run(["test", "-d", f"/proc/{inner}"]).returncode == 1, "the command is gone too")


def test_requests_that_make_no_sense_are_refused(lab: Lab) -> None:
    with pytest.raises(ValueError, match=f"not in {SUBNET}"):
        lab.add_host("192.0.2.1", "00:40:8c:00:00:01")
    with pytest.raises(LabError, match="already"):
        lab.add_host("10.77.0.10", "00:40:8c:00:00:01")
    with pytest.raises(LabError, match="no host 'h99'"):
        lab.remove_host("h99")


def test_the_demonstration_runs_a_command_on_the_scanner() -> None:
    for entry in (["-m", "tests.lab.demo"], [str(ROOT / "tests/lab/demo.py")]):
        done = subprocess.run(
            [sys.executable, *entry, "sh", "-c", "ip -br address; exit 5"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 5
        assert "10.77.0.1/24" in done.stdout
        assert "10.77.0.0/24" in done.stdout.split("\n")[1]


@AS_ROOT
def test_chatter_makes_the_network_look_alive(own_lab: Lab) -> None:
    own_lab.chatter(on=True)
    capture = own_lab.run(["tcpdump", "-i", "eth0", "-n", "-c", "10", "-w", "/dev/null", "udp", "or", "tcp"])
    assert "10 packets captured" in capture.stderr


def test_no_service_has_failed(lab: Lab) -> None:
    """Last in this module: what the holder said while all of the above happened."""
    assert (Path(lab.socket).parent / "holder.log").read_text() == ""
