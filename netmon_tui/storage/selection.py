"""What every list query shares: whose rows, which text, and which window of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Text, not_, or_, true, type_coerce

from netmon_tui.domain.user import Actor, Permission
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput


def visible_to(actor: Actor, owner: Column[int]) -> ColumnElement[bool]:
    """Return the condition that a row is the actor's to see."""
    return true() if actor.may(Permission.SEE_ALL) else owner == actor.user_id


def contains_text(needle: str, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
    """Return the condition that some column contains the text, ``!`` in front inverting it.

    ``%`` and ``_`` in the text mean themselves.

    Raises:
        InvalidInput: The text came as bytes that are not UTF-8, and no database takes them.
    """
    wanted, inverted = (needle[1:], True) if needle.startswith("!") else (needle, False)
    if not wanted:
        return true()
    if not wanted.isprintable() and any(0xD800 <= ord(character) < 0xE000 for character in wanted):
        raise InvalidInput(
            f"the text to look for, {wanted[:60]!a}, is not UTF-8", fix="type it in a UTF-8 terminal"
        )
    # As text: a column of JSON would turn the needle into JSON too, in quotes, and find whole elements only.
    texts = (type_coerce(column, Text) for column in columns)
    found = or_(*(text.icontains(wanted, autoescape=True) for text in texts))
    return not_(found) if inverted else found


def in_window(
    query: Select[Any], window: Window, sorts: Mapping[str, Any], *own: ColumnElement[Any]
) -> Select[Any]:
    """Order a query and cut the window out of it.

    Args:
        query: Filtered already: the window's text is not looked at.
        window: The order and the rows that are wanted.
        sorts: What the list can be sorted by.
        own: The list's own order, which also decides between equals.
    """
    column = sorts.get(window.sort)
    if column is not None:
        query = query.order_by(column.desc() if window.reverse else column.asc())
    return query.order_by(*own).offset(window.offset).limit(window.limit)
