"""Conversations of a large capture with RTT and retransmissions: ratio to ``tshark -q -z conv,tcp``, interleaved.

``python tests/bench/bench_analysis.py [PACKETS]``; exit status 1 when packets are missing, never because of time.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from generate_pcap import generate  # noqa: E402 - found by the line above

from netmon_tui.domain.analysis import Asked, find_question  # noqa: E402
from netmon_tui.runtime.tool_paths import require_tool  # noqa: E402
from netmon_tui.runtime.tshark import TsharkRun  # noqa: E402
from netmon_tui.tools import tshark_statistics  # noqa: E402

GOAL = 1.1
ROUNDS = 3


def bare(tshark: str, path: Path) -> float:
    """Seconds that tshark's own statistic takes."""
    start = time.perf_counter()
    command = [tshark, "-n", "-q", "-r", str(path), "-z", "conv,tcp"]
    environment = {**os.environ, "WIRESHARK_CONFIG_DIR": "/nonexistent"}
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env=environment)
    return time.perf_counter() - start


def ours(tshark: str, path: Path) -> tuple[float, int, int]:
    """Seconds, conversations and packets of our way."""
    asked = Asked(find_question("conversations:tcp"))
    reader = tshark_statistics.reader_for(asked)
    start = time.perf_counter()
    asyncio.run(
        TsharkRun(path).read(lambda keys: tshark_statistics.build_command(tshark, asked, 1.0, keys), reader)
    )
    answer = reader.answer()
    column = [column.key for column in answer.columns].index("packets")
    taken = time.perf_counter() - start
    return taken, len(answer.rows), sum(int(row.cells[column] or 0) for row in answer.rows)


def main(packets: int) -> int:
    """Measure and print."""
    tshark = require_tool("tshark")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "large.pcap"
        generate(path, packets)
        count = ["tcpdump", "-r", str(path), "--count", "tcp"]
        said = subprocess.check_output(count, text=True, stderr=subprocess.DEVNULL)
        counted = int(said.split()[0])
        pairs = [(bare(tshark, path), ours(tshark, path)) for _ in range(ROUNDS)]
    bares, mine = [one for one, _ in pairs], [one[0] for _, one in pairs]
    ratio = statistics.median(mine) / statistics.median(bares)
    _, rows, found = pairs[0][1]
    print(f"{packets} packets, {rows} TCP conversations with {found} of {counted} packets")
    print(f"tshark -q -z conv,tcp {statistics.median(bares):.2f} s, ours {statistics.median(mine):.2f} s")
    print(f"ratio {ratio:.2f}, goal {GOAL}{'' if ratio <= GOAL else '   MISSED'}")
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
    return int(found != counted)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
