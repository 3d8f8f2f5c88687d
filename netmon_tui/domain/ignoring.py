"""Noise in comparisons: which changes somebody does not want to be told of, and how they are left out.

A host that came or went is left out by nothing but a rule that says ``host``, of one address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from netmon_tui.domain.comparison import (
    HOST,
    UNANSWERED,
    Change,
    ChangeLine,
    Comparison,
    HostChange,
    Kind,
    lines_of,
)
from netmon_tui.domain.user import Actor, Permission

BUILT_IN_OWNER = "built in"
LONGEST_NOTE = 200
_PLACELESS = {Kind.SERVICE, Kind.STATE, Kind.SCRIPT}
"""Kinds that may be ignored on every port of every host: no port opens or closes by them."""


class IgnorePattern(NamedTuple):
    """Which lines a rule is about; what is empty does not matter."""

    address: str = ""
    subject: str = ""
    """As on a line: ``host``, ``443/tcp``, ``lladdr``, ``hostname``, ``address`` or ``os``."""
    kind: Kind | None = None
    """None for every change of the subject but a service that moved to it from another port."""
    service: str = ""
    """Name of the service, the same in both scans."""
    unanswered: bool = False
    """Whether only ports that one scan got no answer from, and that are not open now."""
    script: str = ""
    """Only what this script says; goes with no kind but ``script``."""

    @property
    def problem(self) -> str:
        """Why there can be no such rule; empty when there can."""
        if self.script and (self.kind is not Kind.SCRIPT or self.service or self.unanswered):
            return "a script says something else: nothing but the host and the port can be said of that"
        if self.kind is Kind.SCRIPT and self.subject and "/" not in self.subject:
            return "a script is about a port, or about the host as a whole: name a port or none"
        if self.subject == HOST:
            if not self.address:
                return "no host that goes would be told of any more: name one address"
            is_right = self.kind in (None, Kind.CAME, Kind.WENT) and not (self.service or self.unanswered)
            return "" if is_right else "a host comes or goes: nothing else can be said of it"
        if self.kind in (Kind.CAME, Kind.WENT):
            return f"only a host has {self.kind}"
        if not (self.address or self.subject or self.unanswered or self.kind in _PLACELESS):
            return "it would hide too much: name an address or a port"
        return ""

    def matches(self, line: ChangeLine) -> bool:
        """Whether a line is left out by it."""
        if (line.subject == HOST) != (self.subject == HOST):
            return False
        wrong_place = (self.address and self.address != line.address) or (
            self.subject and self.subject != line.subject
        )
        if wrong_place or (self.service and self.service != line.service):
            return False
        if self.script and (line.script is None or self.script != line.script.script):
            return False
        if self.unanswered and not (line.unanswered and line.subject.endswith("/udp")):
            return False
        return line.kind is not Kind.MOVED if self.kind is None else self.kind is line.kind

    def __str__(self) -> str:
        """``443/tcp opened on 10.0.0.5``."""
        return f"{self._what} {f'on {self.address}' if self.address else 'on every host'}"

    @property
    def _what(self) -> str:
        if self.subject == HOST:
            return f"host {self.kind or 'coming or going'}"
        if self.unanswered:
            but = "and never open" if self.kind is Kind.STATE else "unless they open"
            return f"{self.subject or 'UDP ports'} {UNANSWERED} {but}"
        service = f" of service {self.service}" if self.service else ""
        if self.kind is Kind.SCRIPT:
            port = f" on {self.subject}" if self.subject else ""
            return f"{self.script or 'what scripts say'}{port}"
        if not self.subject and self.kind is None:
            return f"every change{service}"
        if self.kind is Kind.SERVICE:
            port = f" on {self.subject}" if self.subject else ""
            return f"version changes{service}{port}"
        if self.kind is None or self.kind is Kind.FACT:
            return f"{self.subject or 'other facts'}{service}, any change"
        words = {Kind.STATE: "in another state, not open", Kind.MOVED: "taken by a service that moved"}
        return f"{self.subject or 'ports'}{service} {words.get(self.kind, self.kind)}"


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """A pattern with who keeps it and why."""

    pattern: IgnorePattern
    note: str = ""
    id: int | None = None
    """None for a built-in one."""
    owner_id: int | None = None
    owner: str = BUILT_IN_OWNER
    everybody: bool = True
    """Whether it holds for everybody and not for its owner alone."""
    created: datetime | None = None
    name: str = ""
    """Of a built-in one."""
    on: bool = True
    """Whether it holds for who asked; only a built-in one can be switched off."""

    @property
    def reference(self) -> str:
        """What names it: its number, or the name of a built-in one."""
        return str(self.id) if self.id is not None else self.name

    @property
    def is_built_in(self) -> bool:
        """Whether it came with the program."""
        return self.id is None

    def is_deleted_by(self, actor: Actor) -> bool:
        """Whether this user may delete it: its owner, or an administrator; nobody can delete a built-in one."""
        mine = self.owner_id == actor.user_id or actor.may(Permission.SEE_ALL)
        return not self.is_built_in and mine and actor.may(Permission.SCAN)


BUILT_IN = (
    IgnoreRule(
        IgnorePattern(kind=Kind.STATE, unanswered=True),
        name="udp-no-answer",
        note="A closed UDP port whose ICMP answer came once and not the next time; no open port is concerned.",
    ),
)
"""Only what is noise by nature: no port opens or closes by it."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """A comparison in two parts."""

    whole: Comparison
    kept: Comparison
    ignored: Comparison
    """The rest, in the same order."""
    rules: tuple[IgnoreRule, ...] = ()
    """Those that left something out."""

    @property
    def count(self) -> int:
        """How many lines are left out."""
        return sum(self.ignored.counts)

    def __str__(self) -> str:
        """``3 ignored by 2 rules``; empty when nothing is."""
        if not self.rules:
            return ""
        return f"{self.count} ignored by {len(self.rules)} rule{'' if len(self.rules) == 1 else 's'}"


def sift(comparison: Comparison, rules: Iterable[IgnoreRule]) -> Sifted:
    """Leave out of a comparison what the rules that are on say."""
    book = _Book(rules)
    kept: list[HostChange] = []
    ignored: list[HostChange] = []
    for host in comparison.hosts:
        left_out = [book.leaves_out(line) for line in lines_of(host)]
        if any(left_out):
            ignored.append(_part(host, left_out))
        if not all(left_out):
            kept.append(_part(host, [not out for out in left_out]))
    return Sifted(
        comparison,
        replace(comparison, hosts=tuple(kept)),
        replace(comparison, hosts=tuple(ignored), notes=()),
        tuple(book.used.values()),
    )


class _Book:
    """Rules by what they are about, so that a line is held against few of them."""

    def __init__(self, rules: Iterable[IgnoreRule]) -> None:
        self.used: dict[str, IgnoreRule] = {}
        self._by_place: dict[tuple[str, str], list[IgnoreRule]] = {}
        for rule in rules:
            if rule.on:
                self._by_place.setdefault(rule.pattern[:2], []).append(rule)

    def leaves_out(self, line: ChangeLine) -> bool:
        """Whether a rule is about a line; the first one that is counts as used."""
        for address in ("", line.address):
            for subject in ("", line.subject):
                for rule in self._by_place.get((address, subject), ()):
                    if rule.pattern.matches(line):
                        self.used[rule.reference] = rule
                        return True
        return False


def _part(host: HostChange, wanted: list[bool]) -> HostChange:
    """Return the wanted lines of a host, in the order of ``lines_of``."""
    if host.change is not Change.CHANGED or all(wanted):
        return host
    keep = iter(wanted)
    return replace(
        host,
        facts=tuple(fact for fact in host.facts if next(keep)),
        ports=tuple(port for port in host.ports if next(keep)),
        scripts=tuple(one for one in host.scripts if next(keep)),
    )


def patterns_for(line: ChangeLine) -> Iterator[IgnorePattern]:
    """Yield the patterns that leave a line out and make sense, the narrowest first."""
    if line.script is not None:
        yield from _script_patterns(line, line.script.script)
        return
    kind = None if line.kind is Kind.FACT else line.kind
    yield IgnorePattern(line.address, line.subject, kind)
    if line.subject == HOST:
        yield IgnorePattern(line.address, HOST)
        return
    if line.kind is Kind.MOVED:
        return
    if kind is not None:
        yield IgnorePattern(line.address, line.subject)
    yield IgnorePattern(subject=line.subject)
    if line.kind is Kind.SERVICE and line.service:
        yield IgnorePattern(kind=Kind.SERVICE, service=line.service)
    if line.unanswered and line.subject.endswith("/udp"):
        yield IgnorePattern(unanswered=True)


def _script_patterns(line: ChangeLine, script: str) -> Iterator[IgnorePattern]:
    """Yield this script on this port of this host, on this host, and everywhere."""
    whole_host = IgnorePattern(line.address, kind=Kind.SCRIPT, script=script)
    if line.subject:
        yield whole_host._replace(subject=line.subject)
    yield whole_host
    yield IgnorePattern(kind=Kind.SCRIPT, script=script)
