"""Instants as people type them: a date, a date with a time, or how long ago."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from netmon_tui.errors import InvalidInput

_AGO = re.compile(r"-(\d{1,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def parse_moment(text: str, now: datetime) -> datetime:
    """Return the instant that a text means, in the local zone unless it names another.

    Args:
        text: ``2026-11-03T14:00``, ``2026-11-03 14:00``, ``2026-11-03`` (the end of that day), or ``-7d``, also
            with ``m``, ``h`` and ``w``.
        now: What ``-7d`` counts from; must know its zone.

    Raises:
        InvalidInput: It is none of these.
    """
    typed = text.strip()
    try:
        if ago := _AGO.fullmatch(typed):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        parsed = datetime.fromisoformat(typed)
        if _DATE.fullmatch(typed):
            parsed = datetime.combine(parsed, time.max)
        return parsed if parsed.tzinfo else parsed.astimezone()
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{typed[:40]!r} is no time", fix="as 2026-11-03T14:00, 2026-11-03, -7d, -12h or -30m"
        ) from None
