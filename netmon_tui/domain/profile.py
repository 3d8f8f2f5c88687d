"""Scan profiles: named sets of nmap options, Zenmap's and the users' own."""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.domain.owned import OwnedOrBuiltIn

BUILT_IN_OWNER = "Zenmap"
"""Whose the profiles are that nobody can change; no user name has a capital letter."""


@dataclass(frozen=True, slots=True)
class Profile(OwnedOrBuiltIn):
    """A named set of nmap options."""

    name: str
    arguments: str
    """As one line, without the word nmap; empty for nmap's defaults."""
    description: str
    """One sentence: what it does and what it costs; a user's own may have none."""
    id: int | None = None
    """None for one of Zenmap's."""
    owner_id: int | None = None
    owner: str = BUILT_IN_OWNER
    shared: bool = True
    """Whether everybody sees and uses it."""


@dataclass(frozen=True, slots=True)
class SaveProfile:
    """What a profile of a user is to be."""

    name: str
    arguments: str
    """nmap options as one line, as typed."""
    description: str = ""
