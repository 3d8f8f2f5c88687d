"""What changed between two scans: the answer, without how it is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Change(StrEnum):
    """What became of something."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Severity(StrEnum):
    """How much a change matters, the weightiest first."""

    HIGH = "high"
    """Something listens that did not, or proves to be another."""
    MEDIUM = "medium"
    """Something is not what it was: a version, a lladdr, a new host."""
    LOW = "low"
    """Something is gone."""
    INFO = "info"
    """Something is said in other words: a name, a guess at the operating system."""

    @property
    def rank(self) -> int:
        """0 for the weightiest."""
        return list(Severity).index(self)


class Kind(StrEnum):
    """What a line of a comparison is about."""

    CAME = "came"
    WENT = "went"
    OPENED = "opened"
    CLOSED = "closed"
    STATE = "state"
    """From one state to another, and open in none of the two."""
    SERVICE = "service"
    """Another name, product or version answers on the same port."""
    MOVED = "moved"
    """The same service answers on another port."""
    SCRIPT = "script"
    """A script says something else of a port or of the host."""
    FACT = "fact"
    """Anything of the host itself: address, lladdr, hostname, operating system."""


HOST = "host"
"""Subject of the line of a host that came or went."""
UNANSWERED = "open|filtered"
"""The state of a port that nothing came back from."""


class PortFacts(NamedTuple):
    """What two scans are compared by at one port."""

    state: str
    service: str = ""
    product: str = ""
    version: str = ""
    extrainfo: str = ""
    tunnel: str = ""
    probed: bool = False
    """Whether the service answered a probe; a name that was guessed from the number says nothing."""

    @property
    def is_open(self) -> bool:
        """Whether it surely answers: ``open|filtered`` means that nothing came back."""
        return self.state == "open"

    @property
    def identity(self) -> tuple[str, ...]:
        """The service itself, wherever it listens."""
        return self[1:6]

    @property
    def words(self) -> str:
        """``ssl/http nginx 1.22.1 (Debian)``."""
        name = f"{self.tunnel}/{self.service}" if self.tunnel else self.service
        extra = f"({self.extrainfo})" if self.extrainfo else ""
        return " ".join(word for word in (name, self.product, self.version, extra) if word)

    def __str__(self) -> str:
        """``open ssl/http nginx 1.22.1 (Debian)``."""
        return f"{self.state} {self.words}".rstrip()


PortKey = tuple[str, int]
"""(protocol, number)."""


ScriptKey = tuple[str, int, str]
"""(protocol, number, script); of the host itself with an empty protocol and -1."""


class PortChange(NamedTuple):
    """A port that is not what it was."""

    number: int
    protocol: str
    change: Change
    before: PortFacts | None
    """None when it was not listed, which is to say not open."""
    after: PortFacts | None
    severity: Severity
    moved_from: int | None = None
    """The number on which the same service listened before."""

    @property
    def kind(self) -> Kind:
        """What it is about."""
        if self.moved_from is not None:
            return Kind.MOVED
        if self.change is not Change.CHANGED:
            return Kind.OPENED if self.change is Change.ADDED else Kind.CLOSED
        same_state = (
            self.before is not None and self.after is not None and self.before.state == self.after.state
        )
        return Kind.SERVICE if same_state else Kind.STATE

    @property
    def service(self) -> str:
        """Name of the service where both scans found the same; else empty."""
        if self.before is None or self.after is None or self.before.service != self.after.service:
            return ""
        return self.after.service

    @property
    def is_unanswered(self) -> bool:
        """Whether one scan got no answer from the port, and the later one did not find it open."""
        if self.after is not None and self.after.is_open:
            return False
        return any(facts is not None and facts.state == UNANSWERED for facts in (self.before, self.after))


class FactChange(NamedTuple):
    """Something else about a host that is not what it was."""

    name: str
    """``address``, ``lladdr``, ``hostname`` or ``os``."""
    before: str
    after: str
    severity: Severity


class ScriptChange(NamedTuple):
    """A script that says something else, or says something in one of two scans that both ran it."""

    script: str
    number: int
    protocol: str
    """Of its port; -1 and empty for a script about the host."""
    change: Change
    before: str
    after: str
    """In short what differs; what the scripts said in full stays with the scans."""
    severity: Severity
    earlier: int
    """Ordinal of the host in the earlier scan."""

    @property
    def port(self) -> str:
        """``443/tcp``; empty for a script about the host."""
        return f"{self.number}/{self.protocol}" if self.protocol else ""

    @property
    def key(self) -> ScriptKey:
        """Port and script."""
        return self.protocol, self.number, self.script


