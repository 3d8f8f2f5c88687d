"""Which statistics the installed tshark has, and the questions about captures that they answer.

The known ones come first, in their own order and words; whatever else it has of the same kinds is read like those.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from netmon_tui.domain.analysis import QUESTIONS, Question

_TAP = re.compile(r"\s+([a-z0-9_]+(?:,[a-z0-9_]+)?)\s*")
_KINDS = {"conv": ("conversations", "Conversations"), "endpoints": ("endpoints", "Endpoints")}
_STATISTICS = {"hierarchy": "io,phs", "io": "io,stat", "expert": "expert"}
_TREES = {
    "lengths": "plen",
    "http:requests": "http_req",
    "http:servers": "http_srv",
    "http:sequences": "http_seq",
    "ip:hosts": "ip_hosts",
    "ip:protocols": "ptype",
    "ip:destinations": "dests",
    "ip:directions": "ip_srcdst",
    "ipv6:hosts": "ipv6_hosts",
    "ipv6:protocols": "ipv6_ptype",
    "ipv6:destinations": "ipv6_dests",
    "ipv6:directions": "ipv6_srcdst",
}
"""tshark's names of trees that go by another here."""


def help_command(tshark: str) -> tuple[str, ...]:
    """Return the command that lists tshark's statistics."""
    return (tshark, "-z", "help")


def read_taps(output: str) -> frozenset[str]:
    """Return the names in what :func:`help_command` prints, such as ``conv,tcp``."""
    return frozenset(found[1] for line in output.split("\n") if (found := _TAP.fullmatch(line)))


def tap_of(question: str) -> str:
    """Return the statistic that a question is answered by; empty for the flow ladder, which is made of packets."""
    if question == "flow":
        return ""
    name, _, kind = question.partition(":")
    if name == "conversations":
        return f"conv,{kind}"
    if name == "endpoints":
        return f"endpoints,{kind}"
    if name == "srt":
        return f"{kind},srt"
    return _STATISTICS.get(question) or f"{_TREES.get(question, question)},tree"


def questions_of(taps: Collection[str]) -> tuple[Question, ...]:
    """Return the questions that such statistics answer, each group together."""
    known = [one for one in QUESTIONS if (tap := tap_of(one.name)) in taps or not tap]
    others = _others(sorted(set(taps) - {tap_of(one.name) for one in QUESTIONS}))
    groups = dict.fromkeys(one.group for one in QUESTIONS)
    return tuple(sorted([*known, *others], key=lambda one: list(groups).index(one.group)))


def _others(taps: Iterable[str]) -> Iterable[Question]:
    """Yield a question for each of those statistics whose output has a known form, under its own name."""
    for tap in taps:
        first, _, second = tap.partition(",")
        if first in _KINDS and second:
            name, group = _KINDS[first]
            yield Question(f"{name}:{second}", second, group)
        elif second == "srt":
            yield Question(f"srt:{first}", first, "Response times")
        elif second == "tree":
            yield Question(first, first, "Counts")
