"""Mentions of sets, where targets or ports are written: ``@name``, or ``@owner/name`` for another user's."""

from __future__ import annotations

import re
from collections.abc import Iterable

from netmon_tui.domain.named_set import MENTION
from netmon_tui.domain.owned import OWNER_MARK
from netmon_tui.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_REFERENCE = re.compile(rf"(?:[A-Za-z0-9_][A-Za-z0-9._-]{{0,31}}/)?{_NAME.pattern}")
_NAME_RULE = "1 to 64 letters a-z, digits, dots, dashes and underscores; no dot or dash in front"


def check_set_name(name: str) -> None:
    """Raise InvalidInput for what cannot be written behind an ``@``."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name[:60]!a} is no name of a set", fix=_NAME_RULE)


def is_mention(text: str) -> bool:
    """Whether a set is meant, well written or not."""
    return text.startswith(MENTION)


def mentions_foreign(targets: Iterable[str], arguments: str) -> bool:
    """Whether the content of a set of somebody else is in targets or options: ``@owner/name``."""
    words = (*targets, *arguments.replace(",", " ").split())
    return any(is_mention(word) and OWNER_MARK in word for word in words)


def mentioned(text: str) -> str:
    """Return the name of the set that is meant, or ``owner/name``; raises InvalidInput when it is badly written."""
    reference = text.removeprefix(MENTION)
    if not _REFERENCE.fullmatch(reference):
        raise InvalidInput(
            f"{text[:60]!a} names no set", fix="write @NAME, or @OWNER/NAME for another user's"
        )
    return reference
