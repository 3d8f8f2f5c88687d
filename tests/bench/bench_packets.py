"""Opening a large capture: ratios of our index to capinfos, tcpdump and tshark on the same file, in one run.

``python tests/bench/bench_packets.py [PACKETS]``; exit status 1 when packets are missing, never because of time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from generate_pcap import generate  # noqa: E402 - found by the line above

PEAK = "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')][0]);"
OURS = (
    "from netmon_tui.tools.pcap_index import PacketIndex;"
    "i = PacketIndex({path!r}); i.extend(); print(i.count);" + PEAK
)
BARE = "import netmon_tui.tools.pcap_index;" + PEAK
FIRST = (
    "import time; from netmon_tui.tools.pcap_index import PacketIndex;"
    "from netmon_tui.tools.packet_summary import summarise;"
    "t = time.perf_counter(); i = PacketIndex({path!r}); i.extend(40);"
    "[summarise(p, 1) for p in i.window(1, 41)]; print(time.perf_counter() - t)"
)
FAR = (
    "import time; from netmon_tui.tools.pcap_index import PacketIndex;"
    "from netmon_tui.tools.packet_summary import summarise; i = PacketIndex({path!r}); i.extend();"
    "t = time.perf_counter(); [summarise(p, 1) for p in i.window(i.count // 2, i.count // 2 + 40)];"
    "print(time.perf_counter() - t)"
)


def run(argv: list[str]) -> tuple[float, str]:
    """Return (wall or processor seconds, whichever is less, stdout) of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    # On a machine others use, processor time is the steadier figure; all three tools run on one core.
    return min(wall, usage.ru_utime + usage.ru_stime), output.strip()


def best(argv: list[str], times: int) -> tuple[float, str]:
    """Return the quickest of several runs."""
    return min(run(argv) for _ in range(times))


def python(code: str, path: Path) -> list[str]:
    """Return the command that runs our code in a fresh interpreter."""
    return [sys.executable, "-c", code.format(path=str(path))]


def check(name: str, value: float, goal: float, unit: str = "x") -> None:
    """Print a figure beside its goal."""
    print(f"{name:<46} {value:9.3f} {unit:<4} goal {goal:g}{'' if value <= goal else '   MISSED'}")


def main(packets: int) -> int:
    """Measure and print."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "large.pcap"
        generate(path, packets)
        subprocess.run(
            ["cat", str(path)], stdout=subprocess.DEVNULL, check=True
        )  # into the page cache, for all
        ours, capinfos = best(python(OURS, path), 3), best(["capinfos", str(path)], 2)
        tshark = run(["tshark", "-n", "-r", str(path)])
        tcpdump = run(["tcpdump", "-n", "-r", str(path)])
        first, far = best(python(FIRST, path), 3), best(python(FAR, path), 2)
        count, peak = map(int, ours[1].split())
        bare = int(run(python(BARE, path))[1])
        print(f"{packets} packets, {path.stat().st_size / 1e6:.0f} MB")
        print(
            f"index {ours[0]:.2f} s, capinfos {capinfos[0]:.2f} s, tcpdump -r {tcpdump[0]:.2f} s, "
            f"tshark -r {tshark[0]:.2f} s"
        )
        check("index / tshark -r", ours[0] / tshark[0], 0.06)
        check("index / tcpdump -r", ours[0] / tcpdump[0], 0.6)
        check("index / capinfos", ours[0] / capinfos[0], 0.6)
        check("first 40 rows from a fresh open", float(first[1]) * 1000, 50, "ms")
        check("40 rows in the middle", float(far[1]) * 1000, 50, "ms")
        check("peak memory above the bare interpreter", (peak - bare) / 1024, 40, "MiB")
    return int(count != packets)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
