"""Rates from counters that are read now and then, and their course as a line of blocks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII_BLOCKS = "_.-=+*#@"
SPAN_SECONDS = 2.0
"""A rate is the mean of so long: shorter ones jump, longer ones lag."""


class RateMeter:
    """How fast a counter grows."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def read(self, count: int, now: float | None = None) -> float:
        """Take the counter's value and return how much it grew per second.

        Args:
            count: The counter; when it fell it was reset, and the rate begins anew.
            now: Monotonic time in seconds; the present by default.
        """
        now = time.monotonic() if now is None else now
        samples = self._samples
        if samples and count < samples[-1][1]:
            samples.clear()
        samples.append((now, count))
        while len(samples) > 2 and samples[1][0] <= now - SPAN_SECONDS:
            samples.popleft()
        passed = now - samples[0][0]
        return (count - samples[0][1]) / passed if passed > 0 else 0.0


class RateHistory:
    """The rates of the last seconds, one a step.

    Args:
        kept: Steps kept: the widest line that is drawn.
    """

    def __init__(self, kept: int = 120) -> None:
        self._rates: deque[float] = deque(maxlen=kept)

    def add(self, rate: float) -> None:
        """Take the next rate."""
        self._rates.append(rate)

    def line(self, width: int, ascii_only: bool = False) -> str:
        """Return the course as ``width`` characters, the newest at the right."""
        return spark_line(list(self._rates)[-width:] if width > 0 else [], ascii_only).rjust(width)


def spark_line(values: Sequence[float], ascii_only: bool = False) -> str:
    """Return one block a value, the largest full; a value of zero is the lowest block."""
    blocks = _ASCII_BLOCKS if ascii_only else _BLOCKS
    top = max(values, default=0.0)
    if top <= 0:
        return blocks[0] * len(values)
    return "".join(blocks[min(len(blocks) - 1, int(value / top * len(blocks)))] for value in values)
