"""The times of schedules: intervals and cron expressions in, instants out.

A cron expression goes by the clock of its time zone, as cron of Debian does: what falls into the hour that is
left out in spring runs when that hour is over, and what falls into the hour that comes twice in autumn runs
once, unless the minutes or the hours begin with ``*``. An interval counts elapsed seconds.

The library is imported when an expression is read: most programs never read one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import TYPE_CHECKING

from netmon_tui.domain.schedule import When
from netmon_tui.errors import InvalidInput

if TYPE_CHECKING:
    from cronsim import CronSim

SHORTEST_SECONDS = 60
LONGEST_SECONDS = 366 * 86_400
LONGEST_EXPRESSION = 200
"""Characters; a list of all sixty minutes has 169."""
_LONGEST_ZONE = 64
_UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_INTERVAL = re.compile("".join(rf"(?:(\d{{1,8}}){unit})?" for unit in _UNITS), re.ASCII)
_NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = {
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31, L for the last or LW for the last weekday",
    "month": "1-12 or JAN-DEC",
    "day-of-week": "0-7 or SUN-SAT, with #2 for the second or L for the last of the month",
}
"""What the library calls the fields -> what each may have."""
_EXAMPLE = "such as 0 3 * * mon-fri: minute, hour, day of the month, month, day of the week"


def parse_interval(text: str) -> int:
    """Return the seconds of ``1d12h``, ``90m`` or ``2w``; raises InvalidInput."""
    plain = "".join(text.split()).lower()
    found = _INTERVAL.fullmatch(plain) if plain else None
    if found is None:
        raise InvalidInput(f"{text[:40]!a} is no interval", fix="write it as 30m, 12h, 1d12h or 2w")
    seconds = sum(int(count or 0) * unit for count, unit in zip(found.groups(), _UNITS.values(), strict=True))
    return _checked_interval(seconds)


def _checked_interval(seconds: int) -> int:
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        why = "shorter than a minute" if seconds < SHORTEST_SECONDS else "longer than a year"
        raise InvalidInput("the interval is refused", why=f"it is {why}", fix="1m to 366d")
    return seconds


def interval_text(seconds: int) -> str:
    """Return seconds as :func:`parse_interval` reads them: ``1d12h``."""
    parts = []
    for unit, size in list(_UNITS.items())[1:]:  # 14d says more than 2w
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def checked(when: When) -> When:
    """Return the times in normal form.

    Raises:
        InvalidInput: An interval, zone or expression that is refused, with the field that is wrong; or an
            expression that never matches.
    """
    if bool(when.every) == bool(when.cron.strip()):
        raise InvalidInput("a schedule needs an interval or a cron expression", fix="give one of them")
    zone_of(when.zone)
    if when.every:
        return When(every=_checked_interval(when.every), zone=when.zone)
    text = _normal(when.cron)
    checked_when = When(cron=text, zone=when.zone)
    next(_moments(checked_when, datetime.now(UTC)))
    return checked_when


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name; raises InvalidInput."""
    from zoneinfo import ZoneInfo

    if name == "UTC":  # known also where the system has no table of zones
        return UTC
    try:
        return ZoneInfo(name[:_LONGEST_ZONE])
    except (KeyError, ValueError, OSError):
        why = "no such name in this system's table of zones"
        raise InvalidInput(
            f"unknown time zone {name[:_LONGEST_ZONE]!a}", why=why, fix="such as Europe/Berlin, or UTC"
        ) from None


def following(when: When, after: datetime, seen: datetime | None = None) -> datetime:
    """Return the first time later than ``after``, in UTC.

    Args:
        when: In normal form.
        after: The present.
        seen: A time of the schedule: later times of an interval are whole intervals away from it. None
            begins anew, one interval from the present.

    Raises:
        InvalidInput: There is none; the zone may be unknown on this machine.
    """
    if when.cron:
        return next(_moments(when, after)).astimezone(UTC)
    step = timedelta(seconds=when.every)
    begin = (seen or after).replace(microsecond=0)
    return begin + step * max(1, (after - begin) // step + 1)


def next_times(when: When, after: datetime, count: int, seen: datetime | None = None) -> tuple[datetime, ...]:
    """Return the next times in the zone of the schedule, fewer if there are no more; arguments as following."""
    zone = zone_of(when.zone)
    if when.cron:
        return tuple(islice(_moments(when, after), count))
    first = following(when, after, seen)
    step = timedelta(seconds=when.every)
    return tuple((first + step * number).astimezone(zone) for number in range(count))


def in_words(when: When) -> str:
    """Return when it runs, in English; of a cron expression without its zone."""
    if when.every:
        return f"every {interval_text(when.every)}"
    return _simulation(when.cron, datetime.now(UTC)).explain()


def _moments(when: When, after: datetime) -> Iterator[datetime]:
    """Yield the times of an expression that are later than ``after``, in its zone."""
    found = False
    for moment in _simulation(when.cron, after.astimezone(zone_of(when.zone))):
        if moment.astimezone(UTC) > after:  # in the second of two equal hours it begins with the first one
            found = True
            yield moment
    if not found:
        raise InvalidInput(
            f"the cron expression {when.cron!a} never matches", why="not once in the next 50 years"
        )


def _normal(text: str) -> str:
    """Return an expression in one spelling; refuse what has not five fields or is none of the names."""
    if len(text) > LONGEST_EXPRESSION:
        raise InvalidInput(
            "the cron expression is too long", why=f"the limit is {LONGEST_EXPRESSION} characters"
        )
    fields = text.split()
    if text.strip().startswith("@"):
        if (name := text.strip().lower()) not in _NAMES:
            raise InvalidInput(f"unknown name {text.strip()!a}", fix="one of " + " ".join(_NAMES))
        return name
    if len(fields) != len(_FIELDS):
        why = f"it has {len(fields)} field{'' if len(fields) == 1 else 's'} and not five"
        raise InvalidInput("the cron expression is refused", why=why, fix=_EXAMPLE)
    return " ".join(fields).lower()


def _simulation(text: str, begin: datetime) -> CronSim:
    """Return the library's reading of an expression; raises InvalidInput."""
    from cronsim import CronSim, CronSimError

    expression = _NAMES.get(text, text)
    try:
        return CronSim(expression, begin)
    except CronSimError as error:
        raise _refusal(expression, str(error).removeprefix("Bad ")) from None


def _refusal(expression: str, name: str) -> InvalidInput:
    """Return the error for a field that the library refuses."""
    from cronsim import CronSim, CronSimError

    names = list(_FIELDS)
    if name not in _FIELDS:
        return InvalidInput("the cron expression is refused", fix=_EXAMPLE)
    field = expression.split()[names.index(name)]
    what = f"the {name.replace('-', ' ')} {field!a} of the cron expression is refused"
    alone = " ".join(field if other == name else "*" for other in names)
    try:
        CronSim(alone, datetime.now(UTC))
    except CronSimError:
        return InvalidInput(what, fix=f"{_FIELDS[name]}; lists 1,2, ranges 1-5 and steps */2 of them")
    return InvalidInput(what, why="none of its months has such a day")
