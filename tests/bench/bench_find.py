"""Finding packets by what is in them, beside tshark's ``frame contains`` and a plain grep over the same file.

``python tests/bench/bench_find.py [PACKETS]``; a million unless told. Exit status 1 when other packets are found
than tshark finds, never because of time. Ours are seconds of one search over an indexed file, until the last match
and until the first; a search begins in the middle, as with the cursor there.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from netmon_tui.domain.packet_find import FindIn, FindKind, FoundPackets, Wanted
from netmon_tui.services.packet_list import PacketList
from tests.bench.generate_pcap import generate

NOWHERE = "nowhere-in-it"
SEARCHES = {
    "text": (Wanted("host74"), 'frame contains "host74"'),
    "text, any case": (Wanted("HOST74", ignore_case=True), 'frame contains "host74"'),
    "text that is nowhere": (Wanted(NOWHERE), f'frame contains "{NOWHERE}"'),
    "hex": (Wanted("68 6f 73 74 37 3?", FindKind.HEX), 'frame matches "host7[0-9]+"'),
    "expression": (Wanted("host7[0-9]+", FindKind.REGEX), 'frame matches "host7[0-9]+"'),
    "expression that backtracks": (Wanted("(h+o+)+s+t74", FindKind.REGEX), 'frame contains "host74"'),
    "lines": (Wanted("host74", place=FindIn.LIST), 'dns.qry.name contains "host74"'),
}


async def search(packets: PacketList, wanted: Wanted) -> tuple[FoundPackets, float, float]:
    """Return what is found, and the seconds until all of it and until the first of it."""
    start, first, middle = time.perf_counter(), 0.0, packets.count // 2
    finder = await packets.finder(wanted)
    found = FoundPackets(finder.begins_at(middle), finder.count)
    async for batch in finder.batches(middle):
        found.add(batch)
        if batch.matches and not first:
            first = time.perf_counter() - start
    return found, time.perf_counter() - start, first


def timed(argv: list[str]) -> tuple[float, str]:
    """Return the seconds that a command took, and what it printed."""
    start = time.perf_counter()
    output = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return time.perf_counter() - start, output


async def measure(path: Path) -> int:
    """Measure and print; return how many searches found something else than tshark."""
    packets, wrong, known = PacketList(path), 0, dict[str, tuple[float, str]]()
    while await packets.extend():
        pass
    print(f"{packets.count} packets, {path.stat().st_size / 1e6:.0f} MB; seconds")
    print(f"{'':<28}{'matches':>9}{'ours':>8}{'first':>8}{'tshark':>8}{'ratio':>8}")
    for name, (wanted, display_filter) in SEARCHES.items():
        found, seconds, first = await search(packets, wanted)
        command = [
            "tshark",
            "-n",
            "-r",
            str(path),
            "-Y",
            display_filter,
            "-T",
            "fields",
            "-e",
            "frame.number",
        ]
        by_tshark, output = known.setdefault(display_filter, known.get(display_filter) or timed(command))
        wrong += list(found.numbers) != list(map(int, output.split()))
        count = len(found.numbers)
        print(f"{name:<28}{count:9}{seconds:8.2f}{first:8.3f}{by_tshark:8.2f}{seconds / by_tshark:8.3f}")
    grep, _ = timed(["grep", "-c", "-a", "-F", NOWHERE, str(path)])
    print(f"grep -F for text that is nowhere, which knows no packets: {grep:.2f}")
    await packets.close()
    return wrong


def main(packets: int) -> int:
    """Make a file and measure."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "large.pcap"
        generate(path, packets)
        subprocess.run(
            ["cat", str(path)], stdout=subprocess.DEVNULL, check=True
        )  # into the page cache, for all
        return int(bool(asyncio.run(measure(path))))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
