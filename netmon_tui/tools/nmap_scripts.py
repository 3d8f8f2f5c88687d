"""What nmap's own files say about its scripts: ``script.db``, and the heads of the ``.nse`` files (NSEDoc).

Nothing is run: the files are Lua, and only the few forms that describe a script are read.
"""

from __future__ import annotations

import re

from netmon_tui.domain.nse import NseScript, ScriptArgument

SCRIPT_NAME = r"[a-z0-9][a-z0-9_.-]{0,63}"
_ENTRY = re.compile(rf'Entry \{{ filename = "({SCRIPT_NAME})\.nse", categories = \{{([^}}]*)\}}')
_QUOTED = re.compile(r'"([a-z]+)"')
_LONG_DESCRIPTION = re.compile(r"^description\s*=\s*\[(=*)\[(.*?)\]\1\]", re.DOTALL | re.MULTILINE)
_SHORT_DESCRIPTION = re.compile(r"""^description\s*=\s*(["'])(.*?)(?<!\\)\1""", re.MULTILINE)
_ARGUMENT = re.compile(r"^\s*(?:--+)?\s*@args?\s+([\w.-]+)[:,]?\s*(.*)$")
_COMMENT = re.compile(r"^\s*--+(?!\[)\s?(.*)$")


def read_database(text: str) -> tuple[NseScript, ...]:
    """Return the scripts of a ``script.db``, by name; what is no entry is passed over."""
    found = {match[1]: tuple(_QUOTED.findall(match[2])) for match in _ENTRY.finditer(text)}
    return tuple(NseScript(name, found[name]) for name in sorted(found))


def read_description(text: str) -> str:
    """Return the description of a script; empty when its file has none in a known form."""
    long = _LONG_DESCRIPTION.search(text)
    if long:
        return long[2].strip()
    short = _SHORT_DESCRIPTION.search(text)
    return short[2].strip() if short else ""


def read_arguments(text: str) -> tuple[ScriptArgument, ...]:
    """Return what ``@args`` declares, each with its words in one line."""
    found: dict[str, list[str]] = {}
    words: list[str] | None = None
    for line in text.splitlines():
        if match := _ARGUMENT.match(line):
            words = found.setdefault(match[1], [])
            words.append(match[2])
        elif words is not None:
            more = _continued(line)
            words = None if more is None else words
            found[next(reversed(found))] += [more] if more else []
    return tuple(ScriptArgument(name, " ".join(" ".join(said).split())) for name, said in found.items())


def _continued(line: str) -> str | None:
    """Return the text of a comment line that goes on with an argument; None when it does not."""
    match = _COMMENT.match(line)
    text = match[1].strip() if match else ""
    return text if text and not text.startswith(("@", "Version", "Created", "Revised")) else None
