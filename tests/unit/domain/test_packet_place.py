from datetime import datetime

import pytest

from netmon_tui.domain.packet_place import Place, Span, parse_place
from netmon_tui.errors import InvalidInput

SECOND = 1_000_000_000


def at(text):
    """The POSIX time of a local one, in nanoseconds."""
    return int(datetime.fromisoformat(text).astimezone().timestamp()) * SECOND


# a file from 23:50 until 14:10 of the next day, looked at in its middle
SPAN = Span(1000, at("2026-11-22 23:50:00"), at("2026-11-23 14:10:00"), 500, at("2026-11-23 07:00:00"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1), (" 12 ", 12), ("#12", 12), ("1 000", 1000), ("1,000", 1000), ("1_0", 10), ("5000", 1000),
        ("50%", 500), ("0%", 1), ("100 %", 1000), ("250%", 1000), ("99.95%", 1000), ("0.2%", 2),
        ("+10", 510), ("- 10", 490), ("+9999", 1000), ("-500", 1), ("-501", 1),
    ],
)  # fmt: skip
def test_numbers_parts_and_steps(text, number):
    assert parse_place(text, SPAN) == Place(number=number)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("+10s", SPAN.now + 10 * SECOND), ("-1m", SPAN.now - 60 * SECOND), ("+1.5h", SPAN.now + 5400 * SECOND),
        ("+500ms", SPAN.now + SECOND // 2), ("+1d", SPAN.now + 86400 * SECOND), ("-250us", SPAN.now - 250_000),
        ("+0.000000001s", SPAN.now + 1), ("+7ns", SPAN.now + 7),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_offsets_count_from_the_cursor(text, time):
    assert parse_place(text, SPAN) == Place(nanoseconds=time)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("23:55", at("2026-11-22 23:55:00")),
        ("00:10:01", at("2026-11-23 00:10:01")),
        ("7:00:00.25", at("2026-11-23 07:00:00") + SECOND // 4),
        ("14:03:05.000000001", at("2026-11-23 14:03:05") + 1),
        ("14:30", at("2026-11-22 14:30:00")),  # never in the file: the day of the first packet
        ("2026-11-23 14:03:05.5", at("2026-11-23 14:03:05") + SECOND // 2),
        ("2026-11-23T14:03:05.123456789", at("2026-11-23 14:03:05") + 123456789),
        ("2026-11-23T14:03:05Z", at("2026-11-23 14:03:05+00:00")),
        ("2026-11-23", at("2026-11-23 00:00:00")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_times_are_local_and_those_without_a_date_the_first_in_the_file(text, time):
    assert parse_place(text, SPAN) == Place(nanoseconds=time)


@pytest.mark.parametrize(
    "text",
    ["", "0", "here", "25:00", "14:61", "+", "5s", "+5x", "12a", "50%%", "-", "2026-13-01", "+1.s"],
)  # fmt: skip
def test_what_is_no_place_is_refused_with_all_that_can_be_typed(text):
    with pytest.raises(InvalidInput, match="no place") as refused:
        parse_place(text, SPAN)
    assert "50%" in refused.value.fix