@dataclass(frozen=True, slots=True)
class HostChange:
    """A host that came, went or is not what it was."""

    address: str
    """In the later scan, unless it is gone."""
    change: Change
    ordinal: int
    """Key of the host within its scan: the later one, unless it is gone."""
    ports: tuple[PortChange, ...] = ()
    """Of a host that came or went: its open ports."""
    facts: tuple[FactChange, ...] = ()
    scripts: tuple[ScriptChange, ...] = ()

    @property
    def severity(self) -> Severity:
        """That of its weightiest change."""
        if self.change is Change.REMOVED:
            return Severity.LOW
        own = [Severity.MEDIUM] if self.change is Change.ADDED else []
        weights = (
            *(port.severity for port in self.ports),
            *(fact.severity for fact in self.facts),
            *(script.severity for script in self.scripts),
        )
        return min((*own, *weights), key=lambda severity: severity.rank)


class ChangeLine(NamedTuple):
    """One change on one line."""

    change: Change
    severity: Severity
    address: str
    ordinal: int
    subject: str
    """``host``, ``443/tcp``, ``lladdr``, ``hostname``, ``address`` or ``os``; empty for a script about the host."""
    before: str
    after: str
    kind: Kind = Kind.FACT
    service: str = ""
    """Of a port, where both scans found the same service."""
    unanswered: bool = False
    """Whether it is about a port that one of the scans got no answer from, and that is not open now."""
    script: ScriptChange | None = None
    """None for what no script says."""

    @property
    def what(self) -> str:
        """``443/tcp``, ``443/tcp ssl-cert``, ``smb2-security-mode`` or ``os``."""
        return f"{self.subject} {self.script.script}".lstrip() if self.script else self.subject


class ChangeCounts(NamedTuple):
    """How many lines of each kind."""

    added: int = 0
    removed: int = 0
    changed: int = 0

    def __str__(self) -> str:
        """``+3 ~1 -2``; empty when nothing changed."""
        parts = (("+", self.added), ("~", self.changed), ("-", self.removed))
        return " ".join(f"{sign}{count}" for sign, count in parts if count)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that changed from scan ``a`` to scan ``b``, hosts in the order of their addresses."""

    a: int
    b: int
    hosts: tuple[HostChange, ...]
    notes: tuple[str, ...] = ()
    """What could not be compared, and why."""

    @property
    def counts(self) -> ChangeCounts:
        """How many lines of each kind :meth:`lines` has."""
        kinds = [line.change for line in self.lines()]
        return ChangeCounts(*(kinds.count(kind) for kind in Change))

    def lines(self) -> Iterator[ChangeLine]:
        """Yield every change on a line of its own; a host that came or went is one."""
        for host in self.hosts:
            yield from lines_of(host)


def lines_of(host: HostChange) -> Iterator[ChangeLine]:
    """Yield one line for a host that came or went, else one for each of its facts, of its ports, of its scripts."""
    if host.change is not Change.CHANGED:
        words = _open_ports(host.ports)
        came = host.change is Change.ADDED
        sides, kind = (("", words), Kind.CAME) if came else ((words, ""), Kind.WENT)
        yield ChangeLine(host.change, host.severity, host.address, host.ordinal, HOST, *sides, kind)
        return
    for fact in host.facts:
        yield ChangeLine(
            Change.CHANGED, fact.severity, host.address, host.ordinal, fact.name, fact.before, fact.after
        )
    for port in host.ports:
        what = f"{port.number}/{port.protocol}"
        before, after = _sides(port)
        yield ChangeLine(
            port.change, port.severity, host.address, host.ordinal, what, before, after,
            port.kind, port.service, port.is_unanswered,
        )  # fmt: skip
    for one in host.scripts:
        yield ChangeLine(
            one.change, one.severity, host.address, host.ordinal, one.port, one.before, one.after,
            Kind.SCRIPT, script=one,
        )  # fmt: skip


def _sides(port: PortChange) -> tuple[str, str]:
    """Return before and after in words; what is open on both sides need not say so."""
    before, after = port.before, port.after
    if port.moved_from is not None:
        return f"on {port.moved_from}/{port.protocol}", after.words if after else ""
    if before is not None and after is not None and before.is_open and after.is_open:
        return before.words, after.words
    return str(before or ""), str(after or "")


def _open_ports(ports: tuple[PortChange, ...]) -> str:
    names = ", ".join(f"{port.number}/{port.protocol}" for port in ports)
    return f"open: {names}" if names else "up, no open port"
