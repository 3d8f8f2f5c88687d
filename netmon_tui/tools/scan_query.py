"""The language in which scans, hosts and ports are searched: Zenmap's, with a few words more.

::

    query    = clause*                        all of them
    clause   = term (("or" | "|") term)*      any of them
    term     = ["!" | "not:"] [operator ":" ["!"]] (word | '"' words '"')

A word without an operator is looked for in all that a list shows. ``-`` is no negation: options begin with it.
Operators and their short forms are those of Zenmap 7.9; unlike there, a list of ports is met by any of them,
as nmap's own lists are, and an operator that does not exist is refused instead of left out.

Reading takes time and memory in proportion to the text, which is refused beyond a length; nothing nests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from ipaddress import ip_network
from typing import NamedTuple

from netmon_tui.domain.address import normalise_lladdr, packed_sort_key, parse_ip
from netmon_tui.domain.job import JobState
from netmon_tui.domain.search import (
    LONGEST_QUERY,
    MOST_WORDS,
    Condition,
    NetworkTerm,
    PortTerm,
    Query,
    Subject,
    Term,
    TextTerm,
)
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_targets import shown
from netmon_tui.tools.scan_query_dates import after, before, on_day

PORT_STATES = ("open", "closed", "filtered", "unfiltered", "open|filtered", "closed|filtered")
HOST_STATES = ("up", "down", "unknown", "skipped")
MOST_RANGES = 256
_WORD = re.compile(r'([^\s"]*)(?:"([^"]*)("?))?')
_PORTS = re.compile(r"([0-9]{1,5})(?:(-)([0-9]{0,5}))?|-([0-9]{1,5})")
_MARKS = ("!", "not:")
_PROTOCOLS = ("tcp", "udp", "sctp")
_HEX = frozenset("0123456789abcdef")
_QUOTE = 'put it in quotes, as "name:value", to look for the text'

Reader = Callable[[str], Condition]
"""Reads the value of an operator; raises InvalidInput without a place."""


class _Word(NamedTuple):
    """One word of the text."""

    position: int
    head: str
    """What stands before the quotes, or all of it."""
    quoted: str | None
    """What stands between the quotes, if there are any."""

    @property
    def is_mark(self) -> bool:
        """Whether it is a negation of nothing."""
        return self.quoted is None and self.head.lower() in _MARKS

    @property
    def is_or(self) -> bool:
        """Whether it joins two terms."""
        return self.quoted is None and self.head.lower() in ("or", "|")

    @property
    def or_fix(self) -> str:
        """What to do about an ``or`` without a neighbour."""
        return f'it stands between two terms; "{self.head}" is the word itself'


def parse_query(text: str, now: datetime | None = None) -> Query:
    """Return what a text asks for.

    Args:
        text: As typed.
        now: The local time that ``today`` and ``-7`` count from; the present by default.

    Raises:
        InvalidInput: With position, reason and what to do. Nothing else is ever raised.
    """
    _check_characters(text)
    words = list(_words(text))
    if words and words[-1].is_mark:
        words.pop()  # the beginning of a term that is still being typed
    clauses: list[list[Term]] = []
    joined: _Word | None = None
    for number, word in enumerate(words):
        if number >= MOST_WORDS:
            raise _refusal("too many words", word.position, why=f"the limit is {MOST_WORDS}")
        if word.is_or:
            if not clauses or joined is not None:
                raise _refusal(f"nothing stands before {word.head}", word.position, fix=word.or_fix)
            joined = word
            continue
        if word.is_mark:
            raise _refusal(f"nothing follows {word.head}", word.position, fix=f"as {word.head}word")
        term = _term(word, now or datetime.now())
        clauses[-1].append(term) if joined else clauses.append([term])
        joined = None
    if joined is not None:
        raise _refusal(f"nothing follows {joined.head}", joined.position, fix=joined.or_fix)
    return Query(tuple(map(tuple, clauses)))


def _refusal(what: str, position: int, *, why: str = "", fix: str = "") -> InvalidInput:
    return InvalidInput(f"{what} at character {position + 1}", why=why, fix=fix, position=position)


def _check_characters(text: str) -> None:
    if len(text) > LONGEST_QUERY:
        why = f"{len(text):,} characters, the limit is {LONGEST_QUERY:,}"
        raise InvalidInput("the search is too long", why=why, position=LONGEST_QUERY)
    for position, character in enumerate(text):
        if not (character.isprintable() or character in "\t\r\n" or unicodedata.category(character) == "Zs"):
            raise _refusal("a character that does not print", position, fix="take it out")


def _words(text: str) -> Iterator[_Word]:
    position, end = 0, len(text)
    while position < end:
        if text[position].isspace():
            position += 1
            continue
        match = _WORD.match(text, position)
        assert match is not None
        head, quoted, closing = match.groups()
        if quoted is not None and not closing:
            raise _refusal("quotes that are not closed", match.end(1), fix='end them with "')
        if quoted is not None and match.end() < end and not text[match.end()].isspace():
            raise _refusal("text right after quotes", match.end(), fix="leave a space between them")
        yield _Word(position, head, quoted)
        position = match.end()


def _term(word: _Word, now: datetime) -> Term:
    mark = next((m for m in _MARKS if word.head.lower().startswith(m)), "")
    rest = word.head[len(mark) :]
    name, colon, value = rest.partition(":")
    if not colon or not _is_operator(name, rest, word.position + len(mark)):
        text = _literal(rest, word)
        if not text:
            raise _refusal("nothing between quotes", word.position + len(word.head), fix="write a word there")
        return Term(TextTerm(Subject.ANY, text), bool(mark))
    place = word.position + len(mark) + len(name) + 1
    inverted = value.startswith("!")
    place += inverted
    try:
        condition = _reader(name.lower(), now)(_literal(value[inverted:], word))
    except InvalidInput as error:
        raise _refusal(error.what, place, why=error.why, fix=error.fix) from None
    return Term(condition, bool(mark) is not inverted)


def _literal(head: str, word: _Word) -> str:
    """Return the text of a word: what is quoted, or what is not."""
    if word.quoted is None:
        return head
    if head:
        raise _refusal("quotes inside a word", word.position + len(word.head), fix="put all of it in quotes")
    return word.quoted


def _is_operator(name: str, rest: str, position: int) -> bool:
    """Whether what stands before a colon is an operator, and not the beginning of an address or of text.

    Raises:
        InvalidInput: It looks like one, and is none.
    """
    plain = name.lower()
    if parse_ip(rest) is not None or normalise_lladdr(rest) is not None:
        return False
    if plain in _READERS:
        return True
    if not plain.replace("|", "").isalpha() or _HEX.issuperset(plain):
        return False
    near = get_close_matches(plain[:32], _READERS, 1)
    fix = f"{near[0]}: is one; {_QUOTE}" if near else _QUOTE
    raise _refusal(f"{shown(name)}: is no operator", position, fix=fix)


def _reader(name: str, now: datetime) -> Reader:
    reader = _READERS[name]
    return partial(reader, now=now) if reader in (after, before, on_day) else reader


def _text(subject: Subject) -> Reader:
    def read(value: str) -> Condition:
        if not value:
            raise InvalidInput(f"nothing to look for in {subject}", fix=f"as {subject}:text")
        return TextTerm(subject, value)

    return read


def _ports(state: str) -> Reader:
    def read(value: str) -> Condition:
        numbers, slash, protocol = value.lower().partition("/")
        if slash and protocol not in _PROTOCOLS:
            raise InvalidInput(f"{shown(protocol)} is no protocol", fix="as 53/udp: tcp, udp or sctp")
        items = numbers.split(",")
        if len(items) > MOST_RANGES:
            raise InvalidInput("too many ports", why=f"{len(items):,}, the limit is {MOST_RANGES}")
        return PortTerm(state, tuple(map(_port_range, items)), protocol)

    return read


def _port_range(item: str) -> tuple[int, int]:
    match = _PORTS.fullmatch(item)
    if match is None:
        what = f"{shown(item)} is no port" if item else "a port is missing"
        raise InvalidInput(what, fix="write 22,80,8000-8100; state:open finds any open port")
    first, dash, last, up_to = match.groups()
    low = 0 if up_to else int(first)
    high = int(up_to or last or (65_535 if dash else first))
    if low > high or high > 65_535:
        raise InvalidInput(f"{shown(item)} is not a range within 0 to 65535")
    return low, high


def _target(value: str) -> Condition:
    if (address := parse_ip(value)) is not None:
        key = packed_sort_key(str(address))
        return NetworkTerm(key, key)
    if "/" not in value:
        return _text(Subject.TARGET)(value)
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise InvalidInput(
            f"{shown(value)} is no network", fix="write 192.0.2.0/24 or 2001:db8::/64"
        ) from None
    return NetworkTerm(packed_sort_key(str(network[0])), packed_sort_key(str(network[-1])))


def _lladdr(value: str) -> Condition:
    return _text(Subject.LLADDR)(normalise_lladdr(value) or value.lower().replace("-", ":"))


def _state(value: str) -> Condition:
    plain = value.lower()
    for subject, known in (
        (Subject.PORT_STATE, PORT_STATES),
        (Subject.HOST_STATE, HOST_STATES),
        (Subject.SCAN_STATE, tuple(JobState)),
    ):
        if plain in known:
            return TextTerm(subject, plain)
    states = ", ".join((*PORT_STATES, *HOST_STATES, *JobState))
    raise InvalidInput(
        f"{shown(value)} is no state" if value else "a state is missing", fix=f"one of {states}"
    )


def _directory(value: str) -> Condition:
    raise InvalidInput(
        "dir: does not search directories",
        why="results are in the database and not in files",
        fix="import the files: netmon-tui scan import FILE...",
    )


def _scanned(value: str) -> Condition:
    raise InvalidInput(
        "scanned: is not offered",
        why="which ports a scan asked for is kept as nmap's list and not by port",
        fix="option:-p finds scans of given ports",
    )


_READERS: dict[str, Callable[..., Condition]] = {
    **dict.fromkeys(("open", "op"), _ports("open")),
    **dict.fromkeys(("closed", "cp"), _ports("closed")),
    **dict.fromkeys(("filtered", "fp"), _ports("filtered")),
    **dict.fromkeys(("unfiltered", "ufp"), _ports("unfiltered")),
    **dict.fromkeys(("open|filtered", "ofp", "of"), _ports("open|filtered")),
    **dict.fromkeys(("closed|filtered", "cfp", "cf"), _ports("closed|filtered")),
    **dict.fromkeys(("service", "s"), _text(Subject.SERVICE)),
    "os": _text(Subject.OS),
    **dict.fromkeys(("target", "t"), _target),
    **dict.fromkeys(("profile", "pr"), _text(Subject.PROFILE)),
    **dict.fromkeys(("option", "o"), _text(Subject.OPTION)),
    **dict.fromkeys(("after", "a"), after),
    **dict.fromkeys(("before", "b"), before),
    **dict.fromkeys(("date", "d"), on_day),
    **dict.fromkeys(("inroute", "ir"), _text(Subject.INROUTE)),
    "dir": _directory,
    **dict.fromkeys(("scanned", "sp"), _scanned),
    "script": _text(Subject.SCRIPT),
    "cpe": _text(Subject.CPE),
    "vendor": _text(Subject.VENDOR),
    "lladdr": _lladdr,
    "state": _state,
    "owner": _text(Subject.OWNER),
    "name": _text(Subject.NAME),
    "product": _text(Subject.PRODUCT),
    "version": _text(Subject.VERSION),
}
"""Operator and short form -> what reads its value. Only the readers of dates also take ``now``."""
