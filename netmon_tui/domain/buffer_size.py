"""How large the kernel's buffer of a capture is to be."""

from __future__ import annotations

import re

from netmon_tui.errors import InvalidInput

LEAST_KIB, MOST_KIB = 64, 1_048_576
"""What a capture can be asked for."""
_UNITS = {"": 1, "k": 1, "m": 1024, "g": 1024**2}
_SIZE = re.compile(r"(\d{1,9})([kmg]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_TIMES = re.compile(r"(\d{1,4})x", re.IGNORECASE | re.ASCII)


def parse_buffer(text: str) -> int:
    """Return KiB from ``8M``, ``512k`` or ``4096`` (KiB); raises InvalidInput for anything else."""
    found = _SIZE.fullmatch(text.strip())
    size = int(found[1]) * _UNITS[found[2].lower()] if found else 0
    if not LEAST_KIB <= size <= MOST_KIB:
        why = f"from {LEAST_KIB} KiB to {MOST_KIB >> 10} MiB are possible" if found else ""
        raise InvalidInput(f"{text!r} is no buffer", why=why, fix="KiB, or a number with k, M or G, as 8M")
    return size


def next_buffer(text: str, now: int, most: int) -> int:
    """Return the buffer in KiB that comes after another one, at most what the machine can give.

    Args:
        text: A size, as of :func:`parse_buffer`, or how many times what it was: ``2x``.
        now: What it was, in KiB.
        most: What this machine can give, in KiB.

    Raises:
        InvalidInput: It is neither, or it was as large already and cannot be larger.
    """
    times = _TIMES.fullmatch(text.strip())
    if not times:
        return min(parse_buffer(text), most)
    wanted = min(max(int(times[1]) * now, LEAST_KIB), most)
    if wanted <= now:
        raise InvalidInput(
            f"the buffer had {buffer_text(now)}, and cannot have more",
            why=f"this machine can give {buffer_text(most)}",
            fix="a narrower filter, or fewer bytes of each packet, leave less to drop",
        )
    return wanted


def buffer_text(kib: int) -> str:
    """Return a size for people: ``16 MiB``."""
    return f"{kib >> 10} MiB" if kib % 1024 == 0 else f"{kib} KiB"
