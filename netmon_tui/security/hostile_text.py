r"""The one gate for foreign text: what comes from network, tools or files passes here before it is shown.

Three dangers are met. Control characters, C1 codes and bidirectional overrides can rule a terminal or lie
about the order of letters: they become visible escapes (``\x1b``, ``\u202e``). Text of megabytes freezes the
screen: it is cut *first*, so that the cost depends on what is shown and not on what was sent. Runs of
combining marks climb over the neighbouring lines: three are enough for every living language.

The raw value stays in the database as evidence; the gate is for display and for text exports. Markup is
another matter: the faces must also pass the result to an interface that takes it literally
(``ui.rendering``).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from netmon_tui.errors import InvalidInput

CELL_LIMIT = 512
"""Characters of a one-line value; more than any column or title shows."""
BLOCK_LIMIT = 65_536
"""Characters of a pane; longer text is paged."""
BLOCK_LINES = 4_000
"""Lines of a pane."""
CSV_LIMIT = 32_767
"""Characters that spreadsheets accept in one cell."""
COMBINING_LIMIT = 3
"""Combining marks kept on one base character."""
ELLIPSIS = "…"

_TAB_WIDTH = 8
_FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")
_MARKS = ("Mn", "Me")
# Unicode calls them letters, marks or symbols; nevertheless they draw nothing, or widen their base.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_BLOCK_IS_PLAIN = re.compile(r"[ -~\n]*")


def clean(value: object, limit: int = CELL_LIMIT) -> str:
    """Return ``value`` as one line that is safe to print, at most ``limit`` characters long.

    Tabs become spaces, line ends and everything else that does not print become escapes, text that was cut
    ends with an ellipsis, None is empty. Cleaning what is clean changes nothing.
    """
    text, was_cut = _cut(value, limit)
    if not was_cut and text.isascii() and text.isprintable():
        return text
    return _assemble(text, limit, was_cut, keep="")


def plain_line(what: str, text: str, limit: int) -> str:
    """Return one line that a user typed in normal form; raises InvalidInput for what :func:`clean` would change.

    Args:
        what: What the line is, for the error, such as ``the name``.
        text: As typed; outer spaces are left out.
        limit: Characters that it may have.
    """
    if len(text) > limit:
        raise InvalidInput(f"{what} is too long", why=f"{len(text):,} characters, the limit is {limit}")
    plain = unicodedata.normalize("NFC", text).strip()
    if clean(plain) != plain:
        raise InvalidInput(
            f"{what} has characters that do not print", fix="letters, digits, signs and spaces"
        )
    return plain


def clean_block(value: object, limit: int = BLOCK_LIMIT, max_lines: int = BLOCK_LINES) -> str:
    """Return ``value`` as lines that are safe to print: like :func:`clean`, but line ends stay.

    Tabs are expanded to every eighth column, CR LF becomes LF. At most ``limit`` characters and ``max_lines``
    lines remain; when something was cut, an ellipsis ends the text.
    """
    text, was_cut = _cut(value, limit)
    text = text.replace("\r\n", "\n").expandtabs(_TAB_WIDTH)
    was_cut = was_cut or len(text) > limit
    lines = text.split("\n", max_lines)
    if len(lines) > max_lines:
        text, was_cut = "\n".join(lines[:max_lines]), True
    if not was_cut and _BLOCK_IS_PLAIN.fullmatch(text):
        return text
    return _assemble(text, limit, was_cut, keep="\n")


def csv_cell(value: object, limit: int = CSV_LIMIT) -> str:
    """Return ``value`` cleaned for a CSV cell, with ``'`` before what a spreadsheet would run as a formula.

    Numbers (int, float) are what they are: ``-1`` stays a number. Truths are ``yes`` and ``no``.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    raw = _cut(value, limit)[0]
    text = clean(raw, limit)
    if raw.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS):
        return "'" + text
    return text


def _cut(value: object, limit: int) -> tuple[str, bool]:
    """Return the first ``limit`` characters and whether there were more; looks at no more than it needs."""
    if value is None:
        return "", False
    if isinstance(value, bytes | bytearray | memoryview):
        # Four bytes make the longest UTF-8 character; a character split at the end is cut again below.
        text = bytes(value[: 4 * limit + 4]).decode("utf-8", "backslashreplace")
    else:
        text = value if isinstance(value, str) else str(value)
    return text[:limit], len(text) > limit


def _assemble(text: str, limit: int, was_cut: bool, keep: str) -> str:
    """Join the visible forms of all characters, never splitting an escape at the limit."""
    pieces: list[str] = []
    length = marks = 0
    for character in text:
        kind, piece = ("", character) if character in keep else _visible(character)
        marks = marks + 1 if kind == "mark" else 0
        if marks > COMBINING_LIMIT:
            continue
        if marks and length == 0:
            piece = "\u25cc" + piece  # a mark without a base would sit on the neighbouring column
        pieces.append(piece)
        length += len(piece)
        if length > limit:
            was_cut = True
            break
    return _with_ellipsis(pieces, length, limit) if was_cut else "".join(pieces)


def _with_ellipsis(pieces: list[str], length: int, limit: int) -> str:
    """Drop pieces from the end until the ellipsis fits too."""
    while pieces and length + 1 > limit:
        length -= len(pieces.pop())
    return ("".join(pieces) + ELLIPSIS)[: max(0, limit)]


@lru_cache(maxsize=4096)
def _visible(character: str) -> tuple[str, str]:
    """Return what kind of character it is (``mark`` or empty) and how it is shown."""
    category = unicodedata.category(character)
    if character == "\t" or category == "Zs":
        return "", " "
    if category[0] == "C" or category in ("Zl", "Zp") or _INVISIBLE.match(character):
        return "", _escape(character)
    return ("mark" if category in _MARKS else ""), character


def _escape(character: str) -> str:
    r"""Return the Python spelling of a character: ``\n``, ``\x1b``, ``\u202e`` or ``\U000e0041``."""
    number = ord(character)
    if number > 0xFF:
        return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
    return {"\n": "\\n", "\r": "\\r"}.get(character, f"\\x{number:02x}")
