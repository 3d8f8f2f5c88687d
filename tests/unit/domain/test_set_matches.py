"""The packets of several files that meet a filter, as one list."""

from pathlib import Path

import pytest

from netmon_tui.domain import set_matches
from netmon_tui.domain.set_matches import SetMatch, SetMatches

A, B, C = (Path(f"capture-00000{number}.pcap") for number in (5, 6, 7))


def test_places_count_through_the_files() -> None:
    found = SetMatches()
    for path, numbers in ((A, [2, 5]), (A, [9]), (B, []), (C, [1, 4])):
        found.add(path, numbers)
    listed = [(path, number) for path, numbers in found.part(0, 99) for number in numbers]
    assert listed == [(A, 2), (A, 5), (A, 9), (C, 1), (C, 4)]
    assert (len(found), found.files) == (5, 2)
    for start in range(6):
        for stop in range(start, 7):
            part = [(path, number) for path, numbers in found.part(start, stop) for number in numbers]
            assert part == listed[start:stop]
    for place, (path, number) in enumerate(listed):
        assert found.place(SetMatch(path.name, number)) == place
    assert found.place(SetMatch(A.name, 3)) is found.place(SetMatch(B.name, 1)) is None


def test_no_more_are_kept_than_memory_is_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_matches, "MOST_MATCHES", 3)
    found = SetMatches()
    for path in (A, B, C):
        found.add(path, [1, 2])
    assert (len(found), found.files) == (3, 2)
