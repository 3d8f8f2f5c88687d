"""Which scripts a scan ran, as far as its options and its results tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import NamedTuple

from netmon_tui.domain.nse import NseScript
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_script_rules import Rule, script_rules

_SHORT = re.compile(r"-s[a-zA-Z]+")


class ScriptChoice(NamedTuple):
    """The options that choose scripts."""

    categories: frozenset[str] = frozenset()
    """``default`` by -sC and -A, ``version`` by -sV and -A."""
    values: tuple[str, ...] = ()
    """Of ``--script``."""
    arguments: tuple[str, ...] = ()
    """Of ``--script-args``: what the chosen scripts are told."""


def script_choice(command: Sequence[str]) -> ScriptChoice:
    """Return what a command line of nmap, ours or another's, says about scripts."""
    categories: set[str] = set()
    values: list[str] = []
    arguments: list[str] = []
    kept = {"script": values, "script-args": arguments}
    words = iter(command)
    for word in words:
        if word == "-A":
            categories |= {"default", "version"}
        elif _SHORT.fullmatch(word):
            categories |= {name for letter, name in (("C", "default"), ("V", "version")) if letter in word}
        else:
            name, equals, value = word.lstrip("-").partition("=")
            if word.startswith("-") and name in kept:
                kept[name].append(value if equals else next(words, ""))
    return ScriptChoice(frozenset(categories), tuple(values), tuple(arguments))


class ScriptCoverage:
    """The scripts that a scan surely ran wherever they fit.

    Args:
        choice: What its options say; all empty when they are not known.
        seen: Names of the scripts that said something anywhere in it.
        installed: For the categories of scripts; what is not among them is known by its name alone.
    """

    def __init__(
        self, choice: ScriptChoice, seen: Collection[str], installed: Sequence[NseScript] = ()
    ) -> None:
        self.choice = choice
        self.seen = frozenset(seen)
        self._installed = {script.name: script for script in installed}
        self._rules = [rule for value in choice.values for rule in _rules(value)]

    def ran(self, name: str) -> bool:
        """Whether it ran a script."""
        if name in self.seen:
            return True
        script = self._installed.get(name) or NseScript(name, ())
        # not by -sV: what that runs beside finds a version, and keeps silent where one is known
        by_default = "default" in self.choice.categories and "default" in script.categories
        return by_default or any(rule.selects(script) for rule in self._rules)


def _rules(value: str) -> tuple[Rule, ...]:
    """Return the rules of a value; none of one that cannot be read, as of a path in another's command."""
    try:
        return script_rules(value)
    except InvalidInput:
        return ()


def common_scripts(a: ScriptCoverage, b: ScriptCoverage) -> Callable[[str], bool]:
    """Return whether both scans ran a script, which the same options say even of a script that nobody knows."""
    same = a.choice[:2] == b.choice[:2] and any(a.choice[:2])
    either = a.seen | b.seen

    @cache
    def ran(name: str) -> bool:
        return (same and name in either) or (a.ran(name) and b.ran(name))

    return ran
