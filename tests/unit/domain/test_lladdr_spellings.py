"""The ways in which switches and systems write a MAC address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.address import normalise_lladdr

NORMAL = "b8:27:eb:02:34:0f"
SPELLINGS = [
    "b8:27:eb:02:34:0f",
    "B8-27-EB-02-34-0F",
    "b8 27 eb 02 34 0f",
    "b8:27:eb:2:34:f",
    "b827.eb02.340f",
    "b827-eb02-340f",
    "b827eb-02340f",
    "b827eb02340f",
    " B827EB02340F ",
]
NONE = [
    "",
    "b8:27:eb:02:34",
    "b8:27-eb:02:34:0f",
    "b827.eb02-340f",
    "b8-27-eb-2-34-f",
    "b827eb02340g",
    "1::2",
    "b8  27",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_common_spellings_mean_the_same(text: str) -> None:
    assert normalise_lladdr(text) == NORMAL


@pytest.mark.parametrize("text", NONE)
def test_what_is_none_is_refused(text: str) -> None:
    assert normalise_lladdr(text) is None


@given(st.text(alphabet="0123456789abcdef:-. ", max_size=20))
def test_what_is_read_is_in_normal_form(text: str) -> None:
    found = normalise_lladdr(text)
    assert found is None or (normalise_lladdr(found) == found and len(found) == 17)
