"""Splitting a line of nmap options into words. No shell: quotes group, and nothing else has a meaning."""

from __future__ import annotations

import re
from typing import NamedTuple

from netmon_tui.errors import InvalidInput

MAX_LINE = 4_096
"""Longest line of options, in characters."""

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_SHELL_SIGN = re.compile(r"[;|&`$<>\\?{}\[\]!#~^]")
_PIECE = re.compile(r"""( +)|"([^"]*)"|'([^']*)'|([^ "']+)""")


class Word(NamedTuple):
    """One word of the line."""

    text: str
    """Without its quotes."""
    position: int
    """Offset in the line where it begins."""


def split_words(line: str) -> list[Word]:
    """Split a line at spaces outside quotes.

    Raises:
        InvalidInput: The line is too long, a quote is open, or it has a sign that no option needs.
    """
    _refuse_signs(line)
    words: list[Word] = []
    at, glue = 0, False
    while at < len(line):
        piece = _PIECE.match(line, at)
        if not piece:
            raise InvalidInput("A quotation mark is not closed", position=at)
        if piece[1]:
            glue = False
        else:
            text = piece[2] or piece[3] or piece[4] or ""
            words[-1:] = (
                [Word(words[-1].text + text, words[-1].position)] if glue else [*words[-1:], Word(text, at)]
            )
            glue = True
        at = piece.end()
    _refuse_bare_brackets(line)
    return words


def _refuse_signs(line: str) -> None:
    if len(line) > MAX_LINE:
        raise InvalidInput(
            f"{len(line):,} characters are too many for nmap options", why=f"the limit is {MAX_LINE:,}"
        )
    strange = _UNPRINTABLE.search(line)
    if strange:
        name = "a line end" if strange[0] in "\r\n" else "a NUL" if strange[0] == "\0" else ascii(strange[0])
        raise InvalidInput(f"nmap options cannot have {name}", position=strange.start())
    sign = _SHELL_SIGN.search(line)
    if sign:
        raise InvalidInput(
            f"'{sign[0]}' has no place in nmap options", why="no shell reads them", position=sign.start()
        )


def _refuse_bare_brackets(line: str) -> None:
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", lambda quoted: " " * len(quoted[0]), line)
    bracket = re.search(r"[()]", bare)
    if bracket:
        raise InvalidInput("A bracket needs quotation marks around its expression", position=bracket.start())
