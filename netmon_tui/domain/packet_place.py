"""Places in a capture file as people type them: a number, a time, a part of the whole, or how far from here."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from netmon_tui.errors import InvalidInput

NANOSECONDS = 1_000_000_000
"""Of a second: times of packets are whole numbers of them."""
_NUMBER = re.compile(r"#?(\d[\d ,_]*)")
_PART = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")
_STEPS = re.compile(r"([+-]) ?(\d{1,12})")
_OFFSET = re.compile(r"([+-]) ?(\d{1,12})(?:\.(\d{1,9}))? ?(ns|us|ms|s|m|h|d)")
_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": NANOSECONDS, "m": 60 * NANOSECONDS}
_UNITS |= {"h": 60 * _UNITS["m"], "d": 24 * 60 * _UNITS["m"]}
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.(\d{1,9}))?")
_FRACTION = re.compile(r"\.(\d{7,9})")
WAYS = "12345, 14:03:05, 2026-11-22 14:03:05.5, +10s, -1m, +500 (packets) or 50%"
"""What can be typed."""


class Span(NamedTuple):
    """What a place is looked for in."""

    packets: int
    """Packets of the file, at least one."""
    first: int
    """POSIX time of the first packet in nanoseconds; and of the last."""
    last: int
    here: int = 1
    """Number of the packet that offsets count from."""
    now: int = 0
    """Its time."""


class Place(NamedTuple):
    """A place that was meant: a number, or the first packet at or after a time."""

    number: int = 0
    """From 1, inside the file; 0 for a time."""
    nanoseconds: int = 0
    """POSIX time."""


def number_meant(text: str) -> int:
    """Return the number that was typed, or 0 when something else was."""
    found = _NUMBER.fullmatch(text.strip())
    return int(re.sub("[ ,_]", "", found[1])) if found else 0


def parse_place(text: str, span: Span) -> Place:
    """Return the place that a text means; what lies outside the file is its nearest end.

    A time without a date is the first such time in the file, in the local zone. Of a time with a date the zone is
    the local one, too, unless it names another.

    Raises:
        InvalidInput: It is no place.
    """
    typed = text.strip()
    if number := number_meant(typed):
        return Place(_inside(number, span))
    if part := _PART.fullmatch(typed):
        return Place(_inside(round(span.packets * min(float(part[1]), 100) / 100), span))
    if steps := _STEPS.fullmatch(typed):
        return Place(_inside(span.here + int(steps[1] + steps[2]), span))
    if offset := _OFFSET.fullmatch(typed):
        fraction = int((offset[3] or "").ljust(9, "0")) * _UNITS[offset[4]] // NANOSECONDS
        far = int(offset[2]) * _UNITS[offset[4]] + fraction
        return Place(nanoseconds=span.now + (far if offset[1] == "+" else -far))
    try:
        if clock := _CLOCK.fullmatch(typed):
            return Place(nanoseconds=_first_time_of_day(clock, span))
        return Place(nanoseconds=_instant(typed))
    except (ValueError, OverflowError):
        raise InvalidInput(f"{typed[:40]!r} is no place in a capture", fix=f"as {WAYS}") from None


def _inside(number: int, span: Span) -> int:
    return min(max(number, 1), span.packets)


def _first_time_of_day(clock: re.Match[str], span: Span) -> int:
    """Return the first such time that is in the file, or that of its first day."""
    begin = datetime.fromtimestamp(span.first // NANOSECONDS)
    wanted = begin.replace(hour=int(clock[1]), minute=int(clock[2]), second=int(clock[3] or 0), microsecond=0)
    fraction = int((clock[4] or "").ljust(9, "0"))
    first, next_day = (
        int(day.timestamp()) * NANOSECONDS + fraction for day in (wanted, wanted + timedelta(days=1))
    )
    return next_day if first < span.first and next_day <= span.last else first


def _instant(typed: str) -> int:
    fraction = _FRACTION.search(typed)  # datetime knows microseconds only
    parsed = datetime.fromisoformat(_FRACTION.sub("", typed))
    parsed = parsed if parsed.tzinfo else parsed.astimezone()
    below = int(fraction[1].ljust(9, "0")) if fraction else parsed.microsecond * 1000
    return int(parsed.replace(microsecond=0).timestamp()) * NANOSECONDS + below
