"""The form of switches and the line of options: two views that never disagree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon_tui.domain.switches import ON, SwitchKind
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import parse_options, read_options
from netmon_tui.tools.nmap_options import ALLOWED
from netmon_tui.tools.nmap_profiles import PROFILES
from netmon_tui.tools.nmap_switches import SWITCHES, switches_of, with_switch

SAMPLES = {
    "--dns-servers": "192.0.2.53",
    "--exclude": "192.0.2.9",
    "--port-ratio": "0.5",
    "-e": "eth0",
    "--script": "banner,not http-*",
    "--script-args": "unsafe=1",
    "-p": "T:22,U:53",
}


def values_of(key: str) -> list[str]:
    """Values that a switch may be given, without the empty one."""
    switch = next(one for one in SWITCHES if one.key == key)
    if switch.kind is SwitchKind.CHOICE:
        return [value for _, value in switch.choices if value]
    if switch.kind is SwitchKind.MARK:
        return [ON]
    sample = SAMPLES.get(key, "5s" if "time" in key or "delay" in key else "5")
    return [sample, ON] if switch.kind is SwitchKind.OPTIONAL else [sample]


KEYS = st.sampled_from([switch.key for switch in SWITCHES])
SET = KEYS.flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(values_of(key))))


def line_of(changes: list[tuple[str, str]]) -> str:
    line = ""
    for key, value in changes:
        line = with_switch(line, key, value)
    return line


def test_every_option_that_may_be_used_has_a_switch() -> None:
    shown = {
        setting.name
        for switch in SWITCHES
        for value in values_of(switch.key)
        for setting in read_options(with_switch("", switch.key, value)).settings
    }
    assert shown == ALLOWED.keys()
    assert len({switch.key for switch in SWITCHES}) == len(SWITCHES)


@given(st.lists(SET, max_size=12))
@settings(deadline=None)
def test_the_line_of_the_switches_of_a_line_is_the_line(changes: list[tuple[str, str]]) -> None:
    line = line_of(changes)
    values = switches_of(line)
    for key, value in values.items():
        assert with_switch(line, key, value) == line
    again = line_of([(key, value) for key, value in values.items() if value])
    assert switches_of(again) == values
    assert sorted(read_options(again).settings) == sorted(read_options(line).settings)


@given(st.lists(SET, max_size=12), SET)
@settings(deadline=None)
def test_setting_and_unsetting_a_switch_gives_the_line_back(
    changes: list[tuple[str, str]], change: tuple[str, str]
) -> None:
    line, (key, value) = line_of(changes), change
    before = switches_of(line)[key]
    there = with_switch(line, key, value)
    assert switches_of(there)[key] == value
    assert with_switch(there, key, before) == line
    others = {name: one for name, one in switches_of(line).items() if name != key}
    assert others.items() <= switches_of(there).items()


@given(st.lists(SET, min_size=1, max_size=8), st.data())
@settings(deadline=None)
def test_a_switch_leaves_the_others_where_they_stand(
    changes: list[tuple[str, str]], data: st.DataObject
) -> None:
    line, key = line_of(changes), data.draw(st.sampled_from(changes))[0]
    kept = read_options(with_switch(line, key, "")).settings
    assert [one for one in read_options(line).settings if one in kept] == list(kept)
    assert len(read_options(line).settings) == len(kept) + 1


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_the_profiles_have_switches(profile: object) -> None:
    line = parse_options(profile.arguments).line  # type: ignore[attr-defined]
    values = {key: value for key, value in switches_of(line).items() if value}
    assert sorted(line_of(list(values.items())).split()) == sorted(line.split())


def test_switches_say_what_is_set() -> None:
    values = switches_of("-sS -p 22 -PS -PA80 --version-intensity 3 --script 'not safe'")
    assert {key: value for key, value in values.items() if value} == {
        "-sS": "-sS",
        "-p": "22",
        "-PS": ON,
        "-PA": "80",
        "--version-light": "--version-intensity 3",
        "--script": "not safe",
    }
    assert with_switch("-sS -T4 -n", "-T0", "-T2") == "-sS -T2 -n"
    assert with_switch("-p 22 -n", "-F", ON) == "-p22 -n -F"


@pytest.mark.parametrize(("key", "value"), [("-p", "x"), ("--script", "/tmp/x"), ("-e", "a b")])
def test_a_wrong_value_is_refused(key: str, value: str) -> None:
    with pytest.raises(InvalidInput):
        with_switch("-sS", key, value)
    with pytest.raises(InvalidInput):
        switches_of("-sS -oN x")
