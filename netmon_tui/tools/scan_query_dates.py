"""The days and times of a search: ``2026-11-01``, ``2026-11-01T14:30``, ``today``, ``yesterday``, ``-7``, ``-12h``.

As in Zenmap both ends count: ``after:`` begins with the day, ``before:`` ends with it. All are local time.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from netmon_tui.domain.search import TimeTerm
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_targets import shown

_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt ]([0-9]{1,2}):([0-9]{2}))?")
_AGO = re.compile(r"-([0-9]{1,6})([hdw]?)")
_FIX = "write 2026-11-01, 2026-11-01T14:30, today, yesterday, -7 (days), -12h or -2w"
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
_MOST_HOURS = 24 * 36_525
_MOST_DOUBT = 366
"""Days that ``~`` may add on each side."""


class _Span(NamedTuple):
    """A day, or an instant, in POSIX seconds."""

    begin: float
    end: float


def after(value: str, *, now: datetime) -> TimeTerm:
    """Return the term for scans that began on a day or later."""
    return TimeTerm(since=_span(value, now).begin)


def before(value: str, *, now: datetime) -> TimeTerm:
    """Return the term for scans that began on a day or earlier."""
    return TimeTerm(until=_span(value, now).end)


def on_day(value: str, *, now: datetime) -> TimeTerm:
    """Return the term for scans that began on a day; each ``~`` at its end takes in a day more on both sides."""
    plain = value.rstrip("~")
    doubt = len(value) - len(plain)
    if doubt > _MOST_DOUBT:
        raise InvalidInput("too many ~", why=f"the limit is {_MOST_DOUBT}")
    span = _span(plain, now)
    if span.begin == span.end:
        raise InvalidInput(
            f"{shown(plain)} is no day", fix="date: takes a day; use after: and before: for hours"
        )
    day = datetime.fromtimestamp(span.begin).date()
    return TimeTerm(_midnight(day - timedelta(days=doubt)), _midnight(day + timedelta(days=doubt + 1)))


def _span(value: str, now: datetime) -> _Span:
    """Return when the text says.

    Raises:
        InvalidInput: It says no time.
    """
    if value.lower() in ("today", "yesterday"):
        return _day(now.date() - timedelta(days=value.lower() == "yesterday"))
    if match := _AGO.fullmatch(value):
        return _ago(int(match[1]), match[2], now)
    if match := _DATE.fullmatch(value):
        return _written(value, match)
    raise InvalidInput(f"{shown(value)} is no date" if value else "a date is missing", fix=_FIX)


def _ago(count: int, unit: str, now: datetime) -> _Span:
    hours = count * {"h": 1, "w": 168}.get(unit, 24)
    if hours > _MOST_HOURS:
        raise InvalidInput("that is too long ago", fix=_FIX)
    moment = now - timedelta(hours=hours)
    return _Span(moment.timestamp(), moment.timestamp()) if unit == "h" else _day(moment.date())


def _written(value: str, match: re.Match[str]) -> _Span:
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
        clock = time(int(match[4]), int(match[5])) if match[4] else None
    except ValueError as error:
        raise InvalidInput(f"{shown(value)} is no date", why=str(error), fix=_FIX) from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise InvalidInput(f"{shown(value)} is not a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    if clock is None:
        return _day(day)
    moment = datetime.combine(day, clock).timestamp()
    return _Span(moment, moment)


def _day(day: date) -> _Span:
    return _Span(_midnight(day), _midnight(day + timedelta(days=1)))


def _midnight(day: date) -> float:
    return datetime.combine(day, time.min).timestamp()
