"""The two conditions that every list query shares: whose rows, and which text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, not_, or_, true

from netmon_tui.domain.user import Actor


def visible_to(actor: Actor, owner: Column[int]) -> ColumnElement[bool]:
    """Return the condition that a row is the actor's to see."""
    from netmon_tui.domain.user import Permission

    return true() if actor.may(Permission.SEE_ALL) else owner == actor.user_id


def contains_text(needle: str, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
    """Return the condition that some column contains the text, ``!`` in front inverting it.

    ``%`` and ``_`` in the text mean themselves.
    """
    wanted, inverted = (needle[1:], True) if needle.startswith("!") else (needle, False)
    if not wanted:
        return true()
    found = or_(*(column.icontains(wanted, autoescape=True) for column in columns))
    return not_(found) if inverted else found
