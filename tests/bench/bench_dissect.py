"""Packet detail and display filters of a large capture, beside ``tshark -Y`` and pyshark on the same file.

``python tests/bench/bench_dissect.py [PACKETS]``; exit status 1 when something else is found than by tshark, never
because of time.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from generate_pcap import generate  # noqa: E402 - found by the line above

from netmon_tui.services.packet_list import PacketList  # noqa: E402 - as above

FILTER = "dns"
PYSHARK = """
import pyshark, sys
capture = pyshark.FileCapture(sys.argv[1], keep_packets=False)
assert int(capture.next().number) == 1
capture.close()
"""
"""The first packet of a file: for any other one pyshark reads all before it, as ``tshark -Y`` does."""
FAR_APART = 20
"""Packets that are dissected cold, each in another window."""


async def timed(packets: PacketList, number: int) -> float:
    """Return milliseconds to the detail of a packet; fails when sharkd did not make it."""
    start = time.perf_counter()
    detail = await packets.detail(number)
    assert detail.dissector == "sharkd", detail.dissector
    return (time.perf_counter() - start) * 1000


async def details(packets: PacketList) -> tuple[list[float], list[float]]:
    """Return milliseconds of cold packets and of packets beside them."""
    await packets.warm_up()
    step = packets.count // FAR_APART
    cold, beside = [], []
    for number in range(step, packets.count, step):
        cold.append(await timed(packets, number))
        beside += [await timed(packets, number - back) for back in range(1, 6)]
    return cold, beside


async def filtered(packets: PacketList) -> tuple[float, float, int]:
    """Return seconds to the first match and to the last, and how many there are."""
    start, first, count = time.perf_counter(), 0.0, 0
    async with aclosing(packets.matching(FILTER).numbers()) as batches:
        async for numbers in batches:
            first = first or time.perf_counter() - start
            count += len(numbers)
    return first, time.perf_counter() - start, count


def tshark(path: Path, text: str) -> tuple[float, float, int]:
    """Return seconds to the first line of ``tshark -Y`` and to its end, and how many lines there are."""
    start, first, count = time.perf_counter(), 0.0, 0
    command = ["tshark", "-n", "-l", "-r", str(path), "-Y", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for _ in process.stdout:
            first = first or time.perf_counter() - start
            count += 1
    return first, time.perf_counter() - start, count


def pyshark(path: Path) -> float:
    """Return milliseconds to pyshark's first packet, its own start included; 0 when it fails."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PYSHARK, str(path)], stderr=subprocess.DEVNULL)
    return 0.0 if done.returncode else (time.perf_counter() - start) * 1000


def check(name: str, value: float, goal: float, unit: str, *, least: bool = False) -> None:
    """Print a figure beside its goal, which is the most, or the least, that it should be."""
    met = value >= goal if least else value <= goal
    print(f"{name:<52} {value:9.2f} {unit:<3} goal {goal:g}{'' if met else '   MISSED'}")


async def measure(path: Path) -> int:
    """Measure and print."""
    packets = PacketList(path)
    while await packets.extend():
        pass
    cold, beside = await details(packets)
    first, total, count = await filtered(packets)
    one = tshark(path, f"frame.number=={packets.count * 99 // 100}")[1]
    their_first, their_total, their_count = tshark(path, FILTER)
    print(
        f"{packets.count} packets, {path.stat().st_size / 1e6:.0f} MB; tshark -Y frame.number==N {one:.1f} s"
    )
    check("detail, cold (median)", statistics.median(cold), 100, "ms")
    check("detail, cold (worst)", max(cold), 100, "ms")
    check("detail, beside it (median)", statistics.median(beside), 5, "ms")
    check(
        "tshark -Y frame.number==N / detail, cold", one * 1000 / statistics.median(cold), 300, "x", least=True
    )
    if first_by_pyshark := pyshark(path):
        check("detail, cold / pyshark's first packet", statistics.median(cold) / first_by_pyshark, 0.5, "x")
    print(
        f"{FILTER}: ours {first:.2f} s and {total:.1f} s, tshark -Y {their_first:.2f} s and {their_total:.1f} s"
    )
    check("display filter, first match / tshark -Y", first / their_first, 1.25, "x")
    check("display filter, all matches / tshark -Y", total / their_total, 1.1, "x")
    await packets.close()
    return int(count != their_count)


def main(packets: int) -> int:
    """Make the file and measure."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "large.pcap"
        generate(path, packets)
        return asyncio.run(measure(path))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
