"""Counts in words."""

from netmon_tui.domain.counted import counted


def test_one_is_one_and_all_others_are_many() -> None:
    assert [counted(count, "packet") for count in (0, 1, 2)] == ["0 packets", "1 packet", "2 packets"]
    assert counted(3000, "host", "3 000") == "3 000 hosts"
