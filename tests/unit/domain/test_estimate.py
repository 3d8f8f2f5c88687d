"""What an estimate says in words: rounded, and never more than is known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.estimate import (
    EarlierRun,
    ScanEstimate,
    Span,
    extent_words,
    from_earlier,
    number_words,
    probes_words,
    rounded,
    span_words,
    time_words,
)

NOTHING = ScanEstimate(0, 0, (), Span(0, 0), Span(0, 0))
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "year": 365 * 86_400}


@pytest.mark.parametrize(
    ("lowest", "highest", "words"),
    [
        (0, 0, "a few seconds at most"), (0, 2, "a few seconds at most"), (0.4, 7.2, "up to 8 seconds"),
        (125, 500, "about 2 to 9 minutes"), (12, 170, "10 seconds to 3 minutes"),
        (60, 90, "60 seconds to 2 minutes"),
        (7_000, 7_200, "about 1 to 2 hours"), (21_600, 21_600, "about 6 hours"), (1.2, 5.5, "about 1 to 6 seconds"),
        (3_600 * 50, 3_600 * 24 * 9, "about 2 to 9 days"), (5_400, 86_400 * 700, "1 hour to 2 years"),
    ],
)  # fmt: skip
def test_times(lowest: float, highest: float, words: str) -> None:
    assert span_words(Span(lowest, highest)) == words


@given(st.floats(1, 1e12), st.floats(1, 1e12))
def test_the_words_of_a_time_hold_what_they_round(one: float, other: float) -> None:
    """What is said can be read back, and the range lies within."""
    span = Span(min(one, other), max(one, other, 3.0))
    words = span_words(span).removeprefix("about ").removeprefix("up to ").split(" to ")
    name = words[-1].split()[-1].removesuffix("s")
    ends = [word if word[-1].isalpha() else f"{word} {name}" for word in words]
    values = [
        float(end.rpartition(" ")[0].replace(",", "")) * _SECONDS[end.rpartition(" ")[2].removesuffix("s")]
        for end in ends
    ]
    assert values[0] <= span.lowest * 1.001 and span.highest <= values[-1] * 1.001


@pytest.mark.parametrize(
    ("addresses", "names", "ports", "words"),
    [
        (1, 0, (("tcp", 1_000),), "1 address; 1,000 TCP ports"),
        (
            254,
            2,
            (("tcp", 100), ("udp", 1)),
            "254 addresses, 2 host names (each counts as one); 100 TCP and 1 UDP port each",
        ),
        (0, 1, (), "1 host name (counts as one); no ports"),
        (0, 0, (("ip", 256),), "0 addresses; 256 IP protocols"),
        (2**128, 0, (), "about 3.4e38 addresses; no ports"),
    ],
)
def test_how_much(addresses: int, names: int, ports: tuple[tuple[str, int], ...], words: str) -> None:
    assert extent_words(ScanEstimate(addresses, names, ports, Span(0, 0), Span(0, 0))) == words


def test_probes_and_what_has_no_end() -> None:
    probes = ScanEstimate(1, 0, (), Span(255, 281_600), Span(3, 150), open_ended="scripts")
    assert probes_words(probes) == "250 to 290,000 probes"
    assert time_words(probes) == "3 seconds to 3 minutes, with scripts perhaps longer"
    assert probes_words(NOTHING) == "no probes"


@given(st.integers(0, 2**140), st.integers(0, 2**140))
def test_rounding_widens_a_range(one: int, other: int) -> None:
    span = Span(min(one, other), max(one, other))
    wide = rounded(span)
    assert wide.lowest <= span.lowest <= span.highest <= wide.highest
    assert wide.highest <= span.highest * 1.1 + 1 and wide.lowest >= math.floor(span.lowest * 0.9)
    assert number_words(wide.highest)


def test_runs_of_the_same_targets_say_more_than_others() -> None:
    own = EarlierRun(60.0, 256, same_targets=True)
    other = EarlierRun(600.0, 256, same_targets=False)
    span, count = from_earlier([other, own, own], 256)
    assert count == 2
    assert 30 < span.lowest <= 60 <= span.highest < 120
    wider, count = from_earlier([other], 256)
    assert count == 1
    assert wider.highest / wider.lowest > span.highest / span.lowest


def test_more_addresses_take_at_most_as_much_longer() -> None:
    run = EarlierRun(60.0, 256, same_targets=False)
    more, fewer = from_earlier([run], 512)[0], from_earlier([run], 64)[0]
    assert more.lowest < 60 < 120 < more.highest
    assert fewer.lowest < 15 < 60 < fewer.highest
