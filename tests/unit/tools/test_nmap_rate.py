"""No scan is faster than the ceiling."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_rate import under_ceiling


@pytest.mark.parametrize(
    ("options", "ceiling", "expected"),
    [
        ("-sS --max-rate 500", 0, "-sS --max-rate 500"),
        ("-sS -p 22", 100, "-sS -p22 --max-rate 100"),
        ("--max-rate 50 -sS", 100, "-sS --max-rate 50"),
        ("--max-rate 500 -sS", 100, "-sS --max-rate 100"),
        ("--min-rate 500 -sS", 100, "-sS --min-rate 100 --max-rate 100"),
        ("--min-rate 20 --max-rate 500 -sS", 100, "-sS --min-rate 20 --max-rate 100"),
    ],
)
def test_rates_are_capped(options: str, ceiling: int, expected: str) -> None:
    assert under_ceiling(parse_options(options), ceiling).line == expected


@given(st.integers(1, 100_000), st.integers(0, 100_000), st.integers(0, 100_000))
def test_whatever_was_asked_for(ceiling: int, low: int, high: int) -> None:
    assume(not high or low <= high)  # the grammar refuses that itself
    asked = (f"--min-rate {low} " if low else "") + (f"--max-rate {high} " if high else "")
    capped = under_ceiling(parse_options(f"-sS {asked}"), ceiling)
    assert 0 < int(capped.value("--max-rate")) <= ceiling
    assert int(capped.value("--min-rate") or 0) <= ceiling
    assert parse_options(capped.line) == capped, "the grammar takes what it gives"
