"""What ``--script`` takes: names, categories, ``*`` and boolean expressions, never a path.

The grammar is that of ``nse_main.lua``: a comma always separates two rules, and ``and`` and ``or`` have no
order of precedence: what stands to the right of either belongs together (``a and b or c`` is ``a and (b or c)``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from netmon_tui.domain.nse import ALL, CATEGORIES, NseScript
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_targets import shown

LONGEST = 1_024
"""Characters of a value of ``--script``."""
DEEPEST = 16
"""Brackets within brackets."""
_PIECE = re.compile(r"[()]|[^\s()]+")
_WORD = re.compile(r"[a-z0-9*][a-z0-9_.*-]{0,63}")
_KEYWORDS = frozenset({"and", "or", "not", "true", "false"})


class Rule(NamedTuple):
    """One rule of a value."""

    text: str
    """Canonical."""
    words: tuple[str, ...]
    """Names, patterns and categories in it."""
    selects: Callable[[NseScript], bool]


def script_rules(value: str) -> tuple[Rule, ...]:
    """Read a value of ``--script``; whether there are such scripts is another matter.

    Raises:
        InvalidInput: It is no list of rules, or names a path.
    """
    if len(value) > LONGEST:
        raise InvalidInput(f"a choice of scripts has at most {LONGEST:,} characters, not {len(value):,}")
    value = value.lower()
    if "/" in value or "\\" in value or re.search(r"\.nse\b", value):
        raise InvalidInput("it runs a path: only names of scripts that came with nmap")
    rules = tuple(_Reader(part).whole() for part in value.split(","))
    if len({rule.text for rule in rules}) != len(rules):
        raise InvalidInput("a script is named twice")
    return rules


def scripts(value: str) -> str:
    """Return the canonical form of a value of ``--script``; raises as :func:`script_rules`."""
    return ",".join(rule.text for rule in script_rules(value))


class _Reader:
    """Reads one rule."""

    def __init__(self, text: str) -> None:
        self._pieces = _PIECE.findall(text.lower())
        self._at = 0

    def whole(self) -> Rule:
        """Return the rule; raises InvalidInput."""
        rule = self._expression(0)
        if self._at < len(self._pieces):
            raise InvalidInput(f"{shown(self._pieces[self._at])} has no place in the expression")
        return rule

    def _next(self) -> str:
        piece = self._pieces[self._at] if self._at < len(self._pieces) else ""
        self._at += 1
        return piece

    def _expression(self, depth: int) -> Rule:
        left = self._value(depth)
        if self._pieces[self._at : self._at + 1] not in (["and"], ["or"]):
            return left
        word = self._next()
        right = self._expression(depth)
        both = all if word == "and" else any
        return Rule(
            f"{left.text} {word} {right.text}",
            left.words + right.words,
            lambda script: both((left.selects(script), right.selects(script))),
        )

    def _value(self, depth: int) -> Rule:
        if depth > DEEPEST:
            raise InvalidInput("the expression is too deep", why=f"at most {DEEPEST} brackets")
        piece = self._next()
        if piece == "not":
            inner = self._value(depth + 1)
            return Rule(f"not {inner.text}", inner.words, lambda script: not inner.selects(script))
        if piece == "(":
            inner = self._expression(depth + 1)
            if self._next() != ")":
                raise InvalidInput("a bracket of the expression is not closed")
            return inner._replace(text=f"({inner.text})")
        if not _WORD.fullmatch(piece) or piece in _KEYWORDS:
            raise InvalidInput(
                f"{shown(piece)} is not the name of a script or category",
                fix="write names, categories, * and expressions such as 'default and not http-*'",
            )
        return Rule(piece, (piece,), lambda script: _fits(piece, script))


def _fits(word: str, script: NseScript) -> bool:
    """Whether a word names a script, as nmap decides: a category first, then the name with ``*``."""
    if word == ALL or word in script.categories:
        return True
    pattern = ".*".join(map(re.escape, word.split("*")))
    return re.fullmatch(pattern, script.name) is not None


def chosen_scripts(value: str, installed: Sequence[NseScript]) -> tuple[NseScript, ...]:
    """Return what a value of ``--script`` chooses of the installed scripts.

    Raises:
        InvalidInput: A word names nothing that is installed (nmap would look for a file of that name), or a
            rule chooses nothing.
    """
    rules = script_rules(value)
    for rule in rules:
        for word in rule.words:
            if not any(_fits(word, script) for script in installed):
                raise InvalidInput(
                    f"--script: no script or category {shown(word)} is installed",
                    fix=_nearest(word, installed),
                )
        if not any(map(rule.selects, installed)):
            raise InvalidInput(f"--script: {shown(rule.text)} chooses no script")
    return tuple(script for script in installed if any(rule.selects(script) for rule in rules))


def _nearest(word: str, installed: Sequence[NseScript]) -> str:
    known = [*CATEGORIES, *(script.name for script in installed)]
    near = difflib.get_close_matches(word.replace("*", ""), known, 3, 0.5)
    near += [name for name in known if word.strip("*") in name and name not in near][: 3 - len(near)]
    return f"perhaps {' or '.join(near)}" if near else "netmon-tui scan scripts lists them"


# choosing from a list


def plain_words(value: str) -> Iterator[str]:
    """Yield the rules of a value that are a name or a category and no more."""
    return (part.strip() for part in value.split(",") if _WORD.fullmatch(part.strip()))


def with_word(value: str, word: str, *, wanted: bool) -> str:
    """Return the value with a name or category added at the end or taken out; other rules stay as they are."""
    parts = [part for part in value.split(",") if part.strip() and part.strip() != word]
    return ",".join([*parts, word] if wanted else parts)
