"""Which scripts two scans both ran."""

from __future__ import annotations

import pytest

from netmon_tui.domain.nse import NseScript
from netmon_tui.tools.nmap_script_coverage import ScriptCoverage, common_scripts, script_choice

INSTALLED = (
    NseScript("http-title", ("default", "discovery", "safe")),
    NseScript("http-enum", ("discovery", "intrusive", "vuln")),
    NseScript("fingerprint-strings", ("version",)),
)


def coverage(command: str, *seen: str) -> ScriptCoverage:
    return ScriptCoverage(script_choice(command.split()), seen, INSTALLED)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("nmap -sS -p 80", ()),
        ("nmap -sC", ("http-title",)),
        ("nmap -sVC", ("http-title",)),
        ("nmap -A -T4", ("http-title",)),
        ("nmap -sV", ()),
        ("nmap --script http-enum", ("http-enum",)),
        ("nmap --script=http-*", ("http-title", "http-enum")),
        ("nmap -script=safe,vuln", ("http-title", "http-enum")),
        ("nmap --script /home/ada/own.nse", ()),
        ("nmap --script", ()),
    ],
)
def test_options_say_what_was_run(command: str, expected: tuple[str, ...]) -> None:
    names = [script.name for script in INSTALLED]
    assert {name for name in names if coverage(command).ran(name)} == set(expected)


def test_what_said_something_was_run() -> None:
    assert coverage("", "own").ran("own")
    assert not coverage("", "own").ran("http-title")


def test_the_same_options_run_the_same_also_when_nobody_knows_the_script() -> None:
    path = "nmap --script /home/ada/own.nse"
    assert common_scripts(coverage(path, "own"), coverage(path))("own")
    assert not common_scripts(coverage(path, "own"), coverage("nmap -sC"))("own")
    assert not common_scripts(coverage("nmap", "own"), coverage("nmap"))("own"), "no option runs it"
    assert common_scripts(coverage("nmap -sC"), coverage("nmap --script default"))("http-title")
    assert not common_scripts(coverage("nmap -sC"), coverage("nmap -sS", "ssh-hostkey"))("http-title")


def test_what_runs_beside_version_detection_is_comparable_with_the_same_options_alone() -> None:
    both = coverage("nmap -sV", "fingerprint-strings"), coverage("nmap -sV")
    assert common_scripts(*both)("fingerprint-strings")
    assert not common_scripts(both[0], coverage("nmap -sV -sC"))("fingerprint-strings")
