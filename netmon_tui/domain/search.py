"""Searching what scans found: a query as it was understood, what it finds, and queries kept under a name.

A query is a row of clauses that must all be met; a clause is met by any of its terms. So there is nothing to
nest, and what a query costs grows with its length alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from netmon_tui.domain.host import Service
from netmon_tui.domain.owned import Owned
from netmon_tui.domain.user import Actor, Permission

SEARCH_FORMATS = ("jsonl", "csv", "md")
"""JSON lines, CSV, a table in Markdown."""
LONGEST_QUERY = 4_096
"""Characters."""
MOST_WORDS = 128
"""Of a query; ``or`` is one too."""
FIRST_PAGE = 1_000
"""Lines of a search that are shown at once."""


class Subject(StrEnum):
    """What a term that looks for text looks at."""

    ANY = "any"
    """All that a list shows."""
    SERVICE = "service"
    PRODUCT = "product"
    VERSION = "version"
    CPE = "cpe"
    SCRIPT = "script"
    OS = "os"
    TARGET = "target"
    VENDOR = "vendor"
    LLADDR = "lladdr"
    INROUTE = "inroute"
    PROFILE = "profile"
    OPTION = "option"
    OWNER = "owner"
    NAME = "name"
    PORT_STATE = "port state"
    HOST_STATE = "host state"
    SCAN_STATE = "scan state"


@dataclass(frozen=True, slots=True)
class TextTerm:
    """A text that is contained (without case); a state is equal."""

    subject: Subject
    text: str


@dataclass(frozen=True, slots=True)
class PortTerm:
    """Ports in a state."""

    state: str
    ranges: tuple[tuple[int, int], ...]
    """First and last number of each, both included."""
    protocol: str = ""
    """``tcp``, ``udp`` or ``sctp``; empty for any."""


@dataclass(frozen=True, slots=True)
class NetworkTerm:
    """Addresses from the first to the last, both included, as ``packed_sort_key`` gives them."""

    first: bytes
    last: bytes


@dataclass(frozen=True, slots=True)
class TimeTerm:
    """When a scan started, in POSIX seconds: not before ``since``, and before ``until``."""

    since: float | None = None
    until: float | None = None


Condition = TextTerm | PortTerm | NetworkTerm | TimeTerm


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, or its opposite."""

    condition: Condition
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; nothing at all is everything."""

    clauses: tuple[tuple[Term, ...], ...] = ()

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.clauses)


class FoundPort(NamedTuple):
    """One line of a search: a port of a host in a scan, or a host without ports."""

    scan: int
    ordinal: int
    """Key of the host within its scan."""
    address: str
    hostname: str
    number: int | None
    """None for a host without ports."""
    protocol: str
    state: str
    service: Service | None
    seen: float | None
    """POSIX time at which nmap was done with the host, or the scan began."""


@dataclass(frozen=True, slots=True)
class SavedSearch(Owned):
    """A query kept under a name."""

    id: int
    name: str
    text: str
    owner_id: int
    owner: str
    shared: bool
    """Whether everybody sees and uses it."""

    def is_changed_by(self, actor: Actor) -> bool:
        """Whether this user, who sees it, may change or delete it: its owner, or an administrator."""
        return self.owner_id == actor.user_id or actor.may(Permission.SEE_ALL)
