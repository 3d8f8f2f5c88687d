"""Comparing two scans, beside ndiff.

``python tests/bench/bench_compare.py [HOSTS] [PEER_HOSTS]``; 65,536 hosts and, for ndiff, 4,096 unless told. The
second scan has another version of a service on every hundredth host, and lacks the last twenty hosts.

Printed: seconds and peak memory of our comparison of stored scans (each in a process of its own, imports of both
scans beside it, since ndiff reads its files each time), of ndiff on the smaller files and ours on them, and the
ratio. What both say changed must be of the same hosts; exit 1 when not. Never fails because of time.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.generate_nmap_xml import generate

HOSTS, PEER_HOSTS = 65_536, 4_096
GONE, EVERY = 20, 100


def later(earlier: Path, target: Path) -> None:
    """Write the second scan: made of the first, line by line."""
    text = earlier.read_text()
    head, *hosts = text.split("<host starttime")
    last, tail = hosts[-1].split("</host>", 1)
    hosts[-1] = last + "</host>\n"
    changed = [
        re.sub(
            r'(<service name="[^"]*" product="[^"]*")( version="[^"]*")?', r'\1 version="99"', host, count=1
        )
        if number % EVERY == 0
        else host
        for number, host in enumerate(hosts[:-GONE])
    ]
    target.write_text(head + "".join("<host starttime" + host for host in changed) + tail)


def ours(first: Path, second: Path, folder: Path) -> dict[str, object]:
    """Import both, then compare; seconds of each and what changed."""
    from netmon_tui.config.paths import find_paths
    from netmon_tui.config.settings import load_settings
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import open_services

    services = open_services(load_settings(environ={}), find_paths(data_dir=folder))

    async def work() -> dict[str, object]:
        user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
        ada = Actor(user.id, user.name, user.role)
        began = time.perf_counter()
        a, b = [await services.transfers.import_scan(ada, path) for path in (first, second)]
        imported, before = time.perf_counter(), peak()
        comparison = await services.comparison.compare(ada, a.id, b.id)
        ended = time.perf_counter()
        await services.close()
        return {
            "import": imported - began,
            "compare": ended - imported,
            "peak": [before, peak()],
            "hosts": sorted(host.address for host in comparison.hosts),
        }

    return asyncio.run(work())


def peak() -> float:
    """Most MiB this process ever had; getrusage() would count its parent in."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def in_a_process(first: Path, second: Path, folder: Path) -> dict[str, object]:
    argv = [sys.executable, __file__, "--ours", str(first), str(second), str(folder)]
    return json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def ndiff(first: Path, second: Path) -> tuple[float, list[str]]:
    """Seconds, and the hosts that it prints a change of."""
    began = time.perf_counter()
    done = subprocess.run(["ndiff", "--xml", first, second], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    differing = re.findall(r"<hostdiff>.*?</hostdiff>", done.stdout, re.DOTALL)
    return seconds, sorted(re.search(r'addr="([0-9.]+)"', one)[1] for one in differing)  # type: ignore[index]


def main(hosts: int = HOSTS, peer_hosts: int = PEER_HOSTS) -> int:
    """Measure and print."""
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="netmon-bench-") as name:
        folder = Path(name)
        for count in (hosts, peer_hosts):
            first, second = folder / f"{count}-a.xml", folder / f"{count}-b.xml"
            generate(first, count)
            later(first, second)
            found = in_a_process(first, second, folder / f"data-{count}")
            before, after = found["peak"]
            print(
                f"{count:,} hosts: compared in {found['compare']:.2f} s, {len(found['hosts']):,} changed;"
                f" peak {after:.0f} MiB, {before:.0f} of it by importing both in {found['import']:.2f} s"
            )
            wrong += len(found["hosts"]) != -(-(count - GONE) // EVERY) + GONE
        if shutil.which("ndiff"):
            seconds, theirs = ndiff(first, second)
            whole = found["import"] + found["compare"]
            print(
                f"{peer_hosts:,} hosts: ndiff {seconds:.2f} s; ours x{found['compare'] / seconds:.4f},"
                f" and x{whole / seconds:.3f} with the import of both files"
            )
            wrong += theirs != found["hosts"]
            print(f"the same hosts as ndiff: {'yes' if theirs == found['hosts'] else 'NO'}")
        else:
            print("ndiff is not installed: left out")
    return int(bool(wrong))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        print(json.dumps(ours(*map(Path, sys.argv[2:]))))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
