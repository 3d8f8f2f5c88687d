"""Opening a large capture on the screen, and going to its end, beside termshark on the same file, in one run.

``python tests/bench/bench_open_capture.py [PACKETS]``: what a person sees in a terminal of 120x40, from the key to
the rows; ours with the index that is kept beside the file and without it. Exit status 1 when a row is not the right
one, never because of time. Ten million packets are 3.3 GB on the disk, twice.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from bench_packets import check  # noqa: E402 - found by the line above
from generate_pcap import generate  # noqa: E402 - as above
from terminal import Terminal, command_line, make_user, open_app  # noqa: E402 - as above

from netmon_tui.domain.capture_files import CAPTURE_NAME  # noqa: E402 - as above
from netmon_tui.services.kept_index import index_path, open_index  # noqa: E402 - as above
from netmon_tui.ui.rendering import thin  # noqa: E402 - as above

FIRST_ROWS = "Len="
"""In the words of both programs for the packets at the beginning."""


def ours(data: Path, packets: int, forget: Callable[[], object]) -> tuple[float, float, float]:
    """Return milliseconds from enter to the first rows, the second time, and from ``G`` to the last one.

    Args:
        data: The data directory.
        packets: How many the capture has.
        forget: Called before each time.
    """
    terminal = open_app(data)
    try:
        terminal.press("3")
        terminal.until("large.pcap")
        opened = []
        for _ in range(2):
            terminal.quiet(1.0)
            forget()
            terminal.forget()
            terminal.press("\r")
            start = time.perf_counter()
            terminal.until(FIRST_ROWS)
            opened.append((time.perf_counter() - start) * 1000)
            terminal.press("G")
            start = time.perf_counter()
            terminal.until(f"{thin(packets)} ")
            last = (time.perf_counter() - start) * 1000
            terminal.quiet(1.0)
            terminal.press("\x1b")
        return opened[0], opened[1], last
    finally:
        terminal.close()


def termshark(path: Path) -> float:
    """Return milliseconds from its start to its first rows."""
    with tempfile.TemporaryDirectory() as home:
        start = time.perf_counter()
        with Terminal(
            ["setsid", "-c", "-w", "termshark", "-r", str(path)], {"HOME": home, "XDG_CACHE_HOME": home}
        ) as terminal:
            terminal.until(FIRST_ROWS, limit=600)
            return (time.perf_counter() - start) * 1000


def services(path: Path) -> tuple[float, float, int, int]:
    """Return milliseconds to open, and to find the middle by its time; where that is, and packets known at once."""
    start = time.perf_counter()
    with open_index(path) as index:
        opened, known = time.perf_counter() - start, index.count
        while index.extend():
            pass
        middle = index.read(index.count // 2)
        start = time.perf_counter()
        found = index.first_since(middle.nanoseconds)
        return opened * 1000, (time.perf_counter() - start) * 1000, found - middle.number, known


def main(packets: int) -> int:
    """Make the file, import it and measure."""
    with tempfile.TemporaryDirectory() as directory:
        path, data = Path(directory) / "large.pcap", Path(directory) / "data"
        generate(path, packets)
        make_user(data)
        command_line(data, "capture", "import", str(path))
        (stored,) = (data / "jobs").glob(f"*/{CAPTURE_NAME}")
        size, kept_size = stored.stat().st_size, index_path(stored).stat().st_size
        opened, jump, off, known = services(stored)
        print(f"{packets} packets, {size / 1e6:.0f} MB, kept index {kept_size / 1e6:.2f} MB")
        check("open with the kept index", opened, 50, "ms")
        check("to the middle by its time", jump, 50, "ms")
        kept = ours(data, packets, lambda: None)
        bare = ours(data, packets, lambda: index_path(stored).unlink(missing_ok=True))
        for words, (first, again, last) in (("kept index", kept), ("no index", bare)):
            print(f"{f'enter to the first rows, first time, {words}':<46} {first:9.1f} ms")
            check(f"enter to the first rows, {words}", again, 100, "ms")
            check(f"G to the last row, {words}", last, 100, "ms")
        if shutil.which("termshark"):
            theirs = termshark(path)
            print(f"{'termshark -r, start to its first rows':<46} {theirs:9.1f} ms")
            check("first rows / termshark's", kept[1] / theirs, 0.1)
    return int(bool(off) or known != packets)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
