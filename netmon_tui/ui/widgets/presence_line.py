"""When something was present, as a line of blocks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from netmon_tui.domain.device import Presence, presence_shares

_EIGHTHS, _ABSENT = "▁▂▃▄▅▆▇█", "·"
_ASCII_STEPS, _ASCII_ABSENT = "-=#", "."
_SPANS = (("24 h", timedelta(days=1), 24), ("7 days", timedelta(days=7), 28))
"""Words, length and blocks of each line: one for an hour, one for six."""


def blocks(shares: Iterable[float], ascii_only: bool = False) -> str:
    """Return one block for each share of a time, as high as the share; a dot for none at all."""
    steps, absent = (_ASCII_STEPS, _ASCII_ABSENT) if ascii_only else (_EIGHTHS, _ABSENT)
    return "".join(
        steps[min(len(steps), math.ceil(share * len(steps) - 0.01) or 1) - 1] if share > 0 else absent
        for share in shares
    )


def presence_line(presences: Sequence[Presence], now: datetime, ascii_only: bool = False) -> str:
    """Return the last day and the last week, each up to now."""
    spans = (
        f"{words} [{blocks(presence_shares(presences, now - length, now, parts), ascii_only)}]"
        for words, length, parts in _SPANS
    )
    return "   ".join(spans)
