"""How much memory this machine can give."""

from __future__ import annotations

from pathlib import Path

SHARE = 4
"""One part of so many of what is available may become the buffer of one capture, which cannot be swapped out."""


def largest_buffer_kib() -> int:
    """Return how many KiB the buffer of a capture may have, now."""
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // SHARE
    return 0
