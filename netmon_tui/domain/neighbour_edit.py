"""Edits of the kernel's neighbour table: what is asked for, what it comes to, and what was done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Neighbour, NudState

SETTABLE = (
    NudState.PERMANENT,
    NudState.REACHABLE,
    NudState.STALE,
    NudState.DELAY,
    NudState.PROBE,
    NudState.NOARP,
)
"""States that an entry with a lladdr can be given."""
LASTING = frozenset({NudState.PERMANENT, NudState.NOARP})
"""States that the kernel never leaves by itself, and that a flush without a state spares."""
FLUSHABLE = (*SETTABLE, NudState.INCOMPLETE, NudState.FAILED)

Key = tuple[str, str]
"""(interface, address)."""


class EditKind(StrEnum):
    """What somebody did to the table."""

    ADD = "add"
    REPLACE = "replace"
    DELETE = "delete"
    FLUSH = "flush"
    UNDO = "undo"


class Verb(StrEnum):
    """What is done to one entry, as ``ip neigh`` spells it."""

    ADD = "add"
    """There must be none."""
    REPLACE = "replace"
    DELETE = "del"


class TableEntry(NamedTuple):
    """What an edit sets or takes away."""

    interface: str
    address: str
    lladdr: str
    """Lower case with colons; empty while unresolved."""
    state: NudState
    router: bool = False

    @property
    def key(self) -> Key:
        """Where it stands; there is one entry at most."""
        return self.interface, self.address

    @property
    def mark(self) -> tuple[str, NudState | None]:
        """Return what stays while the kernel moves on: the lladdr, and a state that lasts."""
        return self.lladdr, self.state if self.state in LASTING else None

    def __str__(self) -> str:
        return f"{self.lladdr} {self.state}" if self.lladdr else f"unresolved ({self.state})"


def table_entry(neighbour: Neighbour) -> TableEntry:
    """Return what of an entry an edit is about."""
    return TableEntry(
        neighbour.interface, neighbour.address, neighbour.lladdr, neighbour.state, neighbour.router
    )


class TableWrite(NamedTuple):
    """One change of one entry."""

    verb: Verb
    entry: TableEntry


@dataclass(frozen=True, slots=True)
class SetEntry:
    """Add an entry, or give one another lladdr or state."""

    address: str
    """As typed, as all texts here."""
    interface: str
    lladdr: str = ""
    """Empty keeps the one it has."""
    state: NudState | None = None
    """None keeps the state; of a new entry it is PERMANENT."""
    replace: bool = False
    """Whether there may be an entry already."""


@dataclass(frozen=True, slots=True)
class DeleteEntry:
    """Delete an entry."""

    address: str
    interface: str


@dataclass(frozen=True, slots=True)
class FlushEntries:
    """Delete the entries of an interface."""

    interface: str
    state: NudState | None = None
    """Only those in it; None for all but those in LASTING states."""
    family: Family | None = None

    def takes(self, entry: TableEntry) -> bool:
        """Whether the entry is one of those."""
        family = Family.IPV6 if ":" in entry.address else Family.IPV4
        fits = entry.state is self.state if self.state else entry.state not in LASTING
        return entry.interface == self.interface and fits and self.family in (None, family)


@dataclass(frozen=True, slots=True)
class UndoEdit:
    """Restore what was there before an edit."""

    edit_id: int


EditRequest = SetEntry | DeleteEntry | FlushEntries | UndoEdit


@dataclass(frozen=True, slots=True)
class EditPlan:
    """What an edit comes to, for somebody to agree to."""

    request: EditRequest
    kind: EditKind
    subject: str
    """What it is about in words, such as ``192.0.2.7 on eth0``."""
    writes: tuple[TableWrite, ...]
    seen: tuple[TableEntry, ...] = ()
    """The entries there are now of those that it changes or takes."""
    spared: tuple[str, ...] = ()
    """Addresses that it leaves out: they carry the SSH session of the environment, or may carry another one."""
    conflicts: tuple[str, ...] = ()
    """Why it should not be done without a second look."""
    notices: tuple[str, ...] = ()
    """What is worth knowing."""
    commands: tuple[tuple[str, ...], ...] = ()
    """The ``ip`` commands that do the same."""

    def differs_from(self, shown: EditPlan) -> bool:
        """Whether it would do something else than the plan that was agreed to.

        What the kernel does by itself all the time (REACHABLE becomes STALE) is no difference, and a flush takes
        what its filter fits when it is carried out.
        """
        if (self.spared, self.conflicts) != (shown.spared, shown.conflicts):
            return True
        return not isinstance(self.request, FlushEntries) and _marks(self.seen) != _marks(shown.seen)


def _marks(entries: Iterable[TableEntry]) -> dict[Key, tuple[str, NudState | None]]:
    """Return what must not have changed; an unresolved entry is as good as none."""
    return {entry.key: entry.mark for entry in entries if entry.lladdr}


@dataclass(frozen=True, slots=True)
class NeighbourEdit:
    """An edit that was carried out, or begun."""

    id: int
    time: datetime
    owner: str
    kind: EditKind
    subject: str
    command: str
    """The commands, one a line; of many only the first ones."""
    entries: int
    """How many entries it changed or took."""
    result: str | None
    """Empty when all went well, otherwise what the kernel said; None when the program ended before it was known."""
    undoes: int | None = None
    """The edit that it undid."""
    undone_by: int | None = None
    """The edit that undid it."""

    @property
    def words(self) -> str:
        """Return how it came out, in a word or with the kernel's words."""
        if self.result is None:
            return "not known"
        return self.result or ("undone" if self.undone_by else "done")


@dataclass(frozen=True, slots=True)
class KeptEdit:
    """An edit with the entries that it is undone by."""

    edit: NeighbourEdit
    before: tuple[TableEntry, ...]
    after: tuple[TableEntry, ...]
