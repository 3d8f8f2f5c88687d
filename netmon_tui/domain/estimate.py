"""What a scan is expected to cost before anything is sent: figures, always as ranges, and the words for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS = (("second", 1), ("minute", _MINUTE), ("hour", _HOUR), ("day", _DAY), ("year", 365 * _DAY))
UNCOUNTED = 10**15
"""From here on a number is shown as a power of ten: nobody counts the digits."""


class Span(NamedTuple):
    """A range, both ends included."""

    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class ScanEstimate:
    """How much a scan is, and how long it may take."""

    addresses: int
    """Addresses that the targets are, without what is excluded; ranges that overlap count twice, as nmap scans them
    twice. At most so many where exclusions are too entangled to be counted."""
    names: int
    """Host names among the targets: each counts as one."""
    ports: tuple[tuple[str, int], ...]
    """(protocol, ports of each host); empty when no ports are scanned."""
    probes: Span
    """Packets or connections that ask for hosts and ports; nobody can tell how many more detection sends."""
    seconds: Span
    """How long it takes; with scripts or detection the upper end is no bound."""
    open_ended: str = ""
    """What may take longer than the upper end, such as ``scripts``; empty for nothing."""
    basis: str = ""
    """What the time is based on, in a few words: earlier runs, or the model with its assumptions."""
    earlier_runs: int = 0
    """How many earlier scans the time is based on; 0 for the model."""


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """How long a finished scan with the same options took."""

    seconds: float
    addresses: int
    """That it scanned."""
    same_targets: bool
    """Whether it scanned what is asked for now."""


def from_earlier(runs: Sequence[EarlierRun], addresses: int) -> tuple[Span, int]:
    """Return how long a scan takes by earlier ones, and how many of them that says; those of its own targets first.

    A scan of more addresses takes at most as much longer as they are more, for nmap asks many at once; networks
    differ, so the runs of other targets say less.

    Args:
        runs: At least one.
        addresses: What is scanned now.
    """
    own = [run for run in runs if run.same_targets]
    spread = 1.5 if own else 3.0
    spans = [_scaled(run, addresses) for run in own or runs]
    lowest, highest = min(span.lowest for span in spans), max(span.highest for span in spans)
    return Span(lowest / spread, highest * spread + 2.0), len(spans)


def _scaled(run: EarlierRun, addresses: int) -> Span:
    times = run.seconds, run.seconds * addresses / max(1, run.addresses)
    return Span(min(times), max(times))


def number_words(number: float) -> str:
    """Return a number in groups of three, a huge one as ``3.4e38``."""
    return f"{number:.1e}".replace("e+", "e") if number >= UNCOUNTED else f"{int(number):,}"


def rounded(span: Span) -> Span:
    """Return a range of two significant figures that the given one lies in."""
    return Span(_two_figures(span.lowest, math.floor), _two_figures(span.highest, math.ceil))


def _two_figures(value: float, towards: Callable[[float], int]) -> float:
    whole = towards(value)  # of whole numbers from here on: a huge one has no exact float
    if whole < 100:
        return whole
    step = int(10 ** (len(str(whole)) - 2))
    return whole // step * step if towards is math.floor else -(-whole // step) * step


def extent_words(estimate: ScanEstimate) -> str:
    """Return how much is scanned: ``254 addresses, 2 host names (each counts as one); 1 000 TCP ports each``."""
    counted = [_plural(estimate.addresses, "address", "addresses")] if estimate.addresses else []
    if estimate.names:
        one, many = "host name (counts as one)", "host names (each counts as one)"
        counted.append(_plural(estimate.names, one, many))
    hosts = ", ".join(counted) or "0 addresses"
    several = estimate.ports and estimate.addresses + estimate.names > 1
    return f"{hosts}; {ports_words(estimate)}{' each' if several else ''}"


def ports_words(estimate: ScanEstimate) -> str:
    """Return how many ports of each host are scanned: ``1 000 TCP and 100 UDP ports``, ``no ports``."""
    parts = [f"{number_words(count)} {protocol.upper()}" for protocol, count in estimate.ports]
    if not parts:
        return "no ports"
    what = "protocol" if estimate.ports[0][0] == "ip" else "port"
    return f"{' and '.join(parts)} {what}{'' if estimate.ports[-1][1] == 1 else 's'}"


def probes_words(estimate: ScanEstimate) -> str:
    """Return how many probes are sent: ``250 to 570 000 probes``."""
    low, high = rounded(estimate.probes)
    if high == 0:
        return "no probes"
    return f"{number_words(low)} to {number_words(high)} probes"


def time_words(estimate: ScanEstimate) -> str:
    """Return how long it takes: ``about 2 to 9 minutes``, ``up to 3 minutes, with scripts perhaps longer``."""
    words = span_words(estimate.seconds)
    return f"{words}, with {estimate.open_ended} perhaps longer" if estimate.open_ended else words


def span_words(seconds: Span) -> str:
    """Return a span of time, rounded away from its middle so that it says no more than is known."""
    highest = max(1.0, seconds.highest)
    if highest <= 2:
        return "a few seconds at most"
    high, high_unit = _in_unit(highest, math.ceil)
    if seconds.lowest < 1:
        return f"up to {_plural(high, high_unit, high_unit + 's')}"
    low, low_unit = _in_unit(seconds.lowest, math.floor)
    if (low, low_unit) == (high, high_unit):
        return f"about {_plural(high, high_unit, high_unit + 's')}"
    if low_unit == high_unit:
        return f"about {number_words(low)} to {_plural(high, high_unit, high_unit + 's')}"
    return f"{_plural(low, low_unit, low_unit + 's')} to {_plural(high, high_unit, high_unit + 's')}"


def _in_unit(seconds: float, towards: Callable[[float], int]) -> tuple[int, str]:
    """Return a time in the largest unit of which it is at least one and a half, in steps that suit its size."""
    name, size = next(((name, size) for name, size in reversed(_UNITS) if seconds >= 1.5 * size), _UNITS[0])
    value = seconds / size
    step = 1 if value < 10 else 5 if value < 60 else 10
    if value >= 100:
        return int(_two_figures(value, towards)), name
    return max(1, towards(value / step) * step), name


def _plural(count: float, one: str, many: str) -> str:
    return f"{'about ' if count >= UNCOUNTED else ''}{number_words(count)} {one if count == 1 else many}"
