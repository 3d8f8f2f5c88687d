"""Scan profiles: named sets of nmap options, Zenmap's and the users' own."""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.domain.owned import Owned
from netmon_tui.domain.user import Actor

BUILT_IN_OWNER = "Zenmap"
"""Whose the profiles are that nobody can change; no user name has a capital letter."""


@dataclass(frozen=True, slots=True)
class Profile(Owned):
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

    @property
    def is_built_in(self) -> bool:
        """Whether it is one of Zenmap's."""
        return self.id is None

    def reference_for(self, actor: Actor) -> str:
        """Return what names it to this user: its name, or ``OWNER/NAME`` for another user's."""
        return self.name if self.is_built_in else Owned.reference_for(self, actor)

    def is_changed_by(self, actor: Actor) -> bool:
        """Whether this user, who sees it, may change it: nobody changes Zenmap's."""
        return not self.is_built_in and Owned.is_changed_by(self, actor)


@dataclass(frozen=True, slots=True)
class SaveProfile:
    """What a profile of a user is to be."""

    name: str
    arguments: str
    """nmap options as one line, as typed."""
    description: str = ""
