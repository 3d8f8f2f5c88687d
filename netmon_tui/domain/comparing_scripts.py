"""How the outputs of scripts are compared: by their tables where there are any, else by their lines.

In both the order does not matter, noise does not count (:mod:`script_noise`), and what differs is told in one short
statement; the whole is told by :func:`difference`, to who asks for it.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile
from typing import Any, NamedTuple

from netmon_tui.domain.comparison import UNANSWERED, Change, PortFacts, ScriptChange, ScriptKey
from netmon_tui.domain.script_noise import NOISE, TELLING, quiet_data, quiet_lines, severity_of

LONGEST_TOLD = 100
"""Characters of one side of a statement."""
_ALIKE = 24
"""So many characters that two values begin with alike are left out of a statement, but for a word."""
_LEAD = 20
"""At most so many characters of that word."""
_LONGEST_KEY = 40
"""Characters before the colon of a line, when they are a key."""
_DIFFERENCE_LINES = 2_000
"""Lines of one side that :func:`difference` looks at."""
_DIFFERENCE_WIDTH = 160
"""Characters of a line in a difference; what is longer goes on in the next one."""
LONGEST_DIFFERENCE = 500
"""Lines of a difference."""
_CONTEXT = 2


class ScriptText(NamedTuple):
    """What a script said of a port or a host."""

    output: str
    data: Any = None
    """Structured; None without any, or when it is too long."""
    cut: bool = False
    """Whether there is more than is here."""


class Said(NamedTuple):
    """What differs, in short: a line or a value of each side, the later one with its key; empty for nothing."""

    before: str
    after: str


def may_tell(old: PortFacts | None, new: PortFacts | None) -> bool:
    """Whether both scans found a port in a state in which scripts are run; what opened or closed is told anyway."""
    return old is not None and new is not None and _is_asked(old) and _is_asked(new)


def _is_asked(facts: PortFacts) -> bool:
    return facts.is_open or facts.state == UNANSWERED


def alike_to_scripts(old: PortFacts, new: PortFacts) -> bool:
    """Whether both scans knew as much of a port for the choice of its scripts, which is by service and TLS."""
    same = (old.service, old.tunnel) == (new.service, new.tunnel)
    return same or (old.probed and new.probed)


def script_change(
    key: ScriptKey, earlier: int, before: ScriptText | None, after: ScriptText | None
) -> ScriptChange | None:
    """Return what became of what a script says; None when it says the same.

    Args:
        key: Port and script.
        earlier: Ordinal of the host in the earlier scan.
        before, after: None where the script said nothing.
    """
    protocol, number, script = key
    if before is None or after is None:
        there = after or before
        if there is None:
            return None
        change = Change.ADDED if before is None else Change.REMOVED
        words = _cut(next(iter(quiet_lines(script, there.output)), ""))
        if not words and not quiet_data(script, there.data):
            return None  # it says nothing, or only what is noise
        said = Said("", words) if before is None else Said(words, "")
    else:
        change = Change.CHANGED
        found = compare_outputs(script, before, after)
        if found is None:
            return None
        said = found
    return ScriptChange(script, number, protocol, change, *said, severity_of(script, change), earlier)


def compare_outputs(script: str, before: ScriptText, after: ScriptText) -> Said | None:
    """Return what differs between two outputs that are not the same to the letter; None when it is nothing."""
    tables = before.data is not None and after.data is not None
    if tables:
        old, new = quiet_data(script, before.data), quiet_data(script, after.data)
        if _canonical(old) == _canonical(new):
            return None
        said = _statement(list(_leaves(old)), list(_leaves(new)), TELLING.get(script, ()))
        if said is not None:
            return said
    lines = [list(map(_line_leaf, quiet_lines(script, side.output))) for side in (before, after)]
    said = _statement(lines[0], lines[1], ())
    if said is None and (tables or ((before.cut or after.cut) and script not in NOISE)):
        return Said("", "differs further on")
    return said


def _canonical(data: Any) -> str:
    """Return a text that is the same for the same values in any order."""
    if isinstance(data, dict):
        return f"{{{','.join(sorted(f'{json.dumps(key)}:{_canonical(data[key])}' for key in data))}}}"
    if isinstance(data, list):
        return f"[{','.join(sorted(map(_canonical, data)))}]"
    return json.dumps(data)


Leaf = tuple[str, str]
"""(keys joined by dots, value); a place in a list is no key."""


def _leaves(data: Any, path: str = "") -> Iterator[Leaf]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value, path)
    else:
        yield path, str(data)


def _line_leaf(line: str) -> Leaf:
    """Return ``Not valid after:  2030-01-01`` as key and value; a line of another form has no key."""
    key, colon, value = line.partition(": ")
    return (key, value.strip()) if colon and value.strip() and len(key) <= _LONGEST_KEY else ("", line)


def _statement(before: Sequence[Leaf], after: Sequence[Leaf], telling: Sequence[str]) -> Said | None:
    """Return the most telling of the values that are on one side only, with how many more there are."""
    gone, come = list(_only(before, after)), list(_only(after, before))
    if not gone and not come:
        return None
    paths = [path for path, _ in (*gone, *come)]
    both = {path for path, _ in gone} & {path for path, _ in come}
    path = next((one for one in (*telling, *paths) if one in both), paths[0])
    old = next((value for one, value in gone if one == path), None)
    new = next((value for one, value in come if one == path), None)
    more = len({one for one in paths if one}) if path else max(len(gone), len(come))
    told = Said(*_around(old, new))
    rest = ", ".join(word for word in (_cut(path), f"{more - 1} more" if more > 1 else "") if word)
    if not rest:
        return told
    return Said(told.before, f"{told.after} ({rest})") if told.after else Said(f"{told.before} ({rest})", "")


def _only(side: Iterable[Leaf], other: Iterable[Leaf]) -> Iterator[Leaf]:
    """Yield what is more often on one side, in its order."""
    left = Counter(other)
    for leaf in side:
        if left[leaf]:
            left[leaf] -= 1
        else:
            yield leaf


def _around(old: str | None, new: str | None) -> tuple[str, str]:
    """Return two values cut to what can be told, so that the first difference is in it."""
    if old is None or new is None:
        return _cut(old or ""), _cut(new or "")
    common = "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    start = 0
    if len(common) >= _ALIKE:
        start = max(common.rfind(" ") + 1, len(common) - _LEAD)
    return _cut(old, start), _cut(new, start)


def _cut(text: str, start: int = 0) -> str:
    part = text[start : start + LONGEST_TOLD]
    return f"{'…' if start else ''}{part}{'…' if start + LONGEST_TOLD < len(text) else ''}"


def difference(before: ScriptText | None, after: ScriptText | None) -> list[str]:
    """Return the outputs of a script as a unified diff, raw and bounded; the tables where the texts are the same.

    Lines begin with ``-`` (before), ``+`` (after), a space (both) or ``@@`` (which lines follow).
    """
    sides = [one or ScriptText("") for one in (before, after)]
    if sides[0].output == sides[1].output:
        texts = ["" if one.data is None else json.dumps(one.data, indent=1, sort_keys=True) for one in sides]
    else:
        texts = [one.output for one in sides]
    old, new = (list(_short_lines(text)) for text in texts)
    found = difflib.unified_diff(old, new, lineterm="", n=_CONTEXT)
    lines = list(islice(found, 2, LONGEST_DIFFERENCE + 3))  # without the names of the two files
    if len(lines) > LONGEST_DIFFERENCE:
        lines[LONGEST_DIFFERENCE:] = ["…"]
    if any(one.cut for one in sides):
        lines.append("… (only the begin is compared)")
    return lines


def _short_lines(text: str) -> Iterator[str]:
    """Yield the lines, long ones in pieces: a megabyte without a line end can be compared, too."""
    pieces = (
        line[start : start + _DIFFERENCE_WIDTH]
        for line in text.strip("\n").splitlines()
        for start in range(0, max(1, len(line)), _DIFFERENCE_WIDTH)
    )
    return islice(pieces, _DIFFERENCE_LINES)
