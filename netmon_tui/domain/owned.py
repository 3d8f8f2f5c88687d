"""Things that users keep under names: whose they are, what they are called, and who may change them."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from typing import Protocol, TypeVar

from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput

LONGEST_NAME = 64
LONGEST_DESCRIPTION = 200
OWNER_MARK = "/"
"""Stands between owner and name in a reference; no name has one."""
_LONGEST_REFERENCE = 128
"""Characters of owner and name; of more nothing is even compared."""
_LONGEST_SHOWN = 60
_NEAREST = 3
_MOST_NAMED = 20
"""So many names an error lists."""


class Owned:
    """Something with a name and an owner; a base of dataclasses."""

    __slots__ = ()
    name: str
    owner: str
    owner_id: int | None

    def reference_for(self, actor: Actor) -> str:
        """Return what names it to this user: its name, or ``OWNER/NAME`` for another user's."""
        return self.name if self.owner_id == actor.user_id else f"{self.owner}{OWNER_MARK}{self.name}"

    def is_changed_by(self, actor: Actor) -> bool:
        """Whether this user, who sees it, may change it: its owner, or an administrator."""
        mine = self.owner_id == actor.user_id or actor.may(Permission.SEE_ALL)
        return mine and actor.may(Permission.SCAN)


class OwnedOrBuiltIn(Owned):
    """The same, or one that everybody has and nobody changes."""

    __slots__ = ()
    id: int | None

    @property
    def is_built_in(self) -> bool:
        """Whether everybody has it."""
        return self.id is None

    def reference_for(self, actor: Actor) -> str:
        """Return what names it to this user: its name, or ``OWNER/NAME`` for another user's."""
        return self.name if self.is_built_in else super().reference_for(actor)

    def is_changed_by(self, actor: Actor) -> bool:
        """Whether this user, who sees it, may change it: nobody changes what everybody has."""
        return not self.is_built_in and super().is_changed_by(actor)


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """What its owner calls it."""


class Kept(Named, Protocol):
    """What has an owner, too."""

    @property
    def id(self) -> int | None:
        """None for what everybody has."""

    @property
    def owner_id(self) -> int | None:
        """None for what everybody has."""

    @property
    def owner(self) -> str:
        """The owner's name."""

    def reference_for(self, actor: Actor) -> str:
        """Return what names it to a user."""

    def is_changed_by(self, actor: Actor) -> bool:
        """Whether a user may change it."""


class Shareable(Kept, Protocol):
    """What its owner may let everybody use."""

    @property
    def shared(self) -> bool:
        """Whether everybody sees and uses it."""


Found = TypeVar("Found", bound=Kept)


def name_key(name: str) -> str:
    """Return what two names have in common that are the same but for case, spelling of accents and outer spaces."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).strip().casefold())


def find_named(reference: str, things: Sequence[Found], actor: Actor, noun: str) -> Found:
    """Return the thing that a user means, whatever the case.

    A name alone is first one of everybody's or the user's own, then another's if only one has it;
    ``OWNER/NAME`` is the same to everybody.

    Args:
        reference: As typed.
        things: Those that the user may use.
        actor: The user.
        noun: What they are, for the error, such as ``profile``.

    Raises:
        InvalidInput: There is none, and the error names the nearest; or several have the name.
    """
    wanted = name_key(reference[:_LONGEST_REFERENCE])
    by_reference = {name_key(thing.reference_for(actor)): thing for thing in things}
    if wanted in by_reference:
        return by_reference[wanted]
    named = [
        thing
        for thing in things
        if wanted in (name_key(thing.name), name_key(f"{thing.owner}{OWNER_MARK}{thing.name}"))
    ]
    if len(named) == 1:
        return named[0]
    what = f"There is no {noun} {reference[:_LONGEST_SHOWN]!a}"
    if named:
        what = f"{len(named)} users share a {noun} {reference[:_LONGEST_SHOWN]!a}"
        raise InvalidInput(what, fix="one of: " + ", ".join(one.reference_for(actor) for one in named))
    near = difflib.get_close_matches(wanted, by_reference, n=_NEAREST, cutoff=0.4)
    if near:
        names = " or ".join(repr(by_reference[one].reference_for(actor)) for one in near)
        raise InvalidInput(what, fix=f"did you mean {names}?")
    if not things:
        raise InvalidInput(what, why="you have none, and nobody shares one")
    raise InvalidInput(
        what, fix="one of: " + ", ".join(one.reference_for(actor) for one in things[:_MOST_NAMED])
    )
