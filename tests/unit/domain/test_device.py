"""Which address a device is spoken to at, when it was present, and what two states of marks differ in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from netmon_tui.domain.device import (
    DeviceMarks,
    MarksChange,
    Presence,
    SeenAt,
    differing_marks,
    main_address,
    presence_shares,
)
from netmon_tui.ui.widgets.presence_line import blocks, presence_line

NOON = datetime(2026, 3, 13, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def seen(address: str, hours_ago: float) -> SeenAt:
    return SeenAt("eth0", address, NOON - hours_ago * HOUR)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], None),
        ([seen("fe80::1", 0), seen("2001:db8::1", 0.1), seen("10.0.0.1", 0.9)], "10.0.0.1"),
        ([seen("fe80::1", 0), seen("2001:db8::1", 0.1), seen("10.0.0.1", 1.1)], "2001:db8::1"),
        ([seen("10.0.0.9", 0.5), seen("10.0.0.1", 0)], "10.0.0.1"),
        ([seen("fe80::1", 0)], "fe80::1"),
    ],
)
def test_the_address_to_speak_to_it_at(places: list[SeenAt], expected: str | None) -> None:
    found = main_address(places)
    assert (found and found.address) == expected


def during(start: float, end: float) -> Presence:
    return Presence("eth0", "10.0.0.1", "", NOON + start * HOUR, NOON + end * HOUR)


def test_shares_of_hours() -> None:
    times = [during(-1, 0.5), during(0.25, 0.75), during(2, 3), during(9, 10)]
    assert presence_shares(times, NOON, NOON + 4 * HOUR, 4) == pytest.approx((0.75, 0, 1, 1 / 3600))
    assert presence_shares([], NOON, NOON + HOUR, 2) == (0, 0)
    moment = presence_shares([during(0.5, 0.5)], NOON, NOON + HOUR, 1)
    assert 0 < moment[0] < 0.01, "what was seen once was there"


def test_blocks() -> None:
    shares = (0, 0.001, 0.5, 1)
    assert blocks(shares) == "·▁▄█"
    assert blocks(shares, ascii_only=True) == ".-=#"
    line = presence_line([during(-2, 0)], NOON)
    assert line == f"24 h [{'·' * 22}██]   7 days [{'·' * 27}▃]"


def test_changes_leave_alone_what_they_do_not_say() -> None:
    marks = DeviceMarks("aa", "gw", "note", known=True)
    assert MarksChange(note="").of(marks) == DeviceMarks("aa", "gw", "", known=True)
    other = {"aa": MarksChange("x").of(marks), "cc": marks}
    assert differing_marks({"aa": marks, "bb": marks, "cc": marks}, other) == {"aa", "bb"}
    assert differing_marks(other, other) == frozenset()
