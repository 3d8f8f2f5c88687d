"""The command line beside a real name server, in mount and network namespaces of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.network_namespace import needs_namespace

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).with_name("netmon-tui")
PASSWORD = "walnut-koala-lantern"
pytestmark = [*needs_namespace, pytest.mark.timeout(120)]

INSIDE = """
set -e
cd "$FOLDER"
echo 'nameserver 127.0.0.1' > resolv.conf
echo 'hosts: files dns' > nsswitch.conf
mount --bind resolv.conf /etc/resolv.conf
mount --bind nsswitch.conf /etc/nsswitch.conf
ip link set lo up
ip link add left type veth peer name right
ip link set left up
ip link set right up
ip addr add 192.0.2.1/24 dev left
for n in 10 11 12 13; do
    ip neigh add 192.0.2.$n lladdr b8:27:eb:00:00:$n dev left nud permanent
done
cd "$ROOT"
"$PYTHON" -m tests.lab.name_server "$FOLDER/asked" 192.0.2.10=pi.example.net "192.0.2.11=$HOSTILE" 192.0.2.13= &
trap 'kill $!' EXIT
until [ -e "$FOLDER/asked" ]; do sleep 0.02; done
grep '^Udp:' /proc/thread-self/net/snmp > "$FOLDER/before"
"$@"
grep '^Udp:' /proc/thread-self/net/snmp > "$FOLDER/after"
"""
HOSTILE = "evil[2J.example.net"


class Place:
    """A store with a user, and runs of the program beside the name server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        ours = {name: value for name, value in os.environ.items() if not name.startswith("NETMON_TUI_")}
        self.environment = ours | {
            "NETMON_TUI_DATA_DIR": str(self.data), "FOLDER": str(folder), "ROOT": str(ROOT),
            "PYTHON": sys.executable, "HOSTILE": HOSTILE,
        }  # fmt: skip
        self.run("user", "add", "ada", inside=False)

    def run(self, *words: str, inside: bool = True, code: int = 0, **environment: str) -> tuple[str, str]:
        """Run the program; its stdout and stderr."""
        user = ["--user", "ada"] if inside else []
        command = [str(PROGRAM), *user, "--password-file", "-", *words]
        if inside:
            command = ["unshare", "--mount", "--net", "sh", "-c", INSIDE, "sh", *command]
        done = subprocess.run(
            command, input=PASSWORD + "\n", capture_output=True, text=True, timeout=90, cwd=ROOT,
            env=self.environment | environment,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout, done.stderr

    def names(self, *words: str, **environment: str) -> dict[str, str]:
        """Address -> host name of ``neighbour list``."""
        found: list[dict[str, Any]] = json.loads(
            self.run("neighbour", "list", "--json", *words, **environment)[0]
        )
        return {row["address"]: row["hostname"] for row in found}

    def asked(self) -> list[str]:
        """What the server was asked last time."""
        return (self.folder / "asked").read_text().splitlines()

    def sent(self) -> int:
        """UDP datagrams that left anything in the namespace while the program ran."""
        figures = [
            dict(zip(*(line.split() for line in (self.folder / name).read_text().splitlines()), strict=True))
            for name in ("before", "after")
        ]
        return int(figures[1]["OutDatagrams"]) - int(figures[0]["OutDatagrams"])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_names_come_from_the_dns_and_are_foreign_text(place: Place) -> None:
    began = time.monotonic()
    found = place.names("--names")
    assert found["192.0.2.10"] == "pi.example.net"
    assert "\x1b" not in found["192.0.2.11"]
    assert found["192.0.2.12"] == ""
    assert found["192.0.2.13"] == "", "the server is silent about it"
    assert time.monotonic() - began < 60
    assert {"10.2.0.192.in-addr.arpa", "12.2.0.192.in-addr.arpa"} <= set(place.asked())
    assert place.sent() >= 4


def test_without_the_option_nobody_is_asked(place: Place) -> None:
    assert set(place.names().values()) == {""}
    assert (place.asked(), place.sent()) == ([], 0)


def test_switched_off_not_one_packet_is_sent(place: Place) -> None:
    off = {"NETMON_TUI_NEIGHBOURS_RESOLVE_NAMES": "false"}
    _, said = place.run("neighbour", "list", "--names", code=2, **off)
    assert "neighbours.resolve_names is off" in said
    assert set(place.names(**off).values()) == {""}
    assert (place.asked(), place.sent()) == ([], 0)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_reading_needs_no_privileges() -> None:
    with tempfile.TemporaryDirectory(prefix="netmon-nobody-") as name:  # pytest's are root's alone
        read_as_nobody(Place(Path(name)))


def read_as_nobody(place: Place) -> None:
    for path in (place.folder, *place.folder.rglob("*")):
        os.chown(path, 65534, 65534)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
              "--bounding-set=-all", "--no-new-privs"]  # fmt: skip
    words = ["--user", "ada", "--password-file", "-", "neighbour", "list", "--json"]
    command = ["unshare", "--mount", "--net", "sh", "-c", INSIDE, "sh", *nobody, str(PROGRAM), *words]
    done = subprocess.run(
        command, input=PASSWORD + "\n", capture_output=True, text=True, timeout=90, cwd=ROOT,
        env=place.environment | {"HOME": str(place.folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = {row["address"]: row for row in json.loads(done.stdout)}
    assert found["192.0.2.12"]["lladdr"] == "b8:27:eb:00:00:12"
    assert found["192.0.2.12"]["state"] == "PERMANENT"
    assert {"used", "confirmed", "updated", "probes"} <= found["192.0.2.12"].keys()
