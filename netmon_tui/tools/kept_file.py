"""What users keep under names as TOML, to keep it or hand it on: ``[[profile]]`` with a text for each key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from netmon_tui.errors import InvalidInput

MOST_ENTRIES = 1_000
"""Entries that one file may have."""
LARGEST_FILE = 1 << 20
"""Bytes of a file."""
_REQUIRED = 2
"""So many of an entry's keys, from the first, it must have; the others are empty texts."""
_LINE = re.compile(
    r"""[ \t]*(?:\#.*
    |\[{1,2}[A-Za-z0-9_-]{1,64}\]{1,2}[ \t]*(?:\#.*)?
    |[A-Za-z0-9_-]{1,64}[ \t]*=[ \t]*(?:["'].*|[A-Za-z0-9+.:-]{1,40}[ \t]*(?:\#.*)?)
    )?\r?""",
    re.VERBOSE,
)
"""A comment, a header, or a key with a text or a number: all that a list of entries needs of TOML."""
_ESCAPES = {'"': '\\"', "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What is in a file."""

    kind: str
    """Header of an entry, such as ``profile``."""
    keys: tuple[str, ...]
    """Of an entry, the name first."""

    @property
    def noun(self) -> str:
        """What people call an entry."""
        return self.kind.replace("-", " ")


def write_entries(file: KeptFile, entries: Iterable[Sequence[str]]) -> str:
    """Return a document that :func:`read_entries` reads back.

    Args:
        file: What is written.
        entries: The texts of each, in the order of the keys.
    """
    return "\n".join(_written(file, entry) for entry in entries)


def _written(file: KeptFile, entry: Sequence[str]) -> str:
    pairs = zip(file.keys, entry, strict=True)
    return f"[[{file.kind}]]\n" + "".join(f"{key} = {_quoted(value)}\n" for key, value in pairs)


def _quoted(text: str) -> str:
    """Return a basic string of TOML 1.0 in which whatever does not print is an escape."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character.isprintable():
        return _ESCAPES.get(character, character)
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def read_entries(file: KeptFile, data: bytes) -> list[tuple[str, ...]]:
    """Read a document; what its texts say is not judged.

    A text is on one line, and keys and headers have no dots: the parser's time and memory grow with the square
    of a key's parts.

    Raises:
        InvalidInput: It is too large, no TOML of this kind, or an entry has a key too many, too few or of
            another kind. The error names the entry by its position, from 1, or the line.
    """
    if len(data) > LARGEST_FILE:
        raise InvalidInput("the file is too large", why=f"more than {LARGEST_FILE >> 20} MiB")
    try:
        text = data.decode("utf-8")
        _check_lines(file, text)
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise InvalidInput("the file is not UTF-8 text", why=f"byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput("the file is not TOML", why=str(error)[:200]) from None
    entries = document.pop(file.kind, None)
    if document or not isinstance(entries, list) or not entries:
        raise InvalidInput(
            f"the file is not a list of {file.noun}s", fix=f"each begins with a line [[{file.kind}]]"
        )
    if len(entries) > MOST_ENTRIES:
        raise InvalidInput(
            f"{len(entries):,} {file.noun}s are too many", why=f"the limit is {MOST_ENTRIES:,}"
        )
    return [_entry(file, number, entry) for number, entry in enumerate(entries, 1)]


def _check_lines(file: KeptFile, text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if not _LINE.fullmatch(line):
            what = f"line {number} of the file is not of a {file.noun}"
            raise InvalidInput(what, fix=f'a line is [[{file.kind}]], or KEY = "TEXT", or a comment')


def _entry(file: KeptFile, number: int, entry: dict[str, Any]) -> tuple[str, ...]:
    what = f"{file.noun} {number}"
    strange = next((key for key in entry if key not in file.keys), None)
    if strange is not None:
        raise InvalidInput(f"{what} has a key {strange[:40]!a}", why=f"known are {', '.join(file.keys)}")
    missing = next((key for key in file.keys[:_REQUIRED] if key not in entry), None)
    if missing is not None:
        raise InvalidInput(f"{what} has no {missing}")
    for key, value in entry.items():
        if not isinstance(value, str):
            raise InvalidInput(f"{what}: {key} is not a text", fix="write it in quotation marks")
    return tuple(entry.get(key, "") for key in file.keys)
