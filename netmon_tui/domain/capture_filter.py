"""What the list of captures is filtered by: words, and words of one column."""

from __future__ import annotations

import re
from dataclasses import dataclass

from netmon_tui.errors import InvalidInput

FILTER_KEYS = ("tag", "owner", "interface", "filter", "name", "state", "note")
"""Columns that can be named: ``tag:web owner:ada``."""
_WORD = re.compile(rf'(!?)(?:({"|".join(FILTER_KEYS)}):)?("[^"]*"?|\S+)')
LONGEST_NAME, LONGEST_NOTE, MOST_TAGS = 120, 4_000, 32
"""Characters of a name and of a note, and tags of a capture."""
_TAG = re.compile(r"\w[\w.:+-]{0,31}")


@dataclass(frozen=True, slots=True)
class FilterWord:
    """One word of a filter."""

    text: str
    key: str = ""
    """The column that must have it; any of them when empty."""
    inverted: bool = False
    """Only captures that do not have it."""


def parse_filter(text: str) -> tuple[FilterWord, ...]:
    """Return the words of a filter, which all must be met; ``!`` inverts one, quotes keep one together."""
    words = (
        FilterWord(found[3].strip('"!'), found[2] or "", bool(found[1])) for found in _WORD.finditer(text)
    )
    return tuple(word for word in words if word.text)


def filter_text(**words: str) -> str:
    """Return the filter that asks for these columns, as :func:`parse_filter` reads it; empty ones are left out."""
    quoted = ((key, value.replace('"', "")) for key, value in words.items())
    return " ".join(f'{key}:"{value}"' for key, value in quoted if value)


def check_tag(text: str) -> str:
    """Return a tag as it is kept: a word in small letters.

    Raises:
        InvalidInput: It is no word, or too long.
    """
    tag = text.strip().casefold()
    if not _TAG.fullmatch(tag):
        fix = "letters, digits and . : + - _, at most 32, beginning with a letter or digit"
        raise InvalidInput(f"{text.strip()[:40]!a} is no tag", fix=fix)
    return tag
