"""Target sets and port sets: lists that users keep under names, written as ``@name`` where a list is typed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from netmon_tui.domain.owned import Owned
from netmon_tui.domain.user import Actor

MENTION = "@"
"""Stands before a name, or before ``OWNER/NAME``, where a set is meant."""
LONGEST_CONTENT = 16_384
"""Characters of a target set; a port set has at most as many as ``-p`` may have."""
MOST_SETS = 1_000
"""Sets of one kind that one user may have."""


class SetKind(StrEnum):
    """What is in a set."""

    TARGETS = "target"
    PORTS = "port"

    @property
    def noun(self) -> str:
        """What people call such a set."""
        return f"{self} set"


@dataclass(frozen=True, slots=True)
class NamedSet(Owned):
    """A list under a name."""

    id: int
    kind: SetKind
    name: str
    content: str
    """Canonical: targets with spaces between, or ports as ``-p`` takes them."""
    description: str
    owner_id: int
    owner: str
    shared: bool
    """Whether everybody sees and uses it."""

    def mention_for(self, actor: Actor) -> str:
        """Return what this user writes for it."""
        return MENTION + self.reference_for(actor)


@dataclass(frozen=True, slots=True)
class SaveSet:
    """What a set is to be."""

    name: str
    content: str
    """As typed."""
    description: str = ""
