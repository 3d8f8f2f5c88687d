"""Numbers of bytes as people type them."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Decimal

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
    return int(Decimal(found[1]) * _UNITS[unit]) if found else 0  # a float would make 2.01 GB a byte less


def size_within(count: int) -> str:
    """Return a number of bytes in three figures or so as :func:`parse_size` reads it: never more than there are."""
    unit = max((one for one in _UNITS if _UNITS[one] <= count), key=_UNITS.__getitem__, default="")
    whole = Decimal(count) / _UNITS[unit]
    places = max(0, 3 - len(str(int(whole))))
    rounded = whole.quantize(Decimal(1).scaleb(-places), ROUND_DOWN)
    figures = f"{rounded:f}".rstrip("0").rstrip(".") if places else f"{rounded:f}"
    return f"{figures} {unit}B"
