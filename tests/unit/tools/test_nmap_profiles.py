"""Zenmap's profiles by name."""

from __future__ import annotations

import pytest

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_profiles import PROFILES, find_profile


def test_there_are_ten() -> None:
    assert len({profile.name for profile in PROFILES}) == 10
    assert all(profile.description.endswith(".") for profile in PROFILES)


def test_a_profile_is_found_whatever_its_case() -> None:
    assert find_profile(" quick SCAN ").arguments == "-T4 -F"
    assert find_profile("Regular scan").arguments == ""


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="'Quick scan plus'"):
        find_profile("quick scan pluss")
    with pytest.raises(InvalidInput, match="one of: Intense scan"):
        find_profile("\x1b[31m" + "x" * 10_000)
