"""Capture filters that are kept under names, those that everybody has, and what one means in words."""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.domain.owned import Owned
from netmon_tui.domain.user import Actor

BUILT_IN_OWNER = "Built-in"
"""Whose the filters are that nobody can change; no user name has a capital letter."""


@dataclass(frozen=True, slots=True)
class CaptureFilter(Owned):
    """A filter in tcpdump's language under a name."""

    name: str
    text: str
    meaning: str
    """One line: what packets it lets pass; a user's own may have none."""
    id: int | None = None
    """None for one that everybody has."""
    owner_id: int | None = None
    owner: str = BUILT_IN_OWNER
    shared: bool = True
    """Whether everybody sees and uses it."""

    @property
    def is_built_in(self) -> bool:
        """Whether everybody has it."""
        return self.id is None

    def reference_for(self, actor: Actor) -> str:
        """Return what names it to this user: its name, or ``OWNER/NAME`` for another user's."""
        return self.name if self.is_built_in else Owned.reference_for(self, actor)

    def is_changed_by(self, actor: Actor) -> bool:
        """Whether this user, who sees it, may change it: nobody changes what everybody has."""
        return not self.is_built_in and Owned.is_changed_by(self, actor)


@dataclass(frozen=True, slots=True)
class SaveCaptureFilter:
    """What a filter of a user is to be."""

    name: str
    text: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class FilterExplanation:
    """What a filter means."""

    text: str = ""
    """``TCP packets to or from port 22``; empty for a filter that lets everything pass or has no words."""
    cautions: tuple[str, ...] = ()
    """What is not as most people expect, one sentence each."""


@dataclass(frozen=True, slots=True)
class FilterVerdict:
    """What is known of a filter that compiles."""

    explanation: FilterExplanation
    instructions: int
    """Of the compiled program."""
    accepts_all: bool = False
    """Whether its program lets every packet pass."""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is not as most people expect of a filter that is not empty, one sentence each."""
        needless = ("every packet meets it",) if self.accepts_all and self.explanation.text else ()
        return (*self.explanation.cautions, *needless)
