"""Numbers of bytes as people type them."""

from __future__ import annotations

import re

from netmon_tui.errors import InvalidInput

_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kKmMgG]?)[bB]?")


def parse_size(text: str) -> int:
    """Return bytes from ``4096``, ``64k``, ``1.5 GB``; empty is 0.

    Raises:
        InvalidInput: It is neither.
    """
    found = _SIZE.fullmatch(text)
    if text and not found:
        raise InvalidInput(f"{text!r} is no size", fix="bytes, or a number with k, M or G")
    unit = found[2].upper().replace("K", "k") if found else ""
    return int(float(found[1]) * _UNITS[unit]) if found else 0
