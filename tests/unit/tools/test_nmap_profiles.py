"""Zenmap's profiles, and which profile a name means."""

from __future__ import annotations

import pytest

from netmon_tui.domain.owned import find_named
from netmon_tui.domain.profile import Profile
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_profiles import PROFILES, is_built_in_name

ADA = Actor(1, "ada", Role.OPERATOR)
USABLE = (
    *PROFILES,
    Profile("Büro", "-sT", "", 1, 1, "ada", False),
    Profile("Night", "-sn", "", 2, 1, "ada", False),
    Profile("night", "-sL", "", 3, 2, "bo", True),
    Profile("Sweep", "-F", "", 4, 2, "bo", True),
    Profile("Twice", "-sU", "", 5, 2, "bo", True),
    Profile("TWICE", "-sS", "", 6, 3, "cy", True),
)


def found(reference: str) -> str:
    return find_named(reference, USABLE, ADA, "profile").arguments


def test_there_are_ten() -> None:
    assert len({profile.name for profile in PROFILES}) == 10
    assert all(profile.description.endswith(".") for profile in PROFILES)


def test_a_profile_is_found_whatever_its_case() -> None:
    assert found(" quick SCAN ") == "-T4 -F"
    assert found("Regular scan") == ""
    assert found("BÜRO") == found("Bu\u0308ro") == "-sT"
    assert is_built_in_name(" PING scan")
    assert not is_built_in_name("Büro")


def test_ones_own_come_before_those_of_others() -> None:
    assert found("night") == "-sn"
    assert found("bo/NIGHT") == "-sL"
    assert found("sweep") == found("bo/Sweep") == "-F"


def test_a_name_that_several_share_needs_its_owner() -> None:
    with pytest.raises(InvalidInput, match="one of: bo/Twice, cy/TWICE"):
        found("twice")
    assert found("cy/twice") == "-sS"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="'Quick scan plus'"):
        found("quick scan pluss")
    with pytest.raises(InvalidInput, match="one of: Intense scan"):
        found("\x1b[31m" + "x" * 10_000)
    with pytest.raises(InvalidInput, match="no profile 'cy/Night'"):
        found("cy/Night")
