"""The language of searches: what it means, what it refuses and where."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.search import (
    LONGEST_QUERY,
    Condition,
    NetworkTerm,
    PortTerm,
    Query,
    Subject,
    Term,
    TextTerm,
    TimeTerm,
)
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.scan_query import _READERS, parse_query

NOW = datetime(2026, 11, 22, 15, 30)


def conditions(text: str) -> list[Condition]:
    """The conditions of a query without alternatives."""
    query = parse_query(text, NOW)
    assert all(len(clause) == 1 and not clause[0].negated for clause in query.clauses)
    return [clause[0].condition for clause in query.clauses]


def words(*texts: str) -> list[TextTerm]:
    return [TextTerm(Subject.ANY, text) for text in texts]


def at(*moment: int) -> float:
    return datetime(*moment).timestamp()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", []),
        (" \t\u00a0", []),
        ("web 10.0", words("web", "10.0")),
        ('"two words" x', words("two words", "x")),
        ("2001:db8::1", words("2001:db8::1")),
        ("aa:bb:cc:00:11:22", words("aa:bb:cc:00:11:22")),
        ("fe80:0 12:30", words("fe80:0", "12:30")),
        ("-sV 100%_", words("-sV", "100%_")),
        ("open:443", [PortTerm("open", ((443, 443),))]),
        ("op:22,8000-8100", [PortTerm("open", ((22, 22), (8000, 8100)))]),
        ("of:53/udp", [PortTerm("open|filtered", ((53, 53),), "udp")]),
        ("open|filtered:-100", [PortTerm("open|filtered", ((0, 100),))]),
        ("cfp:60000-", [PortTerm("closed|filtered", ((60000, 65535),))]),
        ("SERVICE:http", [TextTerm(Subject.SERVICE, "http")]),
        ('os:"Linux 5"', [TextTerm(Subject.OS, "Linux 5")]),
        ("target:web", [TextTerm(Subject.TARGET, "web")]),
        ("t:0.0.0.1", [NetworkTerm(b"\x04" + bytes(15) + b"\x01", b"\x04" + bytes(15) + b"\x01")]),
        ("t:0.0.0.9/30", [NetworkTerm(b"\x04" + bytes(15) + b"\x08", b"\x04" + bytes(15) + b"\x0b")]),
        ("lladdr:00-1B-21", [TextTerm(Subject.LLADDR, "00:1b:21")]),
        ("cpe:/a:nginx", [TextTerm(Subject.CPE, "/a:nginx")]),
        ("state:UP", [TextTerm(Subject.HOST_STATE, "up")]),
        ("state:open|filtered", [TextTerm(Subject.PORT_STATE, "open|filtered")]),
        ("state:running", [TextTerm(Subject.SCAN_STATE, "running")]),
        ("a:2026-11-01", [TimeTerm(since=at(2026, 11, 1))]),
        ("before:2026-11-01", [TimeTerm(until=at(2026, 11, 2))]),
        ("date:today", [TimeTerm(at(2026, 11, 22), at(2026, 11, 23))]),
        ("d:2026-11-01~~", [TimeTerm(at(2026, 10, 30), at(2026, 11, 4))]),
        ("after:-7", [TimeTerm(since=at(2026, 11, 15))]),
        ("after:-7d", [TimeTerm(since=at(2026, 11, 15))]),
        ("after:yesterday", [TimeTerm(since=at(2026, 11, 21))]),
        ("after:-12h", [TimeTerm(since=at(2026, 11, 22, 3, 30))]),
        ('before:"2026-11-01 14:30"', [TimeTerm(until=at(2026, 11, 1, 14, 30))]),
    ],
)
def test_terms(text: str, meant: list[Condition]) -> None:
    assert conditions(text) == meant


@pytest.mark.parametrize("text", ["!open:23", "not:open:23", "open:!23", "!op:23", "NOT:open:23"])
def test_negation(text: str) -> None:
    assert parse_query(text) == Query(((Term(PortTerm("open", ((23, 23),)), negated=True),),))


def test_twice_negated_is_not_negated_and_a_mark_alone_is_nothing_yet() -> None:
    assert conditions("!open:!23") == [PortTerm("open", ((23, 23),))]
    assert not parse_query("!")
    assert conditions("a !") == words("a")


@pytest.mark.parametrize("text", ["a or b c", "a | b c", "a OR b c"])
def test_or_binds_closer_than_and(text: str) -> None:
    a, b, c = (Term(word) for word in words("a", "b", "c"))
    assert parse_query(text) == Query(((a, b), (c,)))


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("a opn:1", 2, "open: is one"),
        ("zzz:1", 0, "put it in quotes"),
        ("open:", 5, "a port is missing"),
        ("open:http", 5, "'http' is no port"),
        ("open:70000", 5, "65535"),
        ("open:9-2", 5, "not a range"),
        ("open:1/icmp", 5, "no protocol"),
        ("open:" + "1," * 300, 5, "too many ports"),
        ("t:10.0.0.0/99", 2, "no network"),
        ("service:", 8, "nothing to look for"),
        ("state:tired", 6, "no state"),
        ("after:soon", 6, "no date"),
        ("after:2026-02-30", 6, "no date"),
        ("after:0001-01-01", 6, "not a year"),
        ("after:-999999", 6, "too long ago"),
        ("date:-3h", 5, "no day"),
        ("x dir:/tmp", 6, "import the files"),
        ("scanned:80", 8, "not offered"),
        ('a "b', 2, "not closed"),
        ('"a"b', 3, "right after quotes"),
        ('a"b"', 1, "quotes inside a word"),
        ('""', 0, "nothing between quotes"),
        ("or a", 0, "nothing stands before"),
        ("a or | b", 5, "nothing stands before"),
        ("a or", 2, "nothing follows"),
        ("! a", 0, "nothing follows"),
        ("a\x1b[2J", 1, "does not print"),
        ("a\x00", 1, "does not print"),
        ("\u202eb", 0, "does not print"),
        ("x " * 200, 256, "too many words"),
    ],
)
def test_a_refusal_says_where_and_what(text: str, position: int, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_query(text, NOW)
    assert said in str(refused.value)
    assert refused.value.position == position
    assert f"at character {position + 1}" in refused.value.what


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "a " * 1_000_000,
        "(" * 1_000_000,
        "!" * 1_000_000,
        '"' * 1_000_000,
        "open:1 or " * 400,
    ],
    ids=["one word", "many terms", "deep", "marks", "quotes", "alternatives"],
)
def test_a_huge_query_is_refused_at_once(text: str) -> None:
    begin = time.thread_time()
    with pytest.raises(InvalidInput):
        parse_query(text)
    assert time.thread_time() - begin < 1


PIECES = st.sampled_from(
    [*(f"{name}:" for name in _READERS), *'!|-~/,": ', "or ", "not:", "today", "443", "2026-11-01"]
)


@given(
    st.one_of(
        st.text(max_size=200), st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=30).map("".join)
    )
)
def test_any_text_is_understood_or_refused_with_a_place(text: str) -> None:
    try:
        query = parse_query(text)
    except InvalidInput as refused:
        assert refused.position is not None
        assert 0 <= refused.position <= len(text)
    else:
        assert len(query.clauses) <= LONGEST_QUERY
