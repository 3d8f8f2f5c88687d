"""Sizes in words."""

import pytest

from netmon_tui.domain.byte_count import byte_count


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1_023, "1023 bytes"),
        (1_024, "1.0 KiB"),
        (36_864, "36.0 KiB"),
        (1 << 20, "1.0 MiB"),
        (3 << 30, "3,072.0 MiB"),
    ],
)
def test_a_size_keeps_the_digits_that_matter(count, words):
    assert byte_count(count) == words
