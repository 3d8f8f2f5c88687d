"""Who talks: the cost of counting a packet beside tshark, how true a sample is, and a flood with the view open.

``python tests/bench/bench_talkers.py [PACKETS [SECONDS [RATE...]]]``: 1,000,000 packets in a file; then 15 seconds
at 1, 1,000, 100,000 and 400,000 packets a second with the packets of a running capture on the screen, and with who
talks in it (as root or with user namespaces; see bench_capture.py for what is sent and how). In the first seconds
of a capture the program looks at it more often.

Never fails because of time; exit 1 means that exact figures differ from tshark's, or that packets were dropped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from netmon_tui.domain.traffic import Traffic
from netmon_tui.tools.traffic_reader import TrafficReader
from tests.bench.bench_capture import HEAD, Outcome, Screen, Sender, line_of
from tests.bench.generate_pcap import generate
from tests.bench.terminal import make_user
from tests.lab.network import AS_USER, UNSHARE, why_no_lab

PACKETS = 1_000_000
SECONDS, RATES = 15.0, (1, 1_000, 100_000, 400_000)
BUDGETS = (0.1, 0.02, 0.005)
"""Seconds of processor time in which a whole file is sampled."""
GOAL = 3.0
"""Percent of a core for the live view."""


def count_all(path: Path) -> tuple[Traffic, float]:
    """Count every packet; return the figures and the processor time."""
    began = time.thread_time()
    with TrafficReader(path) as reader:
        while reader.advance(0.1):
            pass
        return reader.snapshot(10_000), time.thread_time() - began


def by_tshark(path: Path) -> tuple[dict[str, tuple[int, ...]], float]:
    """Return tshark's packets and bytes by address (all, sent, received), and its processor time."""
    before = os.times()
    run = subprocess.run(
        ["tshark", "-n", "-q", "-r", str(path), "-z", "endpoints,ip"],
        capture_output=True,
        text=True,
        check=True,
    )
    after = os.times()
    lines = (line.split() for line in run.stdout.splitlines())
    found = {
        words[0]: tuple(map(int, words[1:])) for words in lines if len(words) == 7 and words[1].isdigit()
    }
    return found, after.children_user + after.children_system - before.children_user - before.children_system


def on_a_file(packets: int) -> bool:
    """Compare with tshark on a file; return whether the figures are the same."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "large.pcap"
        generate(path, packets)
        path.read_bytes()  # into the page cache, for both
        ours, spent = count_all(path)
        theirs, theirs_spent = by_tshark(path)
        print(f"{packets:,} packets, {path.stat().st_size / 1e6:.0f} MB")
        print(
            f"each by us {1e6 * spent / packets:.2f} us, by tshark -z {1e6 * theirs_spent / packets:.2f} us"
        )
        figures = {
            one.address: (
                one.packets, one.bytes, one.sent_packets, one.sent_bytes, one.received_packets, one.received_bytes
            )
            for one in ours.talkers
        }  # fmt: skip
        same = all(figures.get(address) == counts for address, counts in theirs.items()) and bool(theirs)
        print(f"figures of every address equal tshark's: {'yes' if same else 'NO'}")
        in_blocks = Path(directory) / "large.pcapng"
        subprocess.run(["editcap", "-F", "pcapng", str(path), str(in_blocks)], check=True)
        again, spent = count_all(in_blocks)
        same &= (again.packets, again.bytes, again.talkers) == (ours.packets, ours.bytes, ours.talkers)
        print(
            f"each in pcapng {1e6 * spent / packets:.2f} us, {'the same figures' if same else 'OTHER FIGURES'}"
        )
        for one in (path, in_blocks):
            for budget in BUDGETS:
                sample_of(one, budget, ours)
    return same


def sample_of(path: Path, budget: float, truth: Traffic) -> None:
    """Print how far a sample is from the truth."""
    with TrafficReader(path, growing=True) as reader:
        began = time.thread_time()
        reader.advance(budget)
        spent = time.thread_time() - began
        found = reader.snapshot(10_000)
    real = {one.service: one.bytes for one in truth.services}
    largest = found.services[:8]
    errors = sorted(100 * abs(one.bytes / real[one.service] - 1) for one in largest)
    print(
        f"{path.suffix}: 1 of {found.sampled:.1f} in {1000 * spent:.0f} ms (wanted {1000 * budget:.0f}): "
        f"packets off by {100 * abs(found.packets / truth.packets - 1):.2f} %, bytes of the largest services by "
        f"{errors[len(errors) // 2]:.1f} % (median), {errors[-1]:.1f} % at most"
    )


class View(Screen):
    """The program with who talks in the capture on its screen."""

    def flood(self, sender: Sender, count: int, rate: float) -> Outcome:
        outcome = super().flood(sender, count, rate)
        self._terminal.press("\x1b")
        return outcome

    def _open(self, title: str) -> None:
        super()._open(title)
        self._terminal.press("T")
        self._terminal.until("who talks")


def under_a_flood(seconds: float, rates: tuple[float, ...]) -> bool:
    """Measure the screens while packets come; return whether none was lost."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="netmon-bench-") as name:
        data = Path(name) / "data"
        make_user(data)
        sender = Sender()
        ways = {"packets": Screen(data), "talkers": View(data)}
        print(HEAD, flush=True)
        for rate in rates:
            for way, screen in ways.items():
                outcomes.append(screen.flood(sender, int(rate * seconds), rate))
                print(line_of(way, rate, outcomes[-1]), flush=True)
        for screen in ways.values():
            screen.close()
    for at, way in enumerate(ways):
        worst = max(100 * one.processor["app"] / one.seconds for one in outcomes[at :: len(ways)])
        print(f"the program with {way} on its screen: at most {worst:.1f} % of a core (goal {GOAL:.0f})")
    return not sum(one.dropped for one in outcomes)


def main(arguments: list[str]) -> int:
    """Measure on a file here, then in namespaces of its own."""
    if arguments[:1] == ["--inside"]:
        seconds, *rates = map(float, arguments[1:])
        return int(not under_a_flood(seconds, tuple(rates)))
    packets, *rest = arguments or [str(PACKETS)]
    same = on_a_file(int(packets)) if int(packets) else True
    if (reason := why_no_lab()) is not None:
        print(f"left out: {reason}")
        return int(not same)
    figures = rest or [str(SECONDS)]
    figures += map(str, RATES) if len(figures) == 1 else []
    as_user = [] if os.geteuid() == 0 else AS_USER
    inside = [UNSHARE[0], *as_user, *UNSHARE[1:], sys.executable, __file__, "--inside", *figures]
    return subprocess.run(inside, check=False).returncode or int(not same)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
