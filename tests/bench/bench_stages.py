"""Scans in stages against one nmap with the same options: how much faster, and whether they find the same.

Usage: bench_stages.py [CASE...]; needs root, for a network of its own (tests/bench/wide_network.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from netmon_tui.runtime.pings import round_trips
from netmon_tui.services.scan_commands import PING_SECONDS
from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_sample import sample_of
from netmon_tui.tools.nmap_targets import parse_targets

CASES: dict[str, tuple[str, str, str, str, float]] = {
    "services": ("0", "0", "-T4 -n -F -sV", "10.99.0.0/24", 8.0),
    "far": ("20", "0", "-T4 -n -F", "10.99.0.0/22", 3.0),
    "lossy": ("20", "1", "-T4 -n -F", "10.99.0.0/24", 3.0),
    "near": ("0", "0", "-T4 -n -F", "10.99.0.0/22", 1 / 1.1),
    "regular": ("0", "0", "-n", "10.99.0.0/24", 1 / 1.1),
    "system": ("0", "0", "-sV -T4 -n -O -F --version-light", "10.99.0.0/26", 1 / 1.1),
    "intense": ("0", "0", "-T4 -n -A -v", "10.99.0.0/28", 1 / 1.1),
    "no ping": ("0", "0", "-T4 -n -F -sV -Pn", "10.99.0.0/26", 1 / 1.1),
    "few": ("0", "0", "-T4 -n -F", "10.99.0.0/28", 1 / 1.1),
}
"""Name -> delay in ms, loss in percent, options, targets, and how many times faster the stages should be."""

Key = tuple[str, str, int]
"""Address, protocol, port; port 0 is the host itself."""
Found = dict[Key, tuple[str, ...]]
"""Of a port (state, service, product, version), of a host its status: of every one that is listed, open or not."""
SERVICE = ("name", "product", "version")
MOST_DIFFERENCES = 20
"""So many are printed."""


def in_network(case: str) -> None:
    """Run one case again, inside the network that it asks for."""
    delay, loss, *_ = CASES[case]
    network = ["unshare", "--net", sys.executable, "-m", "tests.bench.wide_network", delay, loss]
    subprocess.run([*network, sys.executable, __file__, "inside", case], check=True)


def measure(case: str) -> None:
    """Scan both ways and compare."""
    _, _, options, targets, goal = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        one_seconds, one = plain(options, targets, Path(folder))
        our_seconds, ours = staged(options, targets, Path(folder))
    ratio = one_seconds / our_seconds
    different = differences(one, ours)
    same = f"{len(different)} of them DIFFERENT" if different else "the same one by one"
    verdict = "" if ratio >= goal else f"  below x{goal:.2f}"
    print(
        f"{case:<9} {options:<36} {targets:<13} one nmap {one_seconds:6.1f} s, stages {our_seconds:6.1f} s, "
        f"x{ratio:.2f}{verdict}; {len(one)} hosts and ports, {same}",
        flush=True,
    )
    for line in different[:MOST_DIFFERENCES]:
        print("   ", line)


def differences(one: Found, ours: Found) -> list[str]:
    """Return a line for every host or port of which the two do not say the same."""
    return [
        f"{key[0]} {key[1]}/{key[2]}: one nmap {one.get(key, 'nothing')}, stages {ours.get(key, 'nothing')}"
        for key in sorted(one.keys() | ours.keys())
        if one.get(key) != ours.get(key)
    ]


def plain(options: str, targets: str, folder: Path) -> tuple[float, Found]:
    """Scan with nmap alone."""
    written = folder / "plain.xml"
    begun = time.perf_counter()
    words = ["nmap", *options.split(), "-v", "--stats-every", "1s", "-oX", str(written), targets]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - begun
    found: Found = {}
    for host in ElementTree.parse(written).getroot().iter("host"):
        address = str(host.find("address").get("addr"))  # type: ignore[union-attr]
        found[address, "", 0] = (str(host.find("status").get("state")),)  # type: ignore[union-attr]
        for port in host.iter("port"):
            key = (address, str(port.get("protocol")), int(str(port.get("portid"))))
            state = str(port.find("state").get("state"))  # type: ignore[union-attr]
            found[key] = (state, *service_words(port.find("service")))
    return seconds, found


def service_words(service: Any) -> tuple[str, ...]:
    """Return (name, product, version) of an element or a JSON object, empty where it says nothing."""
    return tuple((service.get(name) or "") if service is not None else "" for name in SERVICE)


def staged(options: str, targets: str, folder: Path) -> tuple[float, Found]:
    """Scan with the program, from the pings before it to the stored result; its own start is not counted."""
    password = folder / "password"
    password.write_text("walnut-koala-lantern\n")
    program = [str(Path(sys.executable).with_name("netmon-tui")), "--data-dir", str(folder / "data")]
    program += ["--user", "ada", "--password-file", str(password)]
    subprocess.run(
        [*program, "user", "add", "ada"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    words = [*program, "scan", "run", "--args", options, "--confirm-intrusive", "--json", targets]
    scan: dict[str, Any] = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)
    job = json.loads((folder / "data" / "jobs" / "scan-1" / "status.json").read_text())
    found: Found = {}
    for host in scan["hosts"]:
        found[host["address"], "", 0] = (host["status"],)
        for port in host["ports"]:
            key = (host["address"], port["protocol"], port["number"])
            found[key] = (port["state"], *service_words(port["service"]))
    return pinged(options, targets) + job["ended"] - job["started"], found


def pinged(options: str, targets: str) -> float:
    """Return the seconds that pings before the scan take: they are not in its job's time."""
    asked, begun = sample_of(parse_options(options), parse_targets([targets])), time.perf_counter()
    if asked:
        round_trips(asked, PING_SECONDS)
    return time.perf_counter() - begun


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        measure(sys.argv[2])
    elif os.geteuid() != 0:
        print("needs root")
    else:
        for name in sys.argv[1:] or CASES:
            with contextlib.suppress(KeyboardInterrupt):
                in_network(name)
