"""Which match is next while a search still runs: never one that a match not found yet would come before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.packet_find import Batch, FindIn, FindKind, FoundPackets, Match, Wanted
from netmon_tui.errors import InvalidInput

COUNT, BLOCK = 40, 8


def blocks(start: int) -> list[tuple[int, int]]:
    """Blocks in the order of a search: from the one with ``start`` to the last, then from the first."""
    every = [(first, min(first + BLOCK, COUNT + 1)) for first in range(1, COUNT + 1, BLOCK)]
    own = (start - 1) // BLOCK
    return every[own:] + every[:own]


@given(
    numbers=st.sets(st.integers(1, COUNT)),
    start=st.integers(1, COUNT),
    here=st.integers(0, COUNT),
    done=st.integers(0, 5),
)
def test_what_is_said_is_what_is_said_in_the_end(numbers: set[int], start: int, here: int, done: int) -> None:
    order = blocks(start)
    found = FoundPackets(order[0][0], COUNT)
    for first, after in order[:done]:
        found.add(Batch(first, after, [Match(n) for n in sorted(numbers) if first <= n < after]))
    ordered = sorted(numbers)
    expected_after = next((n for n in ordered if n > here), ordered[0] if ordered else None)
    expected_before = next((n for n in reversed(ordered) if n < here), ordered[-1] if ordered else None)
    after, before = found.after(here), found.before(here)
    assert after in {None, expected_after} and before in {None, expected_before}
    assert list(found.numbers) == [n for n in ordered if any(a <= n < b for a, b in order[:done])]
    if done == len(order):
        assert found.complete and found.part == 1.0
        assert (after, before) == (expected_after, expected_before)


def test_the_first_match_is_known_at_once() -> None:
    found = FoundPackets(9, COUNT)
    found.add(Batch(9, 17, [Match(11), Match(15)]))
    assert found.after(10) == 11 and found.after(8) == 11 and found.before(15) == 11
    assert found.after(15) is None and found.before(11) is None
    assert (found.place(15), found.place(12)) == (2, 0)


@pytest.mark.parametrize(
    "wanted",
    [Wanted(""), Wanted("x" * 501), Wanted("00", FindKind.HEX, FindIn.LIST)],
    ids=["nothing", "long", "hex in lines"],
)
def test_what_cannot_be_looked_for(wanted: Wanted) -> None:
    with pytest.raises(InvalidInput):
        wanted.check()
