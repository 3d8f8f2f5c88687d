"""The times of schedules: what is accepted, what is refused and how it says so, and the change of the clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.schedule import When
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.schedule_times import (
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    checked,
    following,
    in_words,
    interval_text,
    next_times,
    parse_interval,
)

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(cron: str, after: str, count: int = 3, zone: str = BERLIN) -> list[str]:
    """The next times of an expression by the clock of the zone, with its offset."""
    found = next_times(checked(When(cron=cron, zone=zone)), at(after), count)
    return [f"{moment:%m-%d %H:%M %z}" for moment in found]


# --- intervals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1m", 60), ("90m", 5400), ("1d12h", 129_600), ("1D 12H", 129_600), ("2w", 1_209_600), ("60s", 60)],
)
def test_intervals_are_read(text: str, seconds: int) -> None:
    assert parse_interval(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "30", "h", "1h1d", "-1h", "1.5h", "٣h", "1" * 5000 + "h", "0 3 * * *"]
)
def test_what_is_no_interval_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no interval") as refused:
        parse_interval(text)
    assert "1d12h" in refused.value.fix


@pytest.mark.parametrize(("text", "why"), [("59s", "shorter than a minute"), ("367d", "longer than a year")])
def test_intervals_have_bounds(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        parse_interval(text)


@given(st.integers(SHORTEST_SECONDS, LONGEST_SECONDS))
def test_an_interval_is_read_as_it_is_written(seconds: int) -> None:
    assert parse_interval(interval_text(seconds)) == seconds


@given(
    st.integers(SHORTEST_SECONDS, LONGEST_SECONDS),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
)
def test_the_next_time_of_an_interval_is_the_first_whole_step_that_is_later(
    every: int, seen: int, now: int
) -> None:
    before, after = (datetime.fromtimestamp(number, UTC) for number in (seen, now))
    found = following(When(every=every), after, before)
    assert found > after
    assert (found - before) % timedelta(seconds=every) == timedelta(0)
    assert found - timedelta(seconds=every) <= max(after, before)


# --- cron expressions -----------------------------------------------------------------------------------


def test_names_and_spellings_come_to_one_form() -> None:
    assert checked(When(cron=" @Daily ")).cron == "@daily"
    assert checked(When(cron=" 0  3\t* * MON-FRI ")).cron == "0 3 * * mon-fri"
    assert in_words(checked(When(cron="@daily"))) == "At 00:00 every day"
    assert in_words(When(every=129_600)) == "every 1d12h"


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("60 * * * *", "the minute '60'"),
        ("* 24 * * *", "the hour '24'"),
        ("* * 32 * *", "the day of month '32'"),
        ("* * * 13 *", "the month '13'"),
        ("* * * * 8", "the day of week '8'"),
        ("* * * * mon-foo", "the day of week 'mon-foo'"),
        ("*/0 * * * *", "the minute '*/0'"),
        ("5-1 * * * *", "the minute '5-1'"),
        ("* ² * * *", "the hour '\\xb2'"),
        ("* * * \x1b[2J *", "the month '\\x1b[2j'"),
        ("0 0 31 2 *", "none of its months has such a day"),
        ("0 0 30,31 2 *", "none of its months has such a day"),
        ("0 0 */30 2 1#5", "never matches"),
        ("* * * *", "it has 4 fields and not five"),
        ("* * * * * *", "it has 6 fields and not five"),
        ("@reboot", "unknown name '@reboot'"),
        ("1," * 5_000 + "1 * * * *", "too long"),
        ("0-" + "9" * 150 + " * * * *", "the minute"),
        ("", "an interval or a cron expression"),
    ],
)
def test_what_is_no_expression_is_refused_at_once_and_says_where(cron: str, said: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidInput) as refused:
        checked(When(cron=cron))
    assert said in str(refused.value)
    assert time.process_time() - began < 0.25
    assert len(str(refused.value)) < 600


@given(st.text(alphabet="0123456789*/,-#LW @monjan\n\x00", max_size=60))
def test_any_text_is_refused_or_has_a_time(text: str) -> None:
    try:
        when = checked(When(cron=text, zone=BERLIN))
    except InvalidInput:
        return
    now = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
    assert following(when, now) > now
    assert in_words(when)


@pytest.mark.parametrize(
    "zone", ["", "Europe", "../../etc/passwd", "/etc/passwd", "Nope/Nope", "a\x00b", "é" * 500]
)
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidInput, match="unknown time zone"):
        checked(When(cron="@daily", zone=zone))


# --- the change of the clock ------------------------------------------------------------------------------


def test_what_spring_leaves_out_runs_when_the_hour_is_over() -> None:
    found = times("30 2 * * *", "2026-03-28T12:00")
    assert found == ["03-29 03:00 +0200", "03-30 02:30 +0200", "03-31 02:30 +0200"]


def test_what_autumn_has_twice_runs_once() -> None:
    found = times("30 2 * * *", "2026-10-24T12:00")
    assert found == ["10-25 02:30 +0200", "10-26 02:30 +0100", "10-27 02:30 +0100"]


def test_what_runs_every_hour_runs_in_both_equal_hours() -> None:
    found = times("0 * * * *", "2026-10-24T23:30", 4)
    assert found == ["10-25 02:00 +0200", "10-25 02:00 +0100", "10-25 03:00 +0100", "10-25 04:00 +0100"]


def test_in_the_second_of_two_equal_hours_nothing_runs_that_ran_in_the_first() -> None:
    assert times("30 2 * * *", "2026-10-25T01:15", 1) == ["10-26 02:30 +0100"]


def test_the_hour_after_stays_where_the_clock_has_it() -> None:
    assert times("0 3 * * *", "2026-03-28T12:00", 2) == ["03-29 03:00 +0200", "03-30 03:00 +0200"]
    assert times("0 3 * * *", "2026-10-24T12:00", 2) == ["10-25 03:00 +0100", "10-26 03:00 +0100"]


def test_an_interval_counts_elapsed_time_and_not_the_clock() -> None:
    found = next_times(When(every=86_400, zone=BERLIN), at("2026-10-24T10:00"), 2)
    assert [f"{moment:%m-%d %H:%M %z}" for moment in found] == ["10-25 11:00 +0100", "10-26 11:00 +0100"]
