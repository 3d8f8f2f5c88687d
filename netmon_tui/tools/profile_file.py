"""Scan profiles as TOML, to keep them or hand them on: ``[[profile]]`` with name, arguments and description."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Any

from netmon_tui.domain.profile import SaveProfile
from netmon_tui.errors import InvalidInput

MOST_PROFILES = 1_000
"""Profiles that one file may have."""
LARGEST_FILE = 1 << 20
"""Bytes of a file."""
_KEYS = ("name", "arguments", "description")
_REQUIRED = _KEYS[:2]
_LINE = re.compile(
    r"""[ \t]*(?:\#.*
    |\[{1,2}[A-Za-z0-9_-]{1,64}\]{1,2}[ \t]*(?:\#.*)?
    |[A-Za-z0-9_-]{1,64}[ \t]*=[ \t]*(?:["'].*|[A-Za-z0-9+.:-]{1,40}[ \t]*(?:\#.*)?)
    )?\r?""",
    re.VERBOSE,
)
"""A comment, a header, or a key with a text or a number: all that a list of profiles needs of TOML."""
_ESCAPES = {'"': '\\"', "\\": "\\\\"}


def write_profiles(profiles: Iterable[SaveProfile]) -> str:
    """Return a document that :func:`read_profiles` reads back."""
    return "\n".join(_entry(profile) for profile in profiles)


def _entry(profile: SaveProfile) -> str:
    pairs = zip(_KEYS, (profile.name, profile.arguments, profile.description), strict=True)
    return "[[profile]]\n" + "".join(f"{key} = {_quoted(value)}\n" for key, value in pairs)


def _quoted(text: str) -> str:
    """Return a basic string of TOML 1.0 in which whatever does not print is an escape."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character.isprintable():
        return _ESCAPES.get(character, character)
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def read_profiles(data: bytes) -> list[SaveProfile]:
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
        _check_lines(text)
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise InvalidInput("the file is not UTF-8 text", why=f"byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput("the file is not TOML", why=str(error)[:200]) from None
    entries = document.pop("profile", None)
    if document or not isinstance(entries, list) or not entries:
        raise InvalidInput("the file is not a list of profiles", fix="each begins with a line [[profile]]")
    if len(entries) > MOST_PROFILES:
        raise InvalidInput(f"{len(entries):,} profiles are too many", why=f"the limit is {MOST_PROFILES:,}")
    return [_profile(number, entry) for number, entry in enumerate(entries, 1)]


def _check_lines(text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if not _LINE.fullmatch(line):
            what = f"line {number} of the file is not of a profile"
            raise InvalidInput(what, fix='a line is [[profile]], or KEY = "TEXT", or a comment')


def _profile(number: int, entry: dict[str, Any]) -> SaveProfile:
    strange = next((key for key in entry if key not in _KEYS), None)
    if strange is not None:
        raise InvalidInput(
            f"profile {number} has a key {strange[:40]!a}", why=f"known are {', '.join(_KEYS)}"
        )
    missing = next((key for key in _REQUIRED if key not in entry), None)
    if missing is not None:
        raise InvalidInput(f"profile {number} has no {missing}")
    for key, value in entry.items():
        if not isinstance(value, str):
            raise InvalidInput(f"profile {number}: {key} is not a text", fix="write it in quotation marks")
    return SaveProfile(entry["name"], entry["arguments"], entry.get("description", ""))
