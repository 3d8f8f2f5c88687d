"""Scan profiles: named sets of nmap options, Zenmap's and the users' own."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from netmon_tui.domain.user import Actor, Permission

BUILT_IN_OWNER = "Zenmap"
"""Whose the profiles are that nobody can change; no user name has a capital letter."""
LONGEST_NAME = 64
LONGEST_DESCRIPTION = 200
OWNER_MARK = "/"
"""Stands between owner and name in a reference; no name has one."""


@dataclass(frozen=True, slots=True)
class Profile:
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
        if self.is_built_in or self.owner_id == actor.user_id:
            return self.name
        return f"{self.owner}{OWNER_MARK}{self.name}"

    def is_changed_by(self, actor: Actor) -> bool:
        """Whether this user, who sees it, may change it: its owner, or an administrator."""
        mine = self.owner_id == actor.user_id or actor.may(Permission.SEE_ALL)
        return not self.is_built_in and mine and actor.may(Permission.SCAN)


@dataclass(frozen=True, slots=True)
class SaveProfile:
    """What a profile of a user is to be."""

    name: str
    arguments: str
    """nmap options as one line, as typed."""
    description: str = ""


def name_key(name: str) -> str:
    """Return what two names have in common that are the same but for case, spelling of accents and outer spaces."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).strip().casefold())
