"""Sweeps of the lab's segment by real nmap, with and without root: what they find, ask and remember."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.lab.hosts import CAST, SCANNER, SUBNET
from tests.lab.network import Lab
from tests.lab.test_cli_on_lab import Program, data_of_ada, program
from tests.lab.test_user_limits_on_lab import SPARED, count, frames

__all__ = ["data_of_ada", "program"]
pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

OTHERS = {one.address: one.lladdr for one in CAST if one is not SCANNER}
PI, PI_LINK = "b8:27:eb:00:00:10", "fe80::ba27:ebff:fe00:10"
SPARED_LINK = "fe80::211:32ff:fe00:11"


@pytest.fixture(autouse=True)
def forgotten(lab: Lab) -> None:
    """The kernel's table begins empty: its own questions, and those of other tests, are nobody's answers.

    So do those of the others: who answered another test (the resolver, a name) asks for us seconds later.
    """
    for host in (*(one.name for one in CAST if one is not SCANNER), SCANNER.name):
        lab.run(["ip", "neighbour", "flush", "all"], host=host, check=True)


def lladdrs(neighbours: list[dict[str, Any]]) -> dict[str, str]:
    return {one["address"]: one["lladdr"] for one in neighbours}


def remembered(program: Program) -> dict[str, dict[str, Any]]:
    return {one["address"]: one for one in program.json("neighbour", "list", "--remembered")}


def test_a_sweep_is_a_scan_whose_answers_are_remembered(program: Program) -> None:
    swept = program.json("neighbour", "sweep")
    assert lladdrs(swept["neighbours"]) == OTHERS
    assert (swept["state"], swept["targets"], swept["name"]) == ("completed", [SUBNET], f"Sweep of {SUBNET}")
    assert "-PR" in swept["command"]
    assert [one["id"] for one in program.json("scan", "list")] == [swept["id"]]
    assert program.json("neighbour", "list") == [], "nmap asks past the kernel"
    kept = remembered(program)
    assert {address: (one["state"], one["lladdr"], one["interface"]) for address, one in kept.items()} == {
        address: ("GONE", lladdr, "eth0") for address, lladdr in OTHERS.items()
    }
    exported = json.loads(program("neighbour", "export", "--format", "json", "--remembered"))
    assert {one["address"]: one["state"] for one in exported} == dict.fromkeys(OTHERS, "GONE")
    actions = [event["action"] for event in program.json("audit", "list")]
    assert "scan.start" in actions


def test_any_scan_of_the_segment_is_remembered_and_no_import(program: Program, tmp_path: Path) -> None:
    scan = program.json("scan", "run", "10.77.0.10", "--args", "-n -sS -p 22")
    assert list(remembered(program)) == ["10.77.0.10"]
    document = tmp_path / "scan.xml"
    exported = program("scan", "export", str(scan["id"]), "--format", "xml")
    document.write_text(exported.replace("10.77.0.10", "10.77.0.99").replace("B8:27:EB", "00:0C:29"))
    imported = program.json("scan", "import", str(document))
    assert imported[0]["hosts_up"] == 1
    assert list(remembered(program)) == ["10.77.0.10"]
    known = program.json("neighbour", "show", "10.77.0.99")
    assert [one["scan"] for one in known["scans"]] == [imported[0]["id"]]
    assert known["lladdrs"] == []


def test_a_link_is_swept_by_the_lladdrs_that_are_known(program: Program) -> None:
    said = program.lab.run([*program.command, "neighbour", "sweep", "fe80::/64"], env=program.environment)
    assert said.returncode == 2
    assert "nobody is known in fe80::/64 yet" in said.stderr
    assert "sweep the IPv4 network" in said.stderr
    program("neighbour", "sweep")
    swept = program.json("neighbour", "sweep", "fe80::/64")
    found = lladdrs(swept["neighbours"])
    assert set(found.values()) == set(OTHERS.values())
    assert found[PI_LINK] == PI
    assert all(target.endswith("%eth0") for target in swept["targets"])
    assert remembered(program)[PI_LINK]["interface"] == "eth0"


def test_a_small_ipv6_network_is_counted_through(program: Program) -> None:
    swept = program.json("neighbour", "sweep", "fd77::10/124", "--interface", "eth0")
    assert lladdrs(swept["neighbours"]) == {one.address6: one.lladdr for one in CAST if one is not SCANNER}
    assert swept["command"][swept["command"].index("-e") :][:2] == ["-e", "eth0"]


def test_what_is_not_local_is_refused_and_no_scan_begins(program: Program) -> None:
    for network in ("10.78.0.0/24", "10.77.0.0/23", "192.0.2.1", "fd78::/64"):
        refused = program.lab.run([*program.command, "neighbour", "sweep", network], env=program.environment)
        assert refused.returncode == 2
        assert "ARP and ND do not leave the segment" in refused.stderr
    assert program.json("scan", "list") == []


def test_a_host_that_is_never_scanned_is_not_asked_by_any_of_its_addresses(
    program: Program, tmp_path: Path
) -> None:
    program("neighbour", "sweep", SPARED)  # so that its lladdr is known
    program("user", "limits", "ada", "--never-scan", SPARED)
    spared, asked = tmp_path / "spared.pcap", tmp_path / "asked.pcap"
    with frames(program.lab, SPARED, spared), frames(program.lab, "10.77.0.10", asked):
        swept = program.json("neighbour", "sweep")
    assert lladdrs(swept["neighbours"]) == {a: b for a, b in OTHERS.items() if a != SPARED}
    assert count(asked) > 0
    assert count(spared) == 0
    link = program.json("neighbour", "sweep", "fe80::/64")
    assert f"{PI_LINK}%eth0" in link["targets"]
    assert f"{SPARED_LINK}%eth0" not in link["targets"]
    program("neighbour", "sweep", SPARED, code=2)


def test_without_root_the_kernel_asks(lab: Lab, data_of_ada: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become nobody")
    shutil.copytree(data_of_ada, tmp_path / "data")
    user = Program(lab, tmp_path / "data")
    for path in (user.data, *user.data.rglob("*")):
        os.chown(path, 65_534, 65_534)
    rights = "-all,+dac_read_search"  # to reach this interpreter, which may be in somebody's home; no network
    before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    user.command = [*before, f"--inh-caps={rights}", f"--ambient-caps={rights}", *user.command]
    ran = lab.run([*user.command, "neighbour", "sweep", "10.77.0.8-15"], env=user.environment)
    assert ran.returncode == 0
    assert "the kernel asks for the lladdrs" in ran.stderr
    assert "ARP ping needs root" in ran.stderr
    for address, lladdr in OTHERS.items():
        assert any(address in line and lladdr in line for line in ran.stdout.splitlines())
    assert {
        a: one["lladdr"] for a, one in remembered(user).items() if one["lladdr"] and ":" not in a
    } == OTHERS


def test_a_sweep_is_repeated_by_a_schedule(program: Program) -> None:
    repeated = program.json("neighbour", "sweep", "10.77.0.8-12", "--every", "10m")
    assert repeated["name"] == "Sweep of 10.77.0.8-12 on eth0"
    assert (repeated["targets"], repeated["arguments"]) == (["10.77.0.8-12"], "-sn -PR -n")
    program("job", "list")
    (listed,) = program.json("schedule", "list")
    assert listed["last_scan"] == repeated["scan"]
    program("schedule", "delete", repeated["name"])


def test_a_host_that_moved_is_known_by_its_lladdr(own_lab: Lab, data_of_ada: Path, tmp_path: Path) -> None:
    shutil.copytree(data_of_ada, tmp_path / "data")
    program = Program(own_lab, tmp_path / "data")
    lladdr = "00:50:56:00:00:50"
    first = own_lab.add_host("10.77.0.50", lladdr, {(80, "tcp"): "http"})
    was = program.json("scan", "run", "10.77.0.50", "--args", "-n -sS -p 80,81")
    own_lab.remove_host(first.name)
    own_lab.add_host("10.77.0.51", lladdr)
    now = program.json("neighbour", "sweep", "10.77.0.48-55")
    assert lladdrs(now["neighbours"]) == {"10.77.0.51": lladdr}
    known = program.json("neighbour", "show", "0050.5600.0050")
    assert [(one["scan"], one["address"], one["ports_open"]) for one in known["scans"]] == [
        (now["id"], "10.77.0.51", 0),
        (was["id"], "10.77.0.50", 1),
    ]
    assert {one["address"] for one in known["lladdrs"]} == {"10.77.0.51", "10.77.0.50"}
    assert "10.77.0.50" in program("neighbour", "show", lladdr)
    program("neighbour", "show", "10.77.0.52", code=1)


def test_a_viewer_sweeps_nothing(program: Program) -> None:
    password = "correct horse battery\n"
    program("user", "add", "vi", "--role", "viewer", "--new-password-file", "-", stdin=password)
    words = ["--user", "vi", "--password-file", "-"]
    refused = program.lab.run(
        [*program.command, *words, "neighbour", "sweep"],
        env=program.environment,
        stdin=password,
    )
    assert refused.returncode == 6, refused.stderr
    assert program.json("scan", "list") == []
