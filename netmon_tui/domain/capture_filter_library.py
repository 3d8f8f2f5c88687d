"""Capture filters that are kept under names, those that everybody has, and what one means in words."""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.domain.owned import OwnedOrBuiltIn

LONGEST_FILTER = 1024
"""Characters a user may write; compiling longer ones can take tens of seconds."""
BUILT_IN_OWNER = "Built-in"
"""Whose the filters are that nobody can change; no user name has a capital letter."""


@dataclass(frozen=True, slots=True)
class CaptureFilter(OwnedOrBuiltIn):
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
