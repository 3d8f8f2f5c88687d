"""Capture filters cut into tokens, as libpcap's scanner.l cuts them: of all shapes that fit, the longest."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.bpf_words import CONSTANTS, LANGUAGE

INVALID = "The filter is not valid"


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    """One of the language's."""
    NUMBER = auto()
    ADDRESS = auto()
    """IPv4 with two to four parts, such as ``192.168``."""
    ADDRESS6 = auto()
    LLADDR = auto()
    NAME = auto()
    """Any other word, such as ``http``, ``8000-8100`` or ``\\tcp``."""
    SIGN = auto()
    END = auto()


class Token(NamedTuple):
    """One token."""

    kind: Kind
    text: str
    """In canonical spelling where there are two: ``and`` for ``&&``."""
    position: int
    """Where it begins in the filter."""
    value: int = 0
    """Of a number."""


_B, _N = "[0-9A-Fa-f]{1,2}", r"(?:0[xX][0-9A-Fa-f]+|[0-9]+)"
_SHAPES = [
    (Kind.LLADDR, re.compile(rf"{_B}(?:(?::{_B}){{5}}|(?:-{_B}){{5}}|(?:\.{_B}){{5}})")),
    (Kind.LLADDR, re.compile(r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}|[0-9A-Fa-f]{12}")),
    (Kind.NUMBER, re.compile(_N)),
    (Kind.ADDRESS, re.compile(rf"{_N}(?:\.{_N}){{1,3}}")),
    (Kind.ADDRESS6, re.compile(r"(?=[0-9A-Fa-f:]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]+(?:(?:\.[0-9]+){3})?")),
    (Kind.NAME, re.compile(r"[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?|\\[^ !()\n\t]+")),
    (Kind.SIGN, re.compile(r"&&|\|\||>=|<=|!=|==|<<|>>|[-+*/%:\[\]!<>()&|^=]")),
]
_SAME = {"&&": "and", "||": "or", "!": "not", "==": "=", "length": "len", "direction": "dir"}


def scan(text: str) -> list[Token]:
    """Return the tokens of a filter, an END last.

    Raises:
        InvalidInput: With the position of a character that begins no token, or of a number that is too large.
    """
    tokens, position = [], 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        token, position = _next(text, position)
        tokens.append(token)
    return [*tokens, Token(Kind.END, "", len(text.rstrip()))]


def _next(text: str, position: int) -> tuple[Token, int]:
    """Return the token that begins at a position, and where it ends."""
    found = [(kind, match) for kind, shape in _SHAPES if (match := shape.match(text, position))]
    if not found:
        raise InvalidInput(INVALID, why=f"{text[position]!r} has no meaning here", position=position)
    kind, match = max(found, key=lambda one: one[1].end())  # the first of several equally long ones
    word, end = match[0], match.end()
    if word in CONSTANTS:
        return Token(Kind.NUMBER, word, position, CONSTANTS[word]), end
    if kind is Kind.NUMBER:
        return Token(kind, word, position, _value(word, position)), end
    word = _SAME.get(word, word)
    if (kind is Kind.NAME and word in LANGUAGE) or word in ("and", "or", "not"):
        kind = Kind.WORD
    return Token(kind, word, position), end


def _value(digits: str, position: int) -> int:
    """Return a number as C reads it: hexadecimal after 0x, octal after 0."""
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
    try:
        value = int(digits, base)
    except ValueError:
        why = f"{digits} begins with 0 and is no octal number"
        raise InvalidInput(INVALID, why=why, position=position) from None
    if value > 0xFFFF_FFFF:
        raise InvalidInput(INVALID, why=f"{digits} has more than 32 bits", position=position)
    return value
