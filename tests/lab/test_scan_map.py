"""The map of a scan through real routers: nmap --traceroute in the lab, behind two routers of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.network import Lab
from tests.lab.test_cli_on_lab import PASSWORD, Program

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

NETWORK = {
    "": """\
netns add r1
netns add r2
netns add far
link add to-r1 type veth peer name near netns r1
addr add 10.99.1.1/24 dev to-r1
link set to-r1 up
route add 10.99.2.0/23 dev to-r1 via 10.99.1.2 onlink
""",
    "r1": """\
link add beyond type veth peer name near netns r2
addr add 10.99.1.2/24 dev near
addr add 10.99.2.1/24 dev beyond
link set near up
link set beyond up
route add 10.99.3.0/24 via 10.99.2.2
""",
    "r2": """\
link add beyond type veth peer name near netns far
addr add 10.99.2.2/24 dev near
addr add 10.99.3.1/24 dev beyond
link set near up
link set beyond up
route add default via 10.99.2.1
""",
    "far": """\
addr add 10.99.3.5/24 dev near
addr add 10.99.3.6/24 dev near
link set near up
route add default via 10.99.3.1
""",
}
"""us -- r1 -- r2 -- far: what ``ip`` is told in each network, ours being the first."""


@pytest.fixture(scope="module")
def routed() -> Iterator[Lab]:
    """A lab with us -- r1 -- r2 -- far."""
    with Lab.start() as lab:
        for name, commands in NETWORK.items():
            lab.run(["ip", *(["-n", name] if name else []), "-batch", "-"], stdin=commands, check=True)
        for router in ("r1", "r2"):
            command = ["ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1"]
            lab.run(command, check=True)
        yield lab


def scanned(lab: Lab, data: Path) -> Program:
    """The program after a traced scan of hosts far and near."""
    program = Program(lab, data)
    program("--password-file", "-", "user", "add", "ada", stdin=PASSWORD)
    program("--user", "ada", "--password-file", "-", "login", stdin=PASSWORD)
    targets = ("10.99.3.5-6", "10.99.2.2", "10.77.0.10")
    program("scan", "run", *targets, "--args", "-sn -n --traceroute")
    return program


def test_the_map_shows_the_routers_that_are_there(routed: Lab, tmp_path: Path) -> None:
    program = scanned(routed, tmp_path / "data")
    assert re.sub(r"  [\d.]+ ms", "", program("scan", "map", "1")) == (
        "us  4 hosts\n"
        "|-- 10.99.1.2  3 hosts\n"
        "|   `-- 10.99.2.2  3 hosts\n"
        "|       `-- 10.99.3.0/24  2 hosts\n"
        "|           |-- 10.99.3.5\n"
        "|           `-- 10.99.3.6\n"
        "`-- 10.77.0.0/24  1 host\n"
        "    `-- 10.77.0.10\n"
    )


def test_a_router_that_keeps_silent_is_a_gap(routed: Lab, tmp_path: Path) -> None:
    quiet = ["ip", "netns", "exec", "r1", "ip", "route", "add", "unreachable", "10.99.1.1/32", "table", "7"]
    routed.run(quiet, check=True)
    rule = ["ip", "netns", "exec", "r1", "ip", "rule", "add", "iif", "lo", "to", "10.99.1.1", "lookup", "7"]
    routed.run(rule, check=True)
    program = scanned(routed, tmp_path / "data")
    map = program("scan", "map", "1")
    assert re.search(r"^\|-- 1 hop did not answer  3 hosts\n\|   `-- 10\.99\.2\.2  ", map, re.M), map
    document = program.json("scan", "map", "1")
    assert document["children"][0]["kind"] == "gap"
    assert document["children"][0]["missing"] == 1
